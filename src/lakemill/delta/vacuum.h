#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lakemill/base/clock.h"
#include "lakemill/base/random.h"
#include "lakemill/delta/snapshot.h"

namespace lakemill::delta {

struct VacuumRequest {
  /// How long what older versions name is kept; nothing: as the table says
  /// (`delta.deletedFileRetentionDuration`).
  std::optional<std::int64_t> retain_ms;
  bool force = false;    ///< `retain_ms` may be shorter than the table says
  bool dry_run = false;  ///< only say what would go
};

struct VacuumResult {
  std::vector<std::string> paths;  ///< that went, relative to the root, sorted
  std::int64_t size_bytes = 0;
  std::int64_t folders = 0;  ///< that were looked at
};

/// Removes files below a table's root that no version of the retention names: data
/// files, deletion vectors, change files, and what no commit ever named. A file younger
/// than the retention stays whatever it is: a commit under way may name it. Folders and
/// files that begin with '_' or '.' stay, except change files and partitions; so do
/// tables that lie below this one.
///
/// Commits VACUUM START and VACUUM END as Delta for Spark does. May stop anywhere and
/// be begun again. Errors: invalid (a retention shorter than the table's, without
/// force), unsupported (a writer feature; a path in the log of which it cannot be told
/// whether it lies in the table's folder: nothing is removed then), those of the store.
Result<VacuumResult> vacuum(Table& table, const VacuumRequest& request, Clock& clock,
                            Random& random);

}  // namespace lakemill::delta
