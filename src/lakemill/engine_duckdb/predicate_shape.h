#pragma once

#include <string_view>

#include <duckdb.hpp>

#include "lakemill/engine_duckdb/sql_syntax.h"

namespace lakemill::engine_duckdb {

/// Throws (throw_error, with the place) if a parsed expression of a pipeline's author
/// cannot give the one value that `use` asks of it, whatever the columns are. What
/// subqueries hold is theirs.
void refuse_other_shapes(const duckdb::ParsedExpression& predicate, PredicateUse use);

}  // namespace lakemill::engine_duckdb
