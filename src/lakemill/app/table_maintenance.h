#pragma once

#include <optional>
#include <string>

#include "lakemill/app/workbench.h"
#include "lakemill/delta/restore.h"
#include "lakemill/delta/vacuum.h"
#include "lakemill/dml/optimize.h"

namespace lakemill::app {

// The upkeep of a table, named by its path (against the working folder) or its catalog
// name. Errors of all: not_found, corrupt, unsupported, unavailable.

/// Writes small files together; `target_file_bytes` 0: as the table says.
Result<dml::OptimizeResult> table_optimize(Workbench& workbench,
                                           const std::string& table,
                                           std::int64_t target_file_bytes);

/// Removes files that no version of the retention names.
Result<delta::VacuumResult> table_vacuum(Workbench& workbench, const std::string& table,
                                         const delta::VacuumRequest& request);

/// Makes a table what it was.
Result<delta::RestoreResult> table_restore(Workbench& workbench,
                                           const std::string& table,
                                           const delta::RestoreRequest& request);

struct ChangesRequest {
  std::string table;
  std::int64_t from = 0;
  std::optional<std::int64_t> to;  ///< nothing: the newest
  std::int64_t rows_max = 10'000;
};
/// The rows that versions `from`..`to` changed, in the order of versions: the table's
/// columns, `_change_type`, `_commit_version`, `_commit_timestamp`.
Result<data::Rows> table_changes(Workbench& workbench, const ChangesRequest& request);

}  // namespace lakemill::app
