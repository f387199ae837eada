#pragma once

#include "lakemill/flow/batch_runner.h"
#include "lakemill/flow/flow_position.h"

namespace lakemill::flow {

struct NodeRunOptions {
  std::string run_id;
  bool full_refresh = false;
  std::string adopt_node;  ///< of which node's flow the tables are taken over, or empty
  /// A batch that some sinks hold ends the deciding: what comes after it is not looked
  /// at. Set by run_node().
  bool stops_at_begun = false;
  /// After so many batches the node gives way to others; more may be left. 0: no bound.
  std::int64_t batches_max = 0;
  std::stop_token stop;
  ProgressCallback on_progress;
  PlanCallback on_plan;
  CommitCallback on_commit;
};

/// What the next batch of a node will be, and why.
struct Decision {
  Strategy strategy = Strategy::skip;
  StrategyReason reason = StrategyReason::nothing_new;
  std::string detail;  ///< "aggregate", "join"; empty where the reason says all
  BatchPlan plan;      ///< not yet written; of a skip: empty slices
  std::unique_ptr<NodeQuery> query;
  FlowPosition position;
  bool starts_over = false;
  data::Schema schema;  ///< of the node's rows
  /// A session in which `plan` is bound already, where that took place.
  std::optional<BoundRows> bound;
};

/// Decides without writing anything but arrivals. `expected` stands in for upstream
/// nodes that have not run (for `lakemill plan`). Errors: invalid (strict, a mode that
/// cannot hold, a target that exists), those of the sources.
Result<Decision> decide(const Workspace& workspace, const language::Node& node,
                        FlowState& state, const NodeRunOptions& options,
                        const ExpectedSchemas& expected);

}  // namespace lakemill::flow
