#pragma once

// What operators of a bound plan are, for those who walk it.

#include <cstddef>
#include <string_view>
#include <vector>

#include <duckdb.hpp>
#include <duckdb/planner/column_binding.hpp>
#include <duckdb/planner/expression.hpp>
#include <duckdb/planner/logical_operator.hpp>
#include <duckdb/planner/operator/logical_get.hpp>

namespace lakemill::engine_duckdb {

/// True if lineage knows what such an operator gives and what decides its rows.
bool is_known_to_lineage(duckdb::LogicalOperatorType type);

/// True for joins that compare their sides' rows.
bool is_conditional_join(duckdb::LogicalOperatorType type);

/// The side of a lateral join that is run for each row of the other one.
std::size_t delim_side(duckdb::LogicalOperator& op);

/// The side of a join that decides none of its rows: what subqueries became that are
/// values. Null if there is none.
duckdb::LogicalOperator* side_of_values(duckdb::LogicalOperator& op);

/// True for table functions (in lower case) whose rows depend on their arguments alone.
bool is_generator(std::string_view function);

/// The columns of the rows beside it that a table function is called with: all but
/// those that it hands on.
std::vector<duckdb::ColumnBinding> arguments_of(duckdb::LogicalGet& get);

/// The column that an expression is, or null.
const duckdb::ColumnBinding* binding_of(const duckdb::Expression& expression);

/// True for a call of that scalar function, perhaps cast.
bool calls(const duckdb::Expression& expression, std::string_view name);

}  // namespace lakemill::engine_duckdb
