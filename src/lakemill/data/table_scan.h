#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lakemill/data/value.h"

namespace lakemill::data {

/// Which rows of one Parquet file no longer count, by their position in the file.
///
/// Thread-safety: immutable.
class DeletedRows {
 public:
  virtual ~DeletedRows() = default;
  virtual bool contains(std::uint64_t row) const = 0;
  virtual std::uint64_t count() const = 0;
  /// Writes to `keep[i]` whether row `start + i` still counts, for `count` rows;
  /// returns how many do.
  virtual std::uint64_t fill_kept(std::uint64_t start, std::uint64_t count,
                                  bool* keep) const = 0;
};

/// One Parquet data file of a table, as a scan needs it.
struct DataFile {
  std::string url;   ///< where it is: a local path, or scheme://…
  std::string path;  ///< how the table's log names it (decoded); unique in the scan
  std::int64_t size_bytes = 0;
  std::int64_t modified_ms = 0;
  std::optional<std::int64_t> row_count;   ///< physical rows, deleted ones included
  std::map<std::string, Value> constants;  ///< partition column (logical name) → value
  std::shared_ptr<const DeletedRows> deleted;  ///< null: none
  std::int64_t version = -1;  ///< the table version that added it, where that is known
};

/// One comparison that rows must satisfy: `column op value`. For file skipping only:
/// the scan that asks still filters its rows.
struct Comparison {
  enum class Op : std::uint8_t { eq, lt, le, gt, ge, is_null, is_not_null, in };
  std::string column;  ///< logical name; a nested one as "a.b"
  Op op = Op::eq;
  std::vector<Value> values;  ///< one for a comparison, any number for `in`, else none
};

/// A set of Parquet files that together are a relation: a table at a version, or the
/// files that a range of versions added.
///
/// Thread-safety: immutable; concurrent calls are allowed.
class TableScan {
 public:
  virtual ~TableScan() = default;

  /// Logical columns, partition columns included. A field's metadata holds
  /// `delta.columnMapping.id` and `delta.columnMapping.physicalName` where columns are
  /// mapped.
  virtual const Schema& schema() const = 0;

  /// How Parquet columns are found: "none" (by name), "name" (by physicalName), "id"
  /// (by field id).
  virtual const std::string& column_mapping_mode() const = 0;

  /// Every file, in a stable order.
  virtual const std::vector<DataFile>& files() const = 0;

  /// The indexes in files() that may hold a row satisfying all of `conjuncts`,
  /// ascending. Leaves a file out only if statistics or partition values prove that
  /// none does.
  virtual std::vector<std::size_t> may_match(
      const std::vector<Comparison>& conjuncts) const = 0;

  /// The table's root and version, for engines that read tables by themselves, and for
  /// messages.
  virtual const std::string& table_url() const = 0;
  virtual std::int64_t version() const = 0;
};

}  // namespace lakemill::data
