#pragma once

#include <optional>
#include <vector>

#include "lakemill/flow/node_sinks.h"

namespace lakemill::flow {

/// Where a flow stands, told by what its sinks hold.
struct FlowPosition {
  std::int64_t generation = 0;
  std::int64_t done = 0;          ///< the last batch that every sink holds; 0: none
  std::optional<BatchPlan> last;  ///< its plan
  /// The plan of batch done + 1, if it was made: some sinks may hold it already.
  std::optional<BatchPlan> begun;
  bool begun_is_held = false;  ///< a sink holds it: it must be completed as planned
  bool target_lost =
      false;  ///< batches were planned and committed, but the target is gone
};

/// Whose batches count: the flow's own, and where a sink holds none of those, the
/// batches of the flow that it takes over.
struct FlowNames {
  std::string app_id;
  std::string adopt_app_id;  ///< `run --adopt`, or empty
};

/// Reads the transactions of the sinks and the plans of the flow. `sinks` are those of
/// `node` as it is now, opened for the newest generation.
/// Errors: invalid (another flow's table); corrupt (a plan at or below what a table
/// holds, or its definition, is missing or altered and cannot be repaired from the
/// table's log).
Result<FlowPosition> find_position(const Workspace& workspace,
                                   const language::Node& node, FlowState& state,
                                   const FlowNames& names,
                                   std::vector<NodeSink>& sinks);

/// True if the newest commit of that batch in a Delta sink was made by another plan
/// than `plan`: another runner planned it otherwise, and was first.
Result<bool> holds_other_plan(const Workspace& workspace, const NodeSink& sink,
                              const FlowNames& names, const BatchPlan& plan);

/// Takes over what the adopted flow knew of its files, and the definitions that its
/// plans name. Does nothing twice. Errors: those of the store.
Status adopt_history(FlowState& state, FlowState& adopted);

/// The facts of a batch that its commits carry besides flow, generation and number: the
/// plan's hash, and the plan itself unless it is very long, from which a lost plan is
/// repaired.
Json commit_details(const BatchPlan& plan);

}  // namespace lakemill::flow
