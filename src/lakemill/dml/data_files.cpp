#include "lakemill/dml/data_files.h"

#include <array>
#include <cctype>

#include "lakemill/delta/transaction.h"

namespace lakemill::dml {
namespace {

bool stays_as_it_is(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0 ||
         std::string_view("-_.~/=").find(letter) != std::string_view::npos;
}

std::string physical_name(const data::Field& field) {
  return string_member(field.metadata, "delta.columnMapping.physicalName", field.name);
}

/// The top-level field that a written column belongs to.
const data::Field* field_of(const data::Schema& schema, std::string_view physical) {
  for (const data::Field& field : schema.fields) {
    if (physical_name(field) == physical) return &field;
  }
  return nullptr;
}

Status check_nulls(const engine::WrittenFile& file, const data::Schema& schema) {
  for (const engine::WrittenColumn& column : file.columns) {
    if (column.path.size() != 1 || column.null_count.value_or(0) == 0) continue;
    const data::Field* field = field_of(schema, column.path.front());
    if (field != nullptr && !field->nullable) {
      return Error(ErrorCode::invalid,
                   "column \"" + field->name + "\" of the table may not hold nulls, " +
                       std::to_string(*column.null_count) +
                       " of the batch's rows do: give them a value, or filter them");
    }
  }
  return {};
}

}  // namespace

std::string encode_path(std::string_view path) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string text;
  for (const char letter : path) {
    if (stays_as_it_is(letter)) {
      text += letter;
      continue;
    }
    const auto byte = static_cast<unsigned char>(letter);
    text += '%';
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

Result<std::vector<delta::AddFile>> to_add_files(
    const std::vector<engine::WrittenFile>& files, const delta::Metadata& metadata,
    const delta::ClusteringColumns& clustering, Instant modified) {
  std::vector<delta::AddFile> added;
  for (const engine::WrittenFile& file : files) {
    if (file.row_count == 0) continue;
    LAKEMILL_TRY_OK(check_nulls(file, metadata.schema));
    delta::AddFile add;
    add.path = encode_path(file.path);
    add.size_bytes = file.size_bytes;
    add.modification_time_ms = to_epoch_ms(modified);
    for (const std::string& name : metadata.partition_columns) {
      const data::Field* field = metadata.schema.find(name);
      const auto value = file.partition_values.find(name);
      if (field == nullptr || value == file.partition_values.end()) {
        return Error(
            ErrorCode::corrupt,
            "file " + file.path + " has no value of the partition column " + name);
      }
      LAKEMILL_TRY_OK(delta::check_partition_value(name, value->second));
      add.partition_values[physical_name(*field)] =
          delta::partition_text(value->second, field->type);
    }
    std::vector<delta::ColumnStatistics> statistics;
    for (const engine::WrittenColumn& column : file.columns) {
      statistics.push_back(
          {column.path, column.minimum, column.maximum, column.null_count});
    }
    add.stats =
        delta::statistics_json(file.row_count, statistics, metadata, clustering);
    added.push_back(std::move(add));
  }
  return added;
}

}  // namespace lakemill::dml
