#pragma once

#include <optional>
#include <set>
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
  /// It must be completed as planned: a sink holds it, or its rows are those that a
  /// replay from the middle goes on from.
  bool begun_is_held = false;
  std::set<std::string> holding;  ///< URLs of the sinks that hold batch `done`
  std::string lost_sink;  ///< URL of one, not the target, that lacks earlier batches
  bool target_lost =
      false;  ///< batches were planned and committed, but the target is gone
  /// The first sink is another table, or file, than it was: it is made anew, all of it.
  bool target_moved = false;
};

/// Reads the transactions of the sinks that `node` has now, and the plans of the flow.
/// Errors: invalid (another flow's table); corrupt (a plan at or below what a table
/// holds, or its definition, is missing or altered and cannot be repaired from the
/// table's log).
Result<FlowPosition> find_position(const Workspace& workspace,
                                   const language::Node& node, FlowState& state);

/// The same where `generation` is the newest one: later ones of which no sink holds
/// anything are not looked at.
Result<FlowPosition> find_position_in(const Workspace& workspace,
                                      const language::Node& node, FlowState& state,
                                      std::int64_t generation);

/// Takes `plan` back, unless a sink of `node` holds it, or that cannot be told. Best
/// effort: a plan that stays is carried out, or taken back, by the next run.
void withdraw_unless_held(const Workspace& workspace, const language::Node& node,
                          FlowState& state, const BatchPlan& plan);

/// The facts of a batch that a commit carries (batch_identity, commit_details): a
/// member of commitInfo, or the note of an engine that commits by itself. Nothing if it
/// carries none.
std::optional<Json> noted_batch(const Json& commit_info);

/// True if a sink holds that batch by another plan than `plan` (by its newest commit of
/// it, or what was claimed for files): another runner planned it otherwise, and was
/// first.
Result<bool> holds_other_plan(const Workspace& workspace, FlowState& state,
                              const NodeSink& sink, const std::string& app_id,
                              const BatchPlan& plan);

/// `run --adopt`: makes what the node's sinks hold of the flow of `adopted_node` count
/// as the node's own, and takes over what that flow knew: plans, definitions, arrivals,
/// the state of merges. `sinks` are the node's, opened to adopt. Does nothing where no
/// sink holds a batch of that flow only; may be repeated after a crash. True if it took
/// something over. Errors: those of the stores; unavailable (the other flow still
/// writes).
Result<bool> take_over(const Workspace& workspace, const language::Node& node,
                       const std::string& adopted_node, const std::string& run_id,
                       std::vector<NodeSink>& sinks);

/// What commits of a batch carry. `run_id` is the run's that commits.
sinks::Batch batch_identity(const Workspace& workspace, const language::Node& node,
                            const BatchPlan& plan, const std::string& run_id);

/// The facts of a batch that its commits carry besides flow, generation and number: the
/// plan's hash, and the plan itself unless it is very long, from which a lost plan is
/// repaired.
Json commit_details(const BatchPlan& plan);

}  // namespace lakemill::flow
