// One file outside any table: written under a temporary name beside its place.

#include <array>
#include <optional>

#include "lakemill/base/random.h"
#include "lakemill/base/text.h"
#include "lakemill/engine/file_options.h"
#include "lakemill/engine_duckdb/parquet_files.h"
#include "lakemill/engine_duckdb/staged_files.h"
#include "lakemill/engine_duckdb/type_mapping.h"
#include "lakemill/engine_duckdb/written_statistics.h"

namespace lakemill::engine_duckdb {

namespace {

using engine::FileFormat;
using engine::FileOption;
using engine::FileTarget;

Result<std::string> copy_option(const std::string& name, FileOption option,
                                const std::string& value) {
  const std::string lower = to_lower(value);
  switch (option) {
    case FileOption::delimiter:
      return "DELIMITER " + quote_literal(value);
    case FileOption::quote:
      return "QUOTE " + quote_literal(value);
    case FileOption::escape:
      return "ESCAPE " + quote_literal(value);
    case FileOption::null_values:
      return "NULLSTR " + quote_literal(value);
    case FileOption::date_format:
      return "DATEFORMAT " + quote_literal(value);
    case FileOption::timestamp_format:
      return "TIMESTAMPFORMAT " + quote_literal(value);
    case FileOption::compression:
      return "COMPRESSION " + quote_literal(value);
    case FileOption::header:
      if (lower == "true" || lower == "false") return "HEADER " + lower;
      break;
    case FileOption::row_group_size:
      if (!value.empty() &&
          value.find_first_not_of("0123456789") == std::string::npos) {
        return "ROW_GROUP_SIZE " + value;
      }
      break;
    default:
      break;
  }
  return Error(ErrorCode::invalid, "writer option " + name + ": cannot be " + value);
}

Result<std::vector<std::string>> copy_options(const FileTarget& target) {
  std::vector<std::string> options;
  if (target.format == FileFormat::csv) options = {"FORMAT csv"};
  if (target.format == FileFormat::json) options = {"FORMAT json", "ARRAY true"};
  if (target.format == FileFormat::jsonl) options = {"FORMAT json", "ARRAY false"};
  if (target.format == FileFormat::parquet)
    options = {"FORMAT parquet", kNoBloomFilter};
  bool has_header = false;
  for (const auto& [name, value] : target.options) {
    LAKEMILL_TRY(const FileOption option, engine::writer_option(target.format, name));
    LAKEMILL_TRY(std::string text, copy_option(name, option, value));
    options.push_back(std::move(text));
    has_header = has_header || option == FileOption::header;
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

// JSON knows no NaN and no infinities: they become texts as Spark writes and takes
// them, however deep they stand. Nothing where a value can be written as it is.
std::optional<std::string> writable(const std::string& value,
                                    const duckdb::LogicalType& type, int depth) {
  const std::string name = "_e" + std::to_string(depth);
  using Id = duckdb::LogicalTypeId;
  switch (type.id()) {
    case Id::FLOAT:
    case Id::DOUBLE:
      return "CASE WHEN isfinite(" + value + ") THEN to_json(" + value +
             ") WHEN isnan(" + value + ") THEN to_json('NaN') WHEN " + value +
             " > 0 THEN to_json('Infinity') WHEN " + value +
             " < 0 THEN to_json('-Infinity') END";
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
                     std::string(engine::format_name(target.format)) +
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
