#pragma once

#include "lakemill/flow/decision.h"

namespace lakemill::flow {

/// Runs a node until it has caught up: completes what was begun, then batch after
/// batch. `state` is the node's; who runs it again and again keeps it, with what it has
/// read.
NodeReport run_node(const Workspace& workspace, const language::Node& node,
                    FlowState& state, const NodeRunOptions& options);

}  // namespace lakemill::flow
