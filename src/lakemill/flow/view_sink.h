#pragma once

#include <optional>
#include <string>

#include "lakemill/flow/workspace.h"

namespace lakemill::flow {

/// Keeps the SQL of a node whose sink is a catalog view (`table_type: VIEW`), over the
/// tables that it reads; gives the view's name, or nothing for a node without such a
/// sink. Errors: invalid (the node reads raw files, which a view cannot), those of the
/// steps.
Result<std::optional<std::string>> write_view_sink(const Workspace& workspace,
                                                   const language::Node& node,
                                                   FlowState& state);

}  // namespace lakemill::flow
