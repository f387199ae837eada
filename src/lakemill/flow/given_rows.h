#pragma once

#include <map>
#include <string>
#include <vector>

#include "lakemill/engine/engine.h"
#include "lakemill/flow/workspace.h"

namespace lakemill::flow {

/// Relations that stand in for what a node reads in a test, by the name of the source,
/// of the upstream node or of the table.
using GivenRelations = std::map<std::string, engine::Relation>;

/// The names under which rows for the source at `index` of a node may be given: the
/// first wins, some may be empty, the last is its index.
std::vector<std::string> given_names(const language::Source& source, std::size_t index);

/// `given` under `name`, for a source (null: a node that a step names), with the
/// columns and types of the source's `schema`. Rows that are none get the columns that
/// the pipeline declares. Errors: invalid, if it declares none, or not those of the
/// rows.
Result<engine::Relation> with_columns(const Workspace& workspace,
                                      const language::Source* source,
                                      const std::string& name,
                                      const engine::Relation& given);

/// What is told when none of `names` is given; `source` as above.
Error nothing_given(const language::Node& node, const language::Source* source,
                    const std::vector<std::string>& names);

/// What stands in for the table that a REFERENCE of `node` points to, whose rows have
/// `schema`. Errors: invalid, with the place of the expectation.
Result<engine::Relation> given_reference(const language::Node& node,
                                         const language::Expectation& expectation,
                                         const data::Schema& schema,
                                         const GivenRelations& given);

}  // namespace lakemill::flow
