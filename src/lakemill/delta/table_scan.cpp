#include "lakemill/delta/table_scan.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "lakemill/base/text.h"
#include "lakemill/delta/deletion_vector.h"
#include "lakemill/delta/file_path.h"
#include "lakemill/delta/file_skipping.h"
#include "lakemill/delta/protocol.h"
#include "lakemill/delta/value_text.h"

namespace lakemill::delta {

namespace {

using data::Comparison;
using data::DataFile;
using data::Field;

std::string physical_name(const Field& field, bool mapped) {
  if (!mapped) return field.name;
  return string_member(field.metadata, "delta.columnMapping.physicalName", field.name);
}

bool is_nested(const data::Type& type) { return !type.children.empty(); }

// A field that a logical name may mean.
struct NamedField {
  const Field* field;
  std::vector<std::string> path;  // physical names
};

// "a.b" is a column of that very name as well as field b of struct a: all that it may
// mean. `path`: the physical names above `fields`.
void find_named(const std::vector<Field>& fields, std::string_view name, bool mapped,
                std::vector<std::string>& path, std::vector<NamedField>& found) {
  for (const Field& field : fields) {
    const std::size_t size = field.name.size();
    if (!equals_ignoring_case(name.substr(0, size), field.name)) continue;
    path.push_back(physical_name(field, mapped));
    if (name.size() == size) {
      found.push_back({&field, path});
    } else if (name[size] == '.' && field.type.kind == data::TypeKind::structure) {
      find_named(field.type.children, name.substr(size + 1), mapped, path, found);
    }
    path.pop_back();
  }
}

std::vector<NamedField> find_named(const data::Schema& schema, std::string_view name,
                                   bool mapped) {
  std::vector<std::string> path;
  std::vector<NamedField> found;
  find_named(schema.fields, name, mapped, path, found);
  return found;
}

// Whether files may have been written while the column was still of type float: their
// bounds are then those of floats, which as doubles are 0.1 where the value is
// 0.10000000149.
bool was_float(const Field& field) {
  const Json* changes = find_member(field.metadata, "delta.typeChanges");
  if (changes == nullptr || !changes->is_array()) return false;
  return std::any_of(changes->begin(), changes->end(), [](const Json& change) {
    return string_member(change, "fromType", "") == "float";
  });
}

// The leaf that a logical name means. Nothing if no leaf has that name, or if it may
// mean two: the statistics of the wrong one would skip files that hold rows.
std::optional<StatisticsColumn> find_leaf(const data::Schema& schema,
                                          std::string_view name, bool mapped) {
  std::vector<NamedField> found = find_named(schema, name, mapped);
  if (found.size() != 1 || is_nested(found.front().field->type)) return std::nullopt;
  const Field& field = *found.front().field;
  data::Type type = field.type;
  if (type.kind == data::TypeKind::float64 && was_float(field)) {
    type.kind = data::TypeKind::float32;  // compared as coarsely as the coarsest bound
  }
  return StatisticsColumn{std::move(found.front().path), std::move(type)};
}

/// Bounds are read when a column is first asked for, for all files, and kept by column.
class DeltaScan final : public data::TableScan {
 public:
  DeltaScan(const Metadata& metadata, std::string mode, Version version,
            std::string table_url, std::shared_ptr<const LogicalFiles> logical,
            std::vector<DataFile> files)
      : schema_(metadata.schema),
        mode_(std::move(mode)),
        version_(version),
        table_url_(std::move(table_url)),
        logical_(std::move(logical)),
        files_(std::move(files)) {
    for (const std::string& column : metadata.partition_columns) {
      partition_columns_.push_back(column);
    }
  }

  const data::Schema& schema() const override { return schema_; }
  const std::string& column_mapping_mode() const override { return mode_; }
  const std::vector<DataFile>& files() const override { return files_; }
  const std::string& table_url() const override { return table_url_; }
  std::int64_t version() const override { return version_; }
  std::vector<std::size_t> may_match(
      const std::vector<Comparison>& conjuncts) const override;

 private:
  // The bounds of one column, by index of the file.
  struct Column {
    StatisticsColumn leaf;
    std::vector<ColumnBounds> bounds;
  };
  // A conjunct and what it is held against: one of both, or neither.
  struct Check {
    const Comparison* comparison = nullptr;
    const std::string* partition_column = nullptr;
    std::shared_ptr<const Column> column;
  };

  const std::string* find_partition_column(std::string_view name) const;
  std::vector<Check> resolve(const std::vector<Comparison>& conjuncts) const;
  void load_columns(const std::vector<std::string>& names) const;
  bool file_may_match(std::size_t index, const std::vector<Check>& checks) const;

  data::Schema schema_;
  std::string mode_;
  Version version_;
  std::string table_url_;
  std::shared_ptr<const LogicalFiles> logical_;
  std::vector<DataFile> files_;  // beside logical_, index by index
  std::vector<std::string> partition_columns_;
  mutable std::mutex mutex_;
  // By lower-case name, null for those without statistics; guarded by mutex_.
  mutable std::map<std::string, std::shared_ptr<const Column>> columns_;
};

const std::string* DeltaScan::find_partition_column(std::string_view name) const {
  const auto found = std::find_if(
      partition_columns_.begin(), partition_columns_.end(),
      [&](const std::string& column) { return equals_ignoring_case(column, name); });
  if (found == partition_columns_.end()) return nullptr;
  const bool is_unique = find_named(schema_, name, mode_ != "none").size() == 1;
  return is_unique ? &*found : nullptr;
}

// Reads the columns that are not known yet, in one pass over all statistics. Under
// mutex_.
void DeltaScan::load_columns(const std::vector<std::string>& names) const {
  std::vector<std::shared_ptr<Column>> wanted;
  std::vector<StatisticsColumn> leaves;
  for (const std::string& name : names) {
    if (columns_.contains(name)) continue;
    std::optional<StatisticsColumn> leaf = find_leaf(schema_, name, mode_ != "none");
    std::shared_ptr<Column> column;
    if (leaf) {
      column = std::make_shared<Column>(Column{std::move(*leaf), {}});
      column->bounds.resize(files_.size());
      leaves.push_back(column->leaf);
      wanted.push_back(column);
    }
    columns_.emplace(name, std::move(column));
  }
  if (wanted.empty()) return;
  const BoundsReader reader(std::move(leaves));
  for (std::size_t i = 0; i < files_.size(); ++i) {
    const std::string& statistics = (*logical_)[i]->add.stats;
    if (statistics.empty()) continue;
    std::vector<ColumnBounds> bounds = reader.read(statistics);
    for (std::size_t k = 0; k < wanted.size(); ++k) {
      wanted[k]->bounds[i] = std::move(bounds[k]);
    }
  }
}

std::vector<DeltaScan::Check> DeltaScan::resolve(
    const std::vector<Comparison>& conjuncts) const {
  std::vector<Check> checks;
  std::vector<std::string> names;
  for (const Comparison& comparison : conjuncts) {
    const std::string* partition = find_partition_column(comparison.column);
    checks.push_back({&comparison, partition, nullptr});
    if (partition == nullptr) names.push_back(to_lower(comparison.column));
  }
  const std::lock_guard lock(mutex_);
  load_columns(names);
  for (Check& check : checks) {
    if (check.partition_column != nullptr) continue;
    check.column = columns_.at(to_lower(check.comparison->column));
  }
  return checks;
}

bool DeltaScan::file_may_match(std::size_t index,
                               const std::vector<Check>& checks) const {
  const DataFile& file = files_[index];
  for (const Check& check : checks) {
    if (check.partition_column != nullptr) {
      const auto constant = file.constants.find(*check.partition_column);
      if (constant != file.constants.end() &&
          !constant_may_match(*check.comparison, constant->second)) {
        return false;
      }
    } else if (check.column) {
      // A field of a struct is also null where the struct is, which writers count in
      // different ways.
      const bool nested = check.column->leaf.path.size() > 1;
      if (nested && check.comparison->op == Comparison::Op::is_null) continue;
      if (!bounds_may_match(*check.comparison, check.column->bounds[index],
                            check.column->leaf.type.kind, file.row_count)) {
        return false;
      }
    }
  }
  return true;
}

std::vector<std::size_t> DeltaScan::may_match(
    const std::vector<Comparison>& conjuncts) const {
  const std::vector<Check> checks = resolve(conjuncts);
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (file_may_match(i, checks)) kept.push_back(i);
  }
  return kept;
}

struct PartitionColumn {
  std::string name;
  std::string physical;
  data::Type type;
};

Result<std::vector<PartitionColumn>> partition_columns(const Metadata& metadata,
                                                       bool mapped) {
  std::vector<PartitionColumn> columns;
  for (const std::string& name : metadata.partition_columns) {
    const Field* field = metadata.schema.find(name);
    if (field == nullptr) {
      return Error(ErrorCode::corrupt,
                   "the partition column " + name + " is not in the schema");
    }
    columns.push_back({field->name, physical_name(*field, mapped), field->type});
  }
  return columns;
}

Result<data::Value> partition_value(const AddFile& add, const PartitionColumn& column) {
  auto found = add.partition_values.find(column.physical);
  if (found == add.partition_values.end())
    found = add.partition_values.find(column.name);
  if (found == add.partition_values.end() || !found->second) return data::Value();
  Result<data::Value> value = value_from_text(*found->second, column.type);
  if (value) return value;
  return std::move(value).error().while_doing(
      "file " + add.path + ": the value of partition column " + column.name);
}

Result<std::shared_ptr<const data::DeletedRows>> deleted_rows(
    storage::ObjectStore& store, const LogicalFile& file) {
  const std::lock_guard lock(file.deleted_mutex);
  if (!file.deleted) {
    auto loaded = load_deletion_vector(store, *file.add.deletion_vector);
    if (!loaded) {
      return std::move(loaded).error().while_doing("the deletion vector of file " +
                                                   file.add.path);
    }
    file.deleted = std::move(loaded).value();
  }
  return file.deleted;
}

// Loads the deletion vectors that are not here yet, several at a time where the store
// is far. What fails is told when the file is made.
void load_deleted_rows_ahead(storage::ObjectStore& store, const LogicalFiles& files) {
  std::vector<const LogicalFile*> wanted;
  for (const auto& file : files) {
    if (!file->add.deletion_vector) continue;
    const std::lock_guard lock(file->deleted_mutex);
    if (!file->deleted) wanted.push_back(file.get());
  }
  const auto threads =
      std::min(static_cast<std::size_t>(store.parallel_reads()), wanted.size());
  if (threads <= 1) return;
  std::atomic<std::size_t> next = 0;
  std::vector<std::jthread> readers;
  for (std::size_t i = 0; i < threads; ++i) {
    readers.emplace_back([&] {
      for (std::size_t at = next++; at < wanted.size(); at = next++) {
        (void)deleted_rows(store, *wanted[at]);  // kept, or told later
      }
    });
  }
}

Result<DataFile> make_data_file(storage::ObjectStore& store, const LogicalFile& file,
                                const std::vector<PartitionColumn>& columns) {
  DataFile data_file;
  data_file.url = file_url(store.url(), file.path);
  data_file.path = file.path;
  data_file.size_bytes = file.add.size_bytes;
  data_file.modified_ms = file.add.modification_time_ms;
  data_file.row_count = record_count(file.add.stats);
  data_file.version = file.version;
  for (const PartitionColumn& column : columns) {
    LAKEMILL_TRY(data_file.constants[column.name], partition_value(file.add, column));
  }
  if (file.add.deletion_vector) {
    LAKEMILL_TRY(data_file.deleted, deleted_rows(store, file));
  }
  return data_file;
}

Result<std::string> mapping_mode(const Protocol& protocol, const Metadata& metadata) {
  std::string mode = column_mapping_mode(protocol, metadata);
  if (mode == "none" || mode == "name" || mode == "id") return mode;
  return Error(ErrorCode::unsupported, "unknown delta.columnMapping.mode: " + mode);
}

}  // namespace

Result<std::shared_ptr<const data::TableScan>> make_table_scan(
    std::shared_ptr<storage::ObjectStore> store, const Protocol& protocol,
    const Metadata& metadata, Version version,
    std::shared_ptr<const LogicalFiles> files) {
  LAKEMILL_TRY_OK(check_readable(protocol));
  LAKEMILL_TRY(std::string mode, mapping_mode(protocol, metadata));
  LAKEMILL_TRY(const auto columns, partition_columns(metadata, mode != "none"));
  std::vector<DataFile> data_files;
  data_files.reserve(files->size());
  load_deleted_rows_ahead(*store, *files);
  for (const auto& file : *files) {
    LAKEMILL_TRY(DataFile data_file, make_data_file(*store, *file, columns));
    data_files.push_back(std::move(data_file));
  }
  return std::shared_ptr<const data::TableScan>(
      std::make_shared<DeltaScan>(metadata, std::move(mode), version, store->url(),
                                  std::move(files), std::move(data_files)));
}

}  // namespace lakemill::delta
