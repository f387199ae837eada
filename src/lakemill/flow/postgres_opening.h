#pragma once

#include <memory>
#include <string>

#include "lakemill/flow/flow_state.h"
#include "lakemill/flow/workspace.h"
#include "lakemill/sources/source.h"

namespace lakemill::flow {

/// Opens a POSTGRES source of `node`; `id` names it there. Errors: invalid (a
/// connection that the project lacks, a node that cannot read changes), those of
/// opening.
Result<std::unique_ptr<sources::Source>> open_postgres(const Workspace& workspace,
                                                       const language::Node& node,
                                                       const language::Source& source,
                                                       FlowState& state,
                                                       const std::string& id);

}  // namespace lakemill::flow
