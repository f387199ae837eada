// One file outside any table: written under a temporary name beside its place.

#include <array>
#include <optional>

#include "lakemill/base/random.h"
#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/staged_files.h"
#include "lakemill/engine_duckdb/type_mapping.h"
#include "lakemill/engine_duckdb/written_statistics.h"

namespace lakemill::engine_duckdb {

namespace {

using engine::FileFormat;
using engine::FileTarget;

enum class OptionKind : std::uint8_t { text, boolean, number };

// A writer_kwarg as people know it from Spark, Polars and pandas, and DuckDB's option.
struct WriterOption {
  FileFormat format;
  std::string_view key;
  std::string_view option;
  OptionKind kind;
};

constexpr std::array kWriterOptions = {
    WriterOption{FileFormat::csv, "header", "HEADER", OptionKind::boolean},
    WriterOption{FileFormat::csv, "include_header", "HEADER", OptionKind::boolean},
    WriterOption{FileFormat::csv, "has_header", "HEADER", OptionKind::boolean},
    WriterOption{FileFormat::csv, "delimiter", "DELIMITER", OptionKind::text},
    WriterOption{FileFormat::csv, "sep", "DELIMITER", OptionKind::text},
    WriterOption{FileFormat::csv, "separator", "DELIMITER", OptionKind::text},
    WriterOption{FileFormat::csv, "quote", "QUOTE", OptionKind::text},
    WriterOption{FileFormat::csv, "quote_char", "QUOTE", OptionKind::text},
    WriterOption{FileFormat::csv, "escape", "ESCAPE", OptionKind::text},
    WriterOption{FileFormat::csv, "null_value", "NULLSTR", OptionKind::text},
    WriterOption{FileFormat::csv, "nullvalue", "NULLSTR", OptionKind::text},
    WriterOption{FileFormat::csv, "date_format", "DATEFORMAT", OptionKind::text},
    WriterOption{FileFormat::csv, "dateformat", "DATEFORMAT", OptionKind::text},
    WriterOption{FileFormat::csv, "datetime_format", "TIMESTAMPFORMAT",
                 OptionKind::text},
    WriterOption{FileFormat::csv, "timestampformat", "TIMESTAMPFORMAT",
                 OptionKind::text},
    WriterOption{FileFormat::csv, "compression", "COMPRESSION", OptionKind::text},
    WriterOption{FileFormat::json, "compression", "COMPRESSION", OptionKind::text},
    WriterOption{FileFormat::jsonl, "compression", "COMPRESSION", OptionKind::text},
    WriterOption{FileFormat::parquet, "compression", "COMPRESSION", OptionKind::text},
    WriterOption{FileFormat::parquet, "row_group_size", "ROW_GROUP_SIZE",
                 OptionKind::number},
};

std::string_view format_name(FileFormat format) {
  switch (format) {
    case FileFormat::csv:
      return "CSV";
    case FileFormat::json:
      return "JSON";
    case FileFormat::jsonl:
      return "JSONL";
    case FileFormat::parquet:
      return "PARQUET";
    case FileFormat::text:
      return "TEXT";
    case FileFormat::binaryfile:
      return "BINARYFILE";
  }
  return "";
}

Result<std::string> option_value(const WriterOption& option, const std::string& text) {
  const std::string lower = to_lower(text);
  if (option.kind == OptionKind::text) return quote_literal(text);
  if (option.kind == OptionKind::boolean && (lower == "true" || lower == "false")) {
    return lower;
  }
  if (option.kind == OptionKind::number && !text.empty() &&
      text.find_first_not_of("0123456789") == std::string::npos) {
    return text;
  }
  return Error(ErrorCode::invalid,
               "writer option " + std::string(option.key) + ": cannot be " + text);
}

Result<std::vector<std::string>> copy_options(const FileTarget& target) {
  std::vector<std::string> options;
  if (target.format == FileFormat::csv) options = {"FORMAT csv"};
  if (target.format == FileFormat::json) options = {"FORMAT json", "ARRAY true"};
  if (target.format == FileFormat::jsonl) options = {"FORMAT json", "ARRAY false"};
  if (target.format == FileFormat::parquet) options = {"FORMAT parquet"};
  bool has_header = false;
  for (const auto& [key, value] : target.options) {
    const WriterOption* known = nullptr;
    std::vector<std::string> keys;
    for (const WriterOption& option : kWriterOptions) {
      if (option.format != target.format) continue;
      keys.emplace_back(option.key);
      if (equals_ignoring_case(option.key, key)) known = &option;
    }
    if (known == nullptr) {
      const auto near = nearest(key, keys);
      return Error(ErrorCode::invalid, "writer option " + key + " is not known for " +
                                           std::string(format_name(target.format)) +
                                           (near ? "; did you mean " + *near + "?"
                                                 : "; known are: " + join(keys, ", ")));
    }
    LAKEMILL_TRY(const std::string text, option_value(*known, value));
    options.push_back(std::string(known->option) + " " + text);
    has_header = has_header || known->option == "HEADER";
  }
  if (target.format == FileFormat::csv && !has_header) {
    options.emplace_back("HEADER true");
  }
  options.emplace_back("USE_TMP_FILE false");
  return options;
}

// A decimal without digits before its point, which DuckDB writes as ".5": no JSON.
// Where no digit can be added it becomes a text.
std::string with_leading_zero(const std::string& value,
                              const duckdb::LogicalType& type) {
  const int scale = duckdb::DecimalType::GetScale(type);
  if (scale == 38) {
    return "regexp_replace(CAST(" + value + " AS VARCHAR), '^(-?)[.]', '\\10.')";
  }
  return "CAST(" + value + " AS DECIMAL(" + std::to_string(scale + 1) + ", " +
         std::to_string(scale) + "))";
}

// JSON knows no NaN and no infinities: they become null, however deep they stand.
// Nothing where a value can be written as it is.
std::optional<std::string> writable(const std::string& value,
                                    const duckdb::LogicalType& type, int depth) {
  const std::string name = "_e" + std::to_string(depth);
  using Id = duckdb::LogicalTypeId;
  switch (type.id()) {
    case Id::FLOAT:
    case Id::DOUBLE:
      return "CASE WHEN isfinite(" + value + ") THEN " + value + " END";
    case Id::DECIMAL:
      if (duckdb::DecimalType::GetScale(type) < duckdb::DecimalType::GetWidth(type)) {
        return std::nullopt;
      }
      return with_leading_zero(value, type);
    case Id::LIST:
    case Id::ARRAY: {
      const auto& child = type.id() == Id::LIST ? duckdb::ListType::GetChildType(type)
                                                : duckdb::ArrayType::GetChildType(type);
      const auto inner = writable(name, child, depth + 1);
      if (!inner) return std::nullopt;
      return "list_transform(" + value + ", lambda " + name + ": " + *inner + ")";
    }
    case Id::MAP: {
      const auto inner =
          writable(name + ".value", duckdb::MapType::ValueType(type), depth + 1);
      if (!inner) return std::nullopt;
      return "map_from_entries(list_transform(map_entries(" + value + "), lambda " +
             name + ": {'key': " + name + ".key, 'value': " + *inner + "}))";
    }
    case Id::STRUCT: {
      std::vector<std::string> members;
      bool any = false;
      for (const auto& [member, child] : duckdb::StructType::GetChildTypes(type)) {
        const std::string path =
            "struct_extract(" + value + ", " + quote_literal(member) + ")";
        const auto inner = writable(path, child, depth);
        any = any || inner;
        members.push_back(quote_literal(member) + ": " + inner.value_or(path));
      }
      if (!any || duckdb::StructType::IsUnnamed(type)) return std::nullopt;
      return "CASE WHEN " + value + " IS NOT NULL THEN {" + join(members, ", ") +
             "} END";
    }
    default:
      return std::nullopt;
  }
}

std::string select_list_of_json(const RowsToWrite& rows) {
  std::vector<std::string> list;
  for (std::size_t i = 0; i < rows.columns.names.size(); ++i) {
    const std::string name = quote_identifier(rows.columns.names[i]);
    const auto value = writable(name, rows.columns.types[i], 0);
    list.push_back(value ? *value + " AS " + name : name);
  }
  return join(list, ", ");
}

// Parquet would silently store HUGEINT as DOUBLE: its columns are made those of a
// table.
Result<std::string> select_list(const RowsToWrite& rows, FileFormat format) {
  if (format == FileFormat::json || format == FileFormat::jsonl) {
    return select_list_of_json(rows);
  }
  if (format != FileFormat::parquet) return std::string("*");
  LAKEMILL_TRY(const data::Schema schema,
               from_duckdb(rows.columns.names, rows.columns.types));
  LAKEMILL_TRY(const auto columns, conform_columns(rows.columns, schema, false));
  std::vector<std::string> list;
  for (const FileColumn& column : columns) {
    list.push_back(column.expression + " AS " + quote_identifier(column.logical_name));
  }
  return join(list, ", ");
}

}  // namespace

Result<StagedRows> stage_file(DuckdbSession& session, const RowsToWrite& rows,
                              const FileTarget& target) {
  if (target.format == FileFormat::text || target.format == FileFormat::binaryfile) {
    return Error(ErrorCode::unsupported,
                 "write " + target.url + ": " +
                     std::string(format_name(target.format)) +
                     " files are only read; write CSV, JSON, JSONL or PARQUET");
  }
  LAKEMILL_TRY(const auto options, copy_options(target));
  LAKEMILL_TRY(const std::string list, select_list(rows, target.format));
  SystemRandom random;
  const std::size_t slash = target.url.rfind('/');
  const std::size_t name_at = slash == std::string::npos ? 0 : slash + 1;
  const std::string folder = target.url.substr(0, name_at);
  StagedRows staged;
  staged.final_path_ = target.url;
  staged.paths_ = {folder + "." + target.url.substr(name_at) + "." + make_uuid(random) +
                   ".tmp"};
  auto& files = duckdb::FileSystem::GetFileSystem(*session.connection().context);
  if (!folder.empty()) {
    LAKEMILL_TRY_OK(session.watch([&] {
      files.CreateDirectoriesRecursive(
          folder.substr(0, folder.size() - (folder.size() > 1 ? 1 : 0)));
    }));
  }
  auto copied = session.run(
      "COPY (SELECT " + list + " FROM (" + rows.sql + "\n) AS _lakemill_rows) TO " +
      quote_literal(staged.paths_[0]) + " (" + join(options, ", ") + ")");
  if (!copied) {
    staged.discard(session);
    return std::move(copied).error().while_doing("write " + target.url);
  }
  duckdb::MaterializedQueryResult& answer = **copied;
  engine::WrittenFile file;
  file.path = target.url;
  if (answer.RowCount() == 1) {
    file.row_count = answer.GetValue(0, 0).GetValue<std::int64_t>();
  }
  auto sized = session.watch([&] {
    auto handle = files.OpenFile(staged.paths_[0], duckdb::FileFlags::FILE_FLAGS_READ);
    file.size_bytes = handle->GetFileSize();
  });
  if (!sized) {
    staged.discard(session);
    return std::move(sized).error().while_doing("write " + target.url);
  }
  staged.row_count_ = file.row_count;
  staged.files_.push_back(std::move(file));
  return staged;
}

}  // namespace lakemill::engine_duckdb
