#pragma once

#include "lakemill/base/json.h"
#include "lakemill/base/result.h"
#include "lakemill/language/model.h"

namespace lakemill::language {

/// A node from Node::definition, as a plan keeps it. Locations are unknown.
/// Errors: corrupt (what is there is no node's definition).
Result<Node> node_from_definition(const Json& definition);

}  // namespace lakemill::language
