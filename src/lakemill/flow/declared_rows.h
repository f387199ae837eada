#pragma once

#include <optional>
#include <string>

#include "lakemill/flow/workspace.h"

namespace lakemill::flow {

/// The schema that a Delta sink declares, or nothing. Errors: invalid, with the place.
Result<std::optional<data::Schema>> declared_schema(const language::Node& node,
                                                    const language::Sink& sink);

/// `relation` held to the schema that `sink`, one of the node's, declares: the name of
/// a view in `session` with the declared columns in their order, cast; else `relation`
/// itself. A column that the rows lack is null. Reading a value that does not fit fails
/// with the sink's place, the column, the value and both types.
/// Errors: invalid, with the place: a column that may not be null is missing; one that
/// is not declared, unless `schema_evolution` says what becomes of it.
Result<std::string> hold_to_declared(engine::Session& session,
                                     const language::Node& node,
                                     const language::Sink& sink,
                                     const std::string& relation);

}  // namespace lakemill::flow
