#pragma once

#include <string>
#include <vector>

#include "lakemill/base/json.h"
#include "lakemill/base/result.h"
#include "lakemill/language/model.h"

namespace lakemill::language {

/// Adds to each node's definition, as `views`, those of the views that it reads, itself
/// or by way of other views: what its rows are made by.
void add_view_definitions(Pipeline& pipeline);

/// A connection's uri, or libpq's keywords, with `***` for a password that stands in
/// it:
/// `${secret.NAME}` is none and stays.
std::string without_password(const std::string& uri);

/// Leaves the passwords of connections that are written in place out of a definition.
void hide_passwords(Json& definition);

/// Gives sources of a node that was made of a definition the passwords back that
/// sources of the pipeline have for the same places.
void restore_passwords(Node& node, const Pipeline& pipeline);

/// A node from Node::definition, as a plan keeps it. Locations are unknown.
/// Errors: corrupt (what is there is no node's definition).
Result<Node> node_from_definition(const Json& definition);

/// The views that a definition holds. Errors: likewise.
Result<std::vector<Node>> views_from_definition(const Json& definition);

}  // namespace lakemill::language
