#pragma once

#include <cstdint>

#include "lakemill/app/workbench.h"
#include "lakemill/dml/optimize.h"

namespace lakemill::app {

/// Writes the small files of the event log together as larger ones, if there are at
/// least `files_min` of them; an event is written anew about as often as the log
/// doubles. Who tells or follows events meanwhile is not disturbed, and the order of
/// events stays. The small files stay for who reads an older version, until the table
/// is vacuumed. Errors: those of dml::optimize().
Result<dml::OptimizeResult> compact_events(Workbench& workbench, std::size_t files_min);

}  // namespace lakemill::app
