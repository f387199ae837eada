#pragma once

#include <string>
#include <vector>

#include "lakemill/app/workbench.h"
#include "lakemill/language/diagnostic.h"
#include "lakemill/language/model.h"
#include "lakemill/orchestrator/orders.h"

namespace lakemill::app {

/// What the orchestrator does for a pipeline.
struct ServedOrders {
  orchestrator::PipelineOrders orders;
  /// Triggers that are left out, and why: a zone that is none here, a kind of trigger
  /// that is not served yet.
  std::vector<language::Diagnostic> faults;
};

/// Section 8 of a pipeline file as orders. A pipeline without triggers has orders too:
/// it runs when it is asked to.
ServedOrders orders_of(Workbench& workbench, const language::Pipeline& pipeline);

/// "0 6 * * * (Europe/Berlin)", "every 5m", "after orders": for people.
std::string trigger_text(const language::Trigger& trigger);
/// "cron", "every", "after": the key in the file.
std::string trigger_kind(const language::Trigger& trigger);

}  // namespace lakemill::app
