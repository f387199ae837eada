// Data files of a Delta table: COPY to Parquet with statistics in the same pass.

#include <algorithm>
#include <array>

#include "lakemill/base/random.h"
#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/parquet_files.h"
#include "lakemill/engine_duckdb/staged_files.h"
#include "lakemill/engine_duckdb/type_mapping.h"
#include "lakemill/engine_duckdb/written_statistics.h"

namespace lakemill::engine_duckdb {

namespace {

using data::Field;
using data::Type;
using data::TypeKind;
using engine::TableFilesTarget;
using engine::WrittenFile;

// One COPY into a table's folder.
struct TableCopy {
  std::vector<FileColumn> columns;
  std::vector<std::size_t> partition_columns;  // indexes in columns
  std::string folder;
  std::string name_start;   // of all its files; no other file has it
  std::string single_path;  // set: all rows go into this one file
};

std::string without_slash(std::string folder) {
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  return folder;
}

Status add_partitions(const TableFilesTarget& target, TableCopy& copy) {
  for (const std::string& name : target.partition_by) {
    const auto found =
        std::find_if(copy.columns.begin(), copy.columns.end(), [&](const auto& column) {
          return equals_ignoring_case(column.logical_name, name);
        });
    if (found == copy.columns.end()) {
      return Error(ErrorCode::invalid,
                   "partition column " + name + ": the table has no such column");
    }
    if (found->type.IsNested()) {
      return Error(ErrorCode::invalid, "partition column " + name + " is " +
                                           found->type.ToString() +
                                           "; only plain types can partition a table");
    }
    // Delta cannot tell an empty partition value from null.
    if (found->type.id() == duckdb::LogicalTypeId::VARCHAR) {
      found->expression = "nullif(" + found->expression + ", '')";
    }
    copy.partition_columns.push_back(
        static_cast<std::size_t>(found - copy.columns.begin()));
  }
  if (!copy.columns.empty() && copy.partition_columns.size() >= copy.columns.size()) {
    return Error(ErrorCode::invalid,
                 "every column of the table is a partition column; at least one must "
                 "be left for its files");
  }
  return {};
}

Result<TableCopy> plan_copy(const RowsToWrite& rows, const TableFilesTarget& target) {
  TableCopy copy;
  const bool mapped =
      !target.column_mapping_mode.empty() && target.column_mapping_mode != "none";
  LAKEMILL_TRY(copy.columns, conform_columns(rows.columns, target.schema, mapped));
  if (copy.columns.empty()) {
    return Error(ErrorCode::invalid, "a table needs a column that is not of type void");
  }
  LAKEMILL_TRY_OK(add_partitions(target, copy));
  SystemRandom random;
  copy.folder = without_slash(target.folder_url);
  copy.name_start = target.file_prefix + make_uuid(random);
  if (copy.partition_columns.empty() && target.target_file_bytes == 0) {
    copy.single_path = copy.folder + "/" + copy.name_start + ".parquet";
  }
  return copy;
}

// {"a": 1, "s": {__duckdb_field_id: 2, "x": 3}}, or nothing where no field has an id.
std::string field_ids(const std::vector<Field>& fields, bool mapped);

std::string field_id_entry(const Field& field, bool mapped) {
  const std::int64_t id = integer_member(field.metadata, "delta.columnMapping.id", -1);
  const std::string own = id < 0 ? "" : std::to_string(id);
  std::string inner;
  if (field.type.kind == TypeKind::structure || field.type.kind == TypeKind::array ||
      field.type.kind == TypeKind::map) {
    inner = field_ids(field.type.children, mapped);
  }
  if (inner.empty()) return own;
  const std::string children = inner.substr(1, inner.size() - 2);
  return own.empty() ? inner : "{__duckdb_field_id: " + own + ", " + children + "}";
}

std::string field_ids(const std::vector<Field>& fields, bool mapped) {
  std::vector<std::string> entries;
  for (const Field& field : fields) {
    if (field.type.kind == TypeKind::void_type) continue;
    const std::string entry = field_id_entry(field, mapped);
    if (!entry.empty()) {
      entries.push_back(quote_identifier(physical_name(field, mapped)) + ": " + entry);
    }
  }
  return entries.empty() ? "" : "{" + join(entries, ", ") + "}";
}

// What the files themselves hold: partition values stand in the log.
std::vector<Field> stored_fields(const TableFilesTarget& target) {
  std::vector<Field> fields;
  for (const Field& field : target.schema.fields) {
    if (std::ranges::find(target.partition_by, field.name) ==
        target.partition_by.end()) {
      fields.push_back(field);
    }
  }
  return fields;
}

std::string copy_sql(const RowsToWrite& rows, const TableFilesTarget& target,
                     const TableCopy& copy) {
  std::vector<std::string> select_list;
  for (const FileColumn& column : copy.columns) {
    select_list.push_back(column.expression + " AS " +
                          quote_identifier(column.physical_name));
  }
  std::vector<std::string> options = {
      "FORMAT parquet", "RETURN_STATS", kNoBloomFilter,
      "COMPRESSION " +
          quote_literal(target.compression.empty() ? "snappy" : target.compression)};
  if (target.parquet_version == 2) options.emplace_back("PARQUET_VERSION V2");
  if (target.row_group_rows > 0) {
    options.push_back("ROW_GROUP_SIZE " + std::to_string(target.row_group_rows));
  }
  const bool mapped =
      !target.column_mapping_mode.empty() && target.column_mapping_mode != "none";
  const std::string ids = mapped ? field_ids(stored_fields(target), mapped) : "";
  if (!ids.empty()) options.push_back("FIELD_IDS " + ids);
  if (copy.single_path.empty()) {
    options.emplace_back("OVERWRITE_OR_IGNORE");
    options.push_back("FILENAME_PATTERN " + quote_literal(copy.name_start + "-{uuid}"));
  }
  if (!copy.partition_columns.empty()) {
    std::vector<std::string> names;
    for (const std::size_t index : copy.partition_columns) {
      names.push_back(quote_identifier(copy.columns[index].physical_name));
    }
    options.push_back("PARTITION_BY (" + join(names, ", ") + ")");
  } else if (copy.single_path.empty()) {
    options.push_back("FILE_SIZE_BYTES " + std::to_string(target.target_file_bytes));
    options.emplace_back("WRITE_EMPTY_FILE false");
  } else {
    options.emplace_back("USE_TMP_FILE false");
    options.emplace_back("WRITE_EMPTY_FILE false");
  }
  const std::string& to = copy.single_path.empty() ? copy.folder : copy.single_path;
  return "COPY (SELECT " + join(select_list, ", ") + " FROM (" + rows.sql +
         "\n) AS _lakemill_rows) TO " + quote_literal(to) + " (" + join(options, ", ") +
         ")";
}

Result<std::map<std::string, data::Value>> partition_values(const duckdb::Value& keys,
                                                            const TableCopy& copy) {
  std::map<std::string, data::Value> values;
  if (copy.partition_columns.empty()) return values;
  std::map<std::string, duckdb::Value> texts;
  for (const duckdb::Value& entry : duckdb::MapValue::GetChildren(keys)) {
    const auto& pair = duckdb::StructValue::GetChildren(entry);
    texts.emplace(duckdb::StringValue::Get(pair[0]), pair[1]);
  }
  for (const std::size_t index : copy.partition_columns) {
    const FileColumn& column = copy.columns[index];
    const duckdb::Value& text = texts[column.physical_name];
    duckdb::Value value;
    if (!text.DefaultTryCastAs(column.type, value, nullptr)) {
      return Error(ErrorCode::invalid, "partition column " + column.logical_name +
                                           ": cannot read back " + text.ToString());
    }
    values.emplace(column.logical_name, from_duckdb(value));
  }
  return values;
}

Status refuse_nulls(const WrittenFile& file, const TableCopy& copy) {
  for (const FileColumn& column : copy.columns) {
    if (column.nullable) continue;
    const auto partition = file.partition_values.find(column.logical_name);
    bool has_null =
        partition != file.partition_values.end() && data::is_null(partition->second);
    for (const engine::WrittenColumn& written : file.columns) {
      has_null = has_null ||
                 (written.path.size() == 1 && written.path[0] == column.physical_name &&
                  written.null_count.value_or(0) > 0);
    }
    if (has_null) {
      return Error(ErrorCode::invalid, "column " + column.logical_name +
                                           ": the query gives null, the table's column "
                                           "is NOT NULL");
    }
  }
  return {};
}

// The files that a failed COPY left, found by the name that only they have.
void remove_by_name(DuckdbSession& session, const TableCopy& copy) {
  auto& files = duckdb::FileSystem::GetFileSystem(*session.connection().context);
  std::vector<std::string> folders = {copy.folder};
  std::vector<std::string> found;
  const std::size_t depth = copy.partition_columns.size();
  for (std::size_t level = 0; level <= depth; ++level) {
    std::vector<std::string> deeper;
    for (const std::string& folder : folders) {
      files.ListFiles(folder, [&](const std::string& name, bool is_folder) {
        const std::string path = folder + "/" + name;
        if (is_folder && name.find('=') != std::string::npos) deeper.push_back(path);
        if (!is_folder && name.starts_with(copy.name_start)) found.push_back(path);
      });
    }
    folders = std::move(deeper);
  }
  for (const std::string& path : found) files.TryRemoveFile(path);
}

// A value names the folder of its files, so it can be too long for a file system.
Error with_long_value(Error error, const TableCopy& copy) {
  if (copy.partition_columns.empty() ||
      error.message().find("File name too long") == std::string::npos) {
    return error;
  }
  std::vector<std::string> names;
  for (const std::size_t index : copy.partition_columns) {
    names.push_back(copy.columns[index].logical_name);
  }
  return {ErrorCode::invalid,
          "a value of the partition column " + join(names, " or ") +
              " is too long to name a folder (255 bytes at most, with the column's "
              "name, other characters than letters and digits taking three); partition "
              "by something shorter, a hash or a prefix of it"};
}

}  // namespace

Result<StagedRows> stage_table_files(DuckdbSession& session, const RowsToWrite& rows,
                                     const TableFilesTarget& target) {
  LAKEMILL_TRY(const TableCopy copy, plan_copy(rows, target));
  auto& file_system = duckdb::FileSystem::GetFileSystem(*session.connection().context);
  LAKEMILL_TRY_OK(
      session.watch([&] { file_system.CreateDirectoriesRecursive(copy.folder); }));
  auto copied = session.run(copy_sql(rows, target, copy));
  if (!copied) {
    (void)session.watch([&] { remove_by_name(session, copy); });  // best effort
    return with_long_value(std::move(copied).error(), copy);
  }
  StagedRows staged;
  duckdb::MaterializedQueryResult& answer = **copied;
  for (duckdb::idx_t row = 0; row < answer.RowCount(); ++row) {
    staged.paths_.push_back(answer.GetValue(0, row).ToString());
  }
  Status checked;
  for (duckdb::idx_t row = 0; row < answer.RowCount() && checked; ++row) {
    WrittenFile file;
    file.path = staged.paths_[row].substr(copy.folder.size() + 1);
    file.row_count = answer.GetValue(1, row).GetValue<std::int64_t>();
    file.size_bytes = answer.GetValue(2, row).GetValue<std::int64_t>();
    file.columns = parse_statistics(answer.GetValue(4, row), copy.columns);
    staged.row_count_ += file.row_count;
    auto values = partition_values(answer.GetValue(5, row), copy);
    if (values) file.partition_values = std::move(*values);
    checked = values ? refuse_nulls(file, copy) : Status(std::move(values).error());
    staged.files_.push_back(std::move(file));
  }
  if (!checked) {
    staged.discard(session);
    return std::move(checked).error();
  }
  return staged;
}

}  // namespace lakemill::engine_duckdb
