#pragma once

#include <cstdint>

#include "lakemill/app/run_mark.h"
#include "lakemill/app/workbench.h"

namespace lakemill::app {

/// Tells of the commits that flows of the pipeline made and no event tells of, because
/// their process died first: one `table_committed` each, with `rebuilt` in its details
/// and the time of the commit. What runs that are alive have yet to tell is left to
/// them. Looks at the newest thousand commits of each table. Each such event has a
/// writer and a file that its commit names, so whoever makes it, and however often, it
/// is there once. Gives how many were missing. Errors: those of the tables and the log.
Result<std::int64_t> rebuild_events(Workbench& workbench,
                                    const flow::Workspace& workspace,
                                    const MarkedRuns& runs);

/// The same for all pipelines of the workbench: `lakemill events rebuild`.
Result<std::int64_t> rebuild_events(Workbench& workbench);

/// At the start of a run: the same if a run before it died; then its marks are removed.
/// Errors are told, and leave it to the next run.
void make_events_good(Workbench& workbench, const flow::Workspace& workspace);

}  // namespace lakemill::app
