#pragma once

#include <string>

#include "lakemill/flow/workspace.h"

namespace lakemill::flow {

/// Where a sink with `schema_evolution: RESCUE` keeps what its table has no place for:
/// {column: text, …} as JSON, null where all fits.
inline constexpr std::string_view kRescuedColumn = "_rescued";

/// True for a column that Lakemill itself adds to the rows of the node.
bool is_added(const language::Node& node, const std::string& column);

/// True for columns that a merge needs and its target need not have.
bool is_of_the_change(const language::Node& node, const language::Sink& sink,
                      const std::string& name);

/// True if what does not fit the sink's table is kept in kRescuedColumn: where that is
/// written, and for whole payloads of BRONZE.
bool rescues_misfits(const language::Node& node, const language::Sink& sink);

/// `relation` held to the columns and types of the table of `sink`, one of the node's,
/// if that rescues what does not fit: the name of a view in `session` that has
/// kRescuedColumn; else `relation` itself. A table that is yet to come, or begun anew
/// by `plan`, takes the columns as they are. Errors: those of the table and the
/// session.
Result<std::string> rescue_misfits(engine::Session& session, const Workspace& workspace,
                                   const language::Node& node,
                                   const language::Sink& sink, const BatchPlan& plan,
                                   const std::string& relation);

}  // namespace lakemill::flow
