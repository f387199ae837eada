#pragma once

#include "lakemill/dml/optimize.h"

namespace lakemill::dml {

/// When a table that grows by many small commits is put in order.
struct MaintenancePolicy {
  std::size_t small_files_max = 64;  ///< more are written together
  /// A file of which more is deleted is written anew.
  double deleted_share_max = 0.3;
  std::int64_t deleted_bytes_min = 4 << 20;  ///< but not for less than these
};

/// To be called by whoever commits, between its commits: writes the small files of the
/// table together once they are many, then a checkpoint when one is due, and removes
/// entries of the log that have expired. A table that stays small costs nothing; a row
/// is written anew about as often as the table doubles.
///
/// The batches that were committed stand whatever comes of it: an error is for the log,
/// the next call tries again. Errors: those of optimize().
Result<OptimizeResult> maintain(const ChangeContext& context,
                                const MaintenancePolicy& policy);

}  // namespace lakemill::dml
