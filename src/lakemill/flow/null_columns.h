#pragma once

#include <string>

#include "lakemill/engine/engine.h"
#include "lakemill/flow/workspace.h"

namespace lakemill::flow {

/// `relation` with columns that are nothing but NULL (`NULL AS v`), which an engine
/// takes for integers, in the types that the sink's table has for them; `relation`
/// itself where there is no such column or no table. Errors: those of the table.
Result<std::string> with_types_of_nulls(engine::Session& session,
                                        const Workspace& workspace,
                                        const language::Node& node,
                                        const language::Sink& sink,
                                        const std::string& relation);

}  // namespace lakemill::flow
