#pragma once

#include <string>
#include <vector>

#include "lakemill/flow/row_expectations.h"

namespace lakemill::flow {

/// True if the node has expectations that look at the target as it would be after the
/// batch (AGGREGATE, UNIQUE, FRESHNESS): the batch must be held back until they are
/// judged.
bool has_table_expectations(const language::Node& node);

/// Their names.
std::vector<std::string> table_expectations(const language::Node& node);

/// Judges them. `after` is the relation of the target as it would be after the batch,
/// `now` the batch instant. Errors: invalid, with the place of the expectation.
Result<std::vector<ExpectationResult>> judge_table(const language::Node& node,
                                                   engine::Session& session,
                                                   const std::string& after,
                                                   Instant now);

/// Judges SCHEMA expectations and the node's column contracts against the schema alone.
Result<std::vector<ExpectationResult>> judge_schema(const language::Node& node,
                                                    const data::Schema& schema);

}  // namespace lakemill::flow
