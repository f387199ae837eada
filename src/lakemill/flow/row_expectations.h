#pragma once

#include <string>
#include <vector>

#include "lakemill/engine/engine.h"
#include "lakemill/flow/given_rows.h"
#include "lakemill/flow/node_report.h"
#include "lakemill/flow/workspace.h"

namespace lakemill::flow {

/// The checks of a node that look at one row at a time, as the engine takes them, in
/// the order of the node's expectations. References to other tables are bound in
/// `session`. `schema` is that of the node's rows.
struct RowExpectations {
  std::vector<engine::RowCheck> checks;
  std::vector<const language::Expectation*> expectations;  ///< one for each check
};

/// Where the table is that a REFERENCE points to. Errors: invalid, with its place.
Result<Place> reference_place(const Workspace& workspace, const language::Node& node,
                              const language::Expectation& expectation);

/// Whether a REFERENCE points to the table that the node itself writes first, which
/// there may be none of yet.
bool refers_to_own_table(const Workspace& workspace, const language::Node& node,
                         const language::Expectation& expectation);

/// Tables that REFERENCEs point to are read at the versions that `plan` has pinned.
/// `own_after`: the relation that stands for the node's own table.
/// With `given` (a test) no table is read: what it gives for the source or the name
/// that a REFERENCE points to stands in. Errors: invalid, with file, line and column.
Result<RowExpectations> row_expectations(const Workspace& workspace,
                                         const language::Node& node,
                                         engine::Session& session,
                                         const data::Schema& schema,
                                         const BatchPlan& plan,
                                         const std::string& own_after,
                                         const GivenRelations* given = nullptr);

/// What the counts of a batch say of each. `failed_rows` as WriteResult gives them.
std::vector<ExpectationResult> judge_rows(const RowExpectations& expectations,
                                          const std::vector<std::int64_t>& failed_rows,
                                          std::int64_t checked_rows);

/// Passed, warned or failed, by tolerance and action.
ExpectationResult judge(const language::Expectation& expectation,
                        std::int64_t failed_rows, std::int64_t checked_rows);

/// An expectation's SQL over columns of `schema`. Errors: invalid, with its place.
Result<std::string> expectation_sql(const language::Expectation& expectation,
                                    const data::Schema& schema);

}  // namespace lakemill::flow
