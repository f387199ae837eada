#pragma once

#include "lakemill/flow/workspace.h"

namespace lakemill::flow {

/// The folder below <generation>/change_state/ where a merge remembers its changes:
/// `known` of a plan, else the sink's place among those of `node`.
std::string change_state_folder(const Workspace& workspace, const language::Node& node,
                                const language::Sink& sink, const Place& place,
                                const ChangeStates& known);

/// BatchPlan::change_states of the batch of `node` behind `last` (null: the first one
/// of a generation): a merge goes on with the state of its target, wherever its sink
/// stands now, and one that is new gets a state of its own. Errors: those of places.
Result<ChangeStates> change_states_behind(const Workspace& workspace,
                                          const language::Node& node, FlowState& state,
                                          const BatchPlan* last);

}  // namespace lakemill::flow
