#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/base/result.h"
#include "lakemill/data/table_scan.h"
#include "lakemill/data/type.h"
#include "lakemill/data/value.h"

namespace lakemill::events {

/// A data file that was written.
struct EventFile {
  std::string path;  ///< relative to the folder
  std::int64_t size_bytes = 0;
  std::int64_t row_count = 0;
};

/// What this module asks of an engine: it does no Parquet of its own.
///
/// Thread-safety: implementations allow concurrent calls.
class EventFiles {
 public:
  virtual ~EventFiles() = default;

  /// Writes `rows` (JSON objects, one a line; a missing key or null is null, a
  /// timestamp is "2026-01-31T23:59:59.123456Z") as one Parquet file `file_name` in the
  /// folder at `folder_url`, with exactly the columns of `schema`; durable, complete or
  /// not at all, replacing a file of that name. Errors: denied, unavailable.
  virtual Result<EventFile> write(std::string_view folder_url,
                                  std::string_view file_name,
                                  const data::Schema& schema,
                                  std::string_view rows) = 0;
};

/// The events of one group commit: those of a writer from `first` to `last`.
struct AddedGroup {
  std::int64_t version = 0;  ///< that brought them
  std::string writer;
  std::int64_t first = 0;
  std::int64_t last = 0;
};

/// What some versions of a log brought.
struct AddedEvents {
  /// Their files, with a column `_commit_version`; or, where some of those files were
  /// written together with others since, all of the log without that column.
  std::shared_ptr<const data::TableScan> scan;
  std::vector<AddedGroup> groups;  ///< which events of the scan are meant; empty: all
};

/// What the feed asks of an engine.
///
/// Thread-safety: implementations allow concurrent calls.
class EventRows {
 public:
  virtual ~EventRows() = default;

  /// The first `rows_max` of `added` by select_in_feed_order(). Errors: those of the
  /// files.
  virtual Result<data::Rows> read(const AddedEvents& added, std::int64_t rows_max) = 0;
};

}  // namespace lakemill::events
