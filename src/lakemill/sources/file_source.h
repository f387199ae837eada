#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lakemill/sources/arrival_log.h"
#include "lakemill/sources/source.h"
#include "lakemill/storage/object_store.h"

namespace lakemill::sources {

struct FileSourceSpec {
  std::string url;                 ///< a file, a folder or a pattern; absolute
  engine::FilesRelation relation;  ///< format and options; its files are filled in here
  bool incremental = false;
  std::vector<std::string> roots = {};  ///< that links must not lead out of
  bool changed_are_new = false;         ///< on_change: READ
  /// Of a node that writes a file per batch: files that are gone were replaced, so a
  /// flow that begins reads those that are there, and one that went on must fail.
  bool of_node = false;
  /// Whether a file is of the source, by its path below a folder; none: all are.
  std::function<bool(std::string_view)> is_own = {};
  std::int64_t files_max = 0;  ///< per batch; 0: no bound
  std::int64_t bytes_max = 0;  ///< per batch; a single larger file is still read whole
  std::int64_t rows_max = 0;   ///< likewise; needs count_rows
  std::function<Result<std::int64_t>(const engine::FilesRelation&)> count_rows = {};
};

/// Files of a folder. Incremental: by their number in `arrivals`. Else: all that are
/// there, pinned by path, size, time and etag; `arrivals` may be null.
std::unique_ptr<Source> make_file_source(FileSourceSpec spec,
                                         storage::StoreProvider& stores,
                                         std::shared_ptr<ArrivalLog> arrivals);

}  // namespace lakemill::sources
