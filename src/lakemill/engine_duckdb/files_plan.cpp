// What raw files hold: types of Parquet; CSV and JSON are told in files of their own.

#include "lakemill/engine_duckdb/files_plan.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "lakemill/base/guard.h"
#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/csv_plan.h"
#include "lakemill/engine_duckdb/duckdb_headers.h"
#include "lakemill/engine_duckdb/files_columns.h"
#include "lakemill/engine_duckdb/json_exactness.h"
#include "lakemill/engine_duckdb/json_plan.h"
#include "lakemill/engine_duckdb/marked_files.h"
#include "lakemill/engine_duckdb/reader_error.h"
#include "lakemill/engine_duckdb/reader_options.h"
#include "lakemill/engine_duckdb/rescued_values.h"
#include "lakemill/engine_duckdb/type_mapping.h"
#include "lakemill/engine_duckdb/write_query.h"
#include "lakemill/engine_duckdb/zstd_files.h"

namespace lakemill::engine_duckdb {

namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using engine::FileFormat;
using engine::FilesRelation;

duckdb::FileCompressionType compression_of(const FilesPlan& plan) {
  if (plan.relation.format == FileFormat::parquet ||
      plan.relation.format == FileFormat::binaryfile) {
    return duckdb::FileCompressionType::UNCOMPRESSED;  // its reader takes it as it is
  }
  const auto option = plan.options.find("compression");
  if (option == plan.options.end()) return duckdb::FileCompressionType::AUTO_DETECT;
  const std::string quoted = to_lower(option->second);
  return duckdb::FileCompressionTypeFromString(quoted.substr(1, quoted.size() - 2));
}

// A file is its path and size: one that is gone or has changed fails the batch.
Status check_files(DuckdbSession& session, FilesPlan& plan) {
  const FilesRelation& relation = plan.relation;
  const bool is_json =
      relation.format == FileFormat::json || relation.format == FileFormat::jsonl;
  auto& files = duckdb::FileSystem::GetFileSystem(*session.connection().context);
  for (const engine::InputFile& file : relation.files) {
    std::optional<std::int64_t> size;
    std::optional<std::string> fault;
    auto opened = session.watch([&] {
      const auto handle = files.OpenFile(
          file.url, duckdb::FileFlags::FILE_FLAGS_READ |
                        duckdb::FileFlags::FILE_FLAGS_NULL_IF_NOT_EXISTS);
      if (handle) {
        size = handle->GetFileSize();
        fault = zstd_fault(*handle, compression_of(plan));
      }
      if (!is_json || size.value_or(0) < std::ssize(kByteOrderMark)) return;
      std::string begin(kByteOrderMark.size(), '\0');
      handle->Read(begin.data(), begin.size(), 0);
      if (begin == kByteOrderMark) plan.marked.insert(file.url);
    });
    if (!opened) return std::move(opened).error().while_doing("file " + file.url);
    if (!size) return Error(ErrorCode::not_found, "file " + file.url + " is gone");
    if (file.size_bytes > 0 && *size != file.size_bytes) {
      return file_error(file.url, "it has changed since the batch was planned (" +
                                      std::to_string(file.size_bytes) +
                                      " bytes then, " + std::to_string(*size) +
                                      " now)");
    }
    if (fault) return file_error(file.url, *fault);
  }
  return {};
}

// Which of the Parquet files have the same columns: a text for each that tells.
Result<std::vector<std::string>> parquet_shapes(DuckdbSession& session,
                                                const FilesPlan& plan) {
  std::vector<std::string> urls;
  for (const auto& file : plan.relation.files) urls.push_back(path_literal(file.url));
  LAKEMILL_TRY(
      const auto answer,
      session.run("SELECT file_name, string_agg(concat_ws(' ', name, type, "
                  "num_children, converted_type, scale, precision, logical_type), ', ')"
                  " FROM parquet_schema([" +
                  join(urls, ", ") + "]) GROUP BY ALL"));
  std::map<std::string, std::string> shapes;
  for (duckdb::idx_t row = 0; row < answer->RowCount(); ++row) {
    shapes[answer->GetValue(0, row).ToString()] = answer->GetValue(1, row).ToString();
  }
  std::vector<std::string> by_file;
  for (const auto& file : plan.relation.files) by_file.push_back(shapes[file.url]);
  return by_file;
}

Result<std::vector<SourceColumn>> parquet_columns(DuckdbSession& session,
                                                  const FilesPlan& plan,
                                                  std::size_t first,
                                                  std::size_t count) {
  const FileGroup group{first, count, {}};
  LAKEMILL_TRY(
      const QueryColumns found,
      columns_of(session, "SELECT * FROM " + reader_sql(plan, group, first, count)));
  std::vector<SourceColumn> columns;
  for (std::size_t i = 0; i < found.names.size(); ++i) {
    columns.push_back({found.names[i], found.types[i], true});
  }
  return columns;
}

bool types_differ(const std::vector<SourceColumn>& some,
                  const std::vector<SourceColumn>& others) {
  return std::any_of(some.begin(), some.end(), [&](const SourceColumn& column) {
    return std::any_of(others.begin(), others.end(), [&](const SourceColumn& other) {
      return equals_ignoring_case(column.name, other.name) && column.type != other.type;
    });
  });
}

// Where what does not fit is rescued, the first file's types hold for those after it,
// as the table's would if each file came with a batch of its own: the reader must not
// unite them. True if groups were made.
Result<bool> group_by_types(DuckdbSession& session, FilesPlan& plan,
                            const std::vector<std::string>& shapes) {
  std::map<std::string, std::vector<SourceColumn>> columns;
  bool any_differs = false;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    if (columns.contains(shapes[i])) continue;
    LAKEMILL_TRY(auto found, parquet_columns(session, plan, i, 1));
    any_differs = any_differs ||
                  std::any_of(columns.begin(), columns.end(), [&](const auto& entry) {
                    return types_differ(entry.second, found);
                  });
    columns.emplace(shapes[i], std::move(found));
  }
  if (!any_differs) return false;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    if (i > 0 && shapes[i] == shapes[i - 1]) {
      ++plan.groups.back().count;
    } else {
      plan.groups.push_back({i, 1, columns.at(shapes[i])});
    }
  }
  return true;
}

// A column of Parquet's type Null: what nulls are is told elsewhere, as for JSON.
Status set_types_of_nulls(DuckdbSession& session, FilesPlan& plan) {
  for (std::size_t i = 0; i < plan.columns.names.size(); ++i) {
    if (plan.columns.types[i].id() != LogicalTypeId::SQLNULL) continue;
    const std::string& name = plan.columns.names[i];
    LAKEMILL_TRY(const auto known, type_of_nulls(session, plan, name));
    if (!known) plan.only_nulls.insert(name);
    plan.columns.types[i] = known.value_or(LogicalType::VARCHAR);
  }
  return {};
}

Status plan_parquet(DuckdbSession& session, FilesPlan& plan) {
  if (!plan.relation.files.empty()) {
    LAKEMILL_TRY(auto columns,
                 parquet_columns(session, plan, 0, plan.relation.files.size()));
    bool is_grouped = false;
    if (plan.relation.rescue && plan.relation.files.size() > 1) {
      LAKEMILL_TRY(const auto shapes, parquet_shapes(session, plan));
      LAKEMILL_TRY(is_grouped, group_by_types(session, plan, shapes));
    }
    if (!is_grouped) group_all(plan, std::move(columns));
  }
  if (!plan.relation.schema) {
    unite_columns(plan);
    return set_types_of_nulls(session, plan);
  }
  LAKEMILL_TRY_OK(set_schema(plan, *plan.relation.schema));
  return refuse_extra_columns(plan);
}

Status plan_fixed(FilesPlan& plan, std::vector<SourceColumn> columns) {
  for (const SourceColumn& column : columns) {
    plan.columns.names.push_back(column.name);
    plan.columns.types.push_back(column.type);
  }
  group_all(plan, std::move(columns));
  return {};
}

// Files in which nothing is have the columns of those before them.
Status take_known_columns(DuckdbSession& session, FilesPlan& plan) {
  LAKEMILL_TRY(plan.columns, columns_before(session, plan));
  if (plan.columns.names.empty() && plan.relation.known_types) {
    return set_schema(plan, *plan.relation.known_types);
  }
  return {};
}

Status plan_columns(DuckdbSession& session, FilesPlan& plan) {
  switch (plan.relation.format) {
    case FileFormat::csv:
      return plan_csv(session, plan);
    case FileFormat::json:
    case FileFormat::jsonl:
      return plan_json(session, plan);
    case FileFormat::parquet:
      return plan_parquet(session, plan);
    case FileFormat::text:
      if (!reads_lines(plan)) LAKEMILL_TRY_OK(check_last_lines(session, plan));
      return plan_fixed(plan, {{"value", LogicalType::VARCHAR, true}});
    case FileFormat::binaryfile:
      return plan_fixed(plan, {{"path", LogicalType::VARCHAR, true},
                               {"modificationTime", LogicalType::TIMESTAMP_TZ, true},
                               {"length", LogicalType::BIGINT, true},
                               {"content", LogicalType::BLOB, true}});
  }
  return {};
}

}  // namespace

Result<FilesPlan> plan_files(DuckdbSession& session, const FilesRelation& relation) {
  FilesPlan plan;
  plan.relation = relation;
  LAKEMILL_TRY(plan.options, reader_options(plan.relation));
  LAKEMILL_TRY_OK(check_files(session, plan));
  LAKEMILL_TRY_OK(plan_columns(session, plan));
  if (plan.columns.names.empty()) LAKEMILL_TRY_OK(take_known_columns(session, plan));
  plan.relation.files_before = {};
  if (plan.columns.names.empty()) {
    return Error(
        ErrorCode::invalid,
        relation.files.empty()
            ? "there is no file and no schema, so its columns are not known; "
              "add a file, or give the source a schema"
            : file_error(relation.files[0].url,
                         "no file of the source has a column (they are empty); "
                         "add one that has, or give the source a schema")
                  .message());
  }
  if (relation.rescue) {
    plan.columns.names.emplace_back(kRescuedColumn);
    plan.columns.types.push_back(LogicalType::VARCHAR);
  }
  return plan;
}

}  // namespace lakemill::engine_duckdb
