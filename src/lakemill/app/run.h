#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "lakemill/app/run_events.h"
#include "lakemill/app/run_mark.h"
#include "lakemill/app/workbench.h"
#include "lakemill/flow/node_test.h"
#include "lakemill/flow/pipeline_runner.h"

namespace lakemill::app {

struct RunRequest {
  std::vector<std::string> selectors;
  bool full_refresh = false;
  bool continuous = false;  ///< goes on until `stop` is requested
  std::string adopt;        ///< name of the node whose flow is taken over
  std::string run_id;       ///< empty: a new one
  RunOrigin origin;
  std::vector<std::string> without;  ///< nodes that are left out of what is selected
  std::stop_token stop;
  /// Takes the mark of a run that has ended, to remove it once all its events are
  /// written. Empty: run() waits for them and removes it.
  std::function<void(std::unique_ptr<RunMark>)> settle;
};

struct PipelineRun {
  std::string pipeline;
  std::string run_id;
  flow::RunReport report;
};

/// Runs a pipeline until it has caught up, or continuously, and tells the event log.
/// `display` hears of each node. Errors: invalid (a selector, a circle), those of the
/// store.
Result<PipelineRun> run(Workbench& workbench, const language::Pipeline& pipeline,
                        const RunRequest& request, flow::RunObserver& display);

/// What one node would do.
struct PlannedNode {
  std::string node;
  std::string layer;
  std::vector<std::string> upstream;
  std::string target;
  flow::Strategy strategy = flow::Strategy::skip;
  flow::StrategyReason reason = flow::StrategyReason::nothing_new;
  std::string detail;
  std::vector<std::string>
      changes;  ///< "3 new files of orders", "table x: version 4 → 5"
  data::Schema schema;
  /// The node whose first run must come before; what is done is decided after it.
  /// Empty: none.
  std::string waits_for;
  std::optional<Error> error;  ///< why it cannot be planned
};

/// What run() would do, node by node in its order; writes nothing.
Result<std::vector<PlannedNode>> plan(Workbench& workbench,
                                      const language::Pipeline& pipeline,
                                      const RunRequest& request);

/// The first rows of a node, computed from what its sources hold now; writes nothing.
Result<data::Rows> preview(Workbench& workbench, const language::Pipeline& pipeline,
                           const std::string& node, std::int64_t rows_max);

/// Runs the tests of a pipeline; with `names`, only those.
Result<std::vector<flow::TestResult>> run_tests(Workbench& workbench,
                                                const language::Pipeline& pipeline,
                                                const std::vector<std::string>& names);

/// The graph as a Mermaid flowchart, a subgraph for each layer.
std::string mermaid(const language::Pipeline& pipeline);

}  // namespace lakemill::app
