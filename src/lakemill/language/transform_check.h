#pragma once

#include "lakemill/language/diagnostic.h"
#include "lakemill/language/model.h"

namespace lakemill::language {

/// Checks the dataframe methods and expressions of a node as far as they can be without
/// knowing any column: syntax, functions, arguments. `path` is that of the node:
/// "nodes[2]".
void check_transforms(const Node& node, const std::string& path,
                      Diagnostics& diagnostics);

}  // namespace lakemill::language
