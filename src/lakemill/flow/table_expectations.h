#pragma once

#include <string>
#include <vector>

#include "lakemill/flow/row_expectations.h"

namespace lakemill::flow {

/// True if the node has expectations that look at the target as it would be after the
/// batch (AGGREGATE, UNIQUE, FRESHNESS): the batch must be held back until they are
/// judged.
bool has_table_expectations(const language::Node& node);

/// Judges them, and SCHEMA. `staged` is the relation of the batch's kept rows; `target`
/// the relation of what the target holds now, empty if it holds nothing or is replaced.
/// With `keys`, staged rows take the place of target rows of equal keys.
struct TableExpectationInput {
  std::string staged;
  data::Schema schema;  ///< of the staged rows
  std::string target;
  std::vector<std::string> keys;
  std::string delete_where;  ///< staged rows that are deletes, or empty
  Instant now;
};
Result<std::vector<ExpectationResult>> judge_table(const language::Node& node,
                                                   engine::Session& session,
                                                   const TableExpectationInput& input);

/// Judges SCHEMA expectations and the node's column contracts against the schema alone.
Result<std::vector<ExpectationResult>> judge_schema(const language::Node& node,
                                                    const data::Schema& schema);

}  // namespace lakemill::flow
