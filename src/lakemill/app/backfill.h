#pragma once

#include <stop_token>
#include <string>

#include "lakemill/app/run.h"
#include "lakemill/flow/backfill.h"

namespace lakemill::app {

struct BackfillRequest {
  std::string node;  ///< empty: see flow::backfilled_nodes()
  flow::BackfillRange range;
  std::stop_token stop;
};

/// Derives a range of a node's rows again, then brings what is behind it up to date:
/// nodes that read it as a stream begin anew, others run. Errors: invalid, not_found,
/// those of the store.
Result<PipelineRun> backfill(Workbench& workbench, const language::Pipeline& pipeline,
                             const BackfillRequest& request,
                             flow::RunObserver& display);

}  // namespace lakemill::app
