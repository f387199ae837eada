#pragma once

#include "lakemill/flow/node_query.h"
#include "lakemill/flow/row_expectations.h"

namespace lakemill::flow {

/// A failure that rows brought about (a cast, an overflow) with the place of the step
/// that fails, in front: found by computing the steps one after the other in `session`,
/// in which `query` is bound. As it is where no step fails like that, where the failure
/// is that of what is read, and where too much would have to be read again.
Error with_failing_step(engine::Session& session, const NodeQuery& query, Error error);

/// Likewise, where it is a row expectation that cannot be computed over `rows`: with
/// its place and name.
Error with_failing_check(engine::Session& session, const std::string& rows,
                         const RowExpectations& checks, Error error);

/// Errors: invalid, where `renames` of a source, whose rows are bound as `relation`,
/// names a column that is not there.
Status check_renames(engine::Session& session, const language::Source& source,
                     const std::string& relation);

/// What is wrong with the clauses (selects, drops, drop_duplicates) of a source whose
/// rows are bound as `relation`: names a column that is not there, where it is that.
Error with_missing_column(engine::Session& session, const language::Source& source,
                          const std::string& relation, Error error);

}  // namespace lakemill::flow
