#pragma once

#include <vector>

#include "lakemill/base/json.h"
#include "lakemill/base/result.h"
#include "lakemill/language/model.h"

namespace lakemill::language {

/// Adds to each node's definition, as `views`, those of the views that it reads, itself
/// or by way of other views: what its rows are made by.
void add_view_definitions(Pipeline& pipeline);

/// A node from Node::definition, as a plan keeps it. Locations are unknown.
/// Errors: corrupt (what is there is no node's definition).
Result<Node> node_from_definition(const Json& definition);

/// The views that a definition holds. Errors: likewise.
Result<std::vector<Node>> views_from_definition(const Json& definition);

}  // namespace lakemill::language
