#include "lakemill/engine_duckdb/plan_operators.h"

#include <algorithm>
#include <array>

#include "lakemill/engine_duckdb/duckdb_headers.h"

namespace lakemill::engine_duckdb {

using duckdb::ColumnBinding;
using duckdb::Expression;
using duckdb::ExpressionClass;
using duckdb::LogicalOperator;
using Type = duckdb::LogicalOperatorType;

namespace {

// True for what gives one row, whatever it reads.
bool gives_one_row(LogicalOperator& op) {
  if (op.type == Type::LOGICAL_PROJECTION) return gives_one_row(*op.children[0]);
  return op.type == Type::LOGICAL_AGGREGATE_AND_GROUP_BY &&
         op.Cast<duckdb::LogicalAggregate>().groups.empty();
}

}  // namespace

bool is_known_to_lineage(Type type) {
  switch (type) {
    case Type::LOGICAL_PROJECTION:
    case Type::LOGICAL_FILTER:
    case Type::LOGICAL_AGGREGATE_AND_GROUP_BY:
    case Type::LOGICAL_WINDOW:
    case Type::LOGICAL_UNNEST:
    case Type::LOGICAL_LIMIT:
    case Type::LOGICAL_ORDER_BY:
    case Type::LOGICAL_TOP_N:
    case Type::LOGICAL_DISTINCT:
    case Type::LOGICAL_SAMPLE:
    case Type::LOGICAL_PIVOT:
    case Type::LOGICAL_GET:
    case Type::LOGICAL_CHUNK_GET:
    case Type::LOGICAL_DELIM_GET:
    case Type::LOGICAL_EXPRESSION_GET:
    case Type::LOGICAL_DUMMY_SCAN:
    case Type::LOGICAL_EMPTY_RESULT:
    case Type::LOGICAL_CTE_REF:
    case Type::LOGICAL_DELIM_JOIN:
    case Type::LOGICAL_COMPARISON_JOIN:
    case Type::LOGICAL_ANY_JOIN:
    case Type::LOGICAL_CROSS_PRODUCT:
    case Type::LOGICAL_POSITIONAL_JOIN:
    case Type::LOGICAL_ASOF_JOIN:
    case Type::LOGICAL_UNION:
    case Type::LOGICAL_EXCEPT:
    case Type::LOGICAL_INTERSECT:
    case Type::LOGICAL_RECURSIVE_CTE:
    case Type::LOGICAL_MATERIALIZED_CTE:
      return true;
    default:
      return false;
  }
}

bool is_conditional_join(Type type) {
  return type == Type::LOGICAL_COMPARISON_JOIN || type == Type::LOGICAL_DELIM_JOIN ||
         type == Type::LOGICAL_ASOF_JOIN || type == Type::LOGICAL_ANY_JOIN;
}

LogicalOperator* side_of_values(LogicalOperator& op) {
  if (op.type == Type::LOGICAL_CROSS_PRODUCT) {
    for (const std::size_t side : {1U, 0U}) {
      if (gives_one_row(*op.children[side])) return op.children[side].get();
    }
  } else if (is_conditional_join(op.type)) {
    const auto type = op.Cast<duckdb::LogicalJoin>().join_type;
    if (type == duckdb::JoinType::SINGLE || type == duckdb::JoinType::MARK) {
      return op.children[delim_side(op)].get();
    }
  }
  return nullptr;
}

std::vector<ColumnBinding> arguments_of(duckdb::LogicalGet& get) {
  std::vector<ColumnBinding> result;
  if (get.children.empty()) return result;
  const auto bindings = get.children[0]->GetColumnBindings();
  const auto& handed_on = get.projected_input;
  for (std::size_t i = 0; i < bindings.size(); ++i) {
    if (std::find(handed_on.begin(), handed_on.end(), i) == handed_on.end()) {
      result.push_back(bindings[i]);
    }
  }
  return result;
}

const ColumnBinding* binding_of(const Expression& expression) {
  if (expression.GetExpressionClass() != ExpressionClass::BOUND_COLUMN_REF) {
    return nullptr;
  }
  return &expression.Cast<duckdb::BoundColumnRefExpression>().binding;
}

bool calls(const Expression& expression, std::string_view name) {
  if (expression.GetExpressionClass() == ExpressionClass::BOUND_CAST) {
    return calls(*expression.Cast<duckdb::BoundCastExpression>().child, name);
  }
  return expression.GetExpressionClass() == ExpressionClass::BOUND_FUNCTION &&
         expression.Cast<duckdb::BoundFunctionExpression>().function.name == name;
}

std::size_t delim_side(LogicalOperator& op) {
  const bool flipped = op.type == Type::LOGICAL_DELIM_JOIN &&
                       op.Cast<duckdb::LogicalComparisonJoin>().delim_flipped;
  return flipped ? 0 : 1;
}

bool is_generator(std::string_view function) {
  constexpr std::array kGenerators{"range",    "generate_series", "repeat",
                                   "unnest",   "repeat_row",      "json_each",
                                   "json_tree"};
  return std::find(kGenerators.begin(), kGenerators.end(), function) !=
         kGenerators.end();
}

}  // namespace lakemill::engine_duckdb
