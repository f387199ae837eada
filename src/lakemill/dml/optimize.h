#pragma once

#include <cstdint>

#include "lakemill/dml/file_bins.h"
#include "lakemill/dml/table_change.h"

namespace lakemill::dml {

struct OptimizeRequest {
  /// 0: `delta.targetFileSize`, else the layout's.
  std::int64_t target_file_bytes = 0;
  BinRules bins;  ///< their target is the one above
};

struct OptimizeResult {
  delta::Version version = -1;  ///< of the last commit; -1: there was nothing to do
  std::int64_t files_removed = 0;
  std::int64_t files_added = 0;
  std::int64_t bytes_removed = 0;
  std::int64_t bytes_added = 0;
  std::int64_t bins_lost = 0;  ///< left alone: another writer changed their files
};

/// Writes small files of a partition, and those with many deleted rows, together as
/// fewer and larger ones. The rows stay what they are (dataChange false): readers of
/// changes pass over it. In a clustered table files are ordered by the clustering
/// columns (clustered_files.h); large ones too, unless `request.bins.tiered`. Appends
/// that come between do not disturb it; bins whose files another writer changed are
/// given up, and what was written for them is removed.
///
/// `context.app_id` is not used. Errors: unsupported (a writer feature), corrupt (a
/// file gave another number of rows than the log says), those of the engine and the
/// store; unavailable (the commit is undecided).
Result<OptimizeResult> optimize(const ChangeContext& context,
                                const OptimizeRequest& request);

}  // namespace lakemill::dml
