#include "lakemill/engine_duckdb/lineage.h"

#include <duckdb/planner/logical_operator_visitor.hpp>

#include "lakemill/engine_duckdb/duckdb_headers.h"
#include "lakemill/engine_duckdb/session_state.h"

namespace lakemill::engine_duckdb {

using duckdb::ColumnBinding;
using duckdb::Expression;
using duckdb::LogicalOperator;
using Type = duckdb::LogicalOperatorType;

std::size_t delim_side(LogicalOperator& op) {
  const bool flipped = op.type == Type::LOGICAL_DELIM_JOIN &&
                       op.Cast<duckdb::LogicalComparisonJoin>().delim_flipped;
  return flipped ? 0 : 1;
}

Lineage::Lineage(LogicalOperator& plan) { index(plan); }

Lineage::Columns Lineage::sources(ColumnBinding binding) {
  Columns columns;
  follow(binding, columns);
  return columns;
}

void Lineage::follow(ColumnBinding binding, Columns& out) {
  const std::pair<duckdb::idx_t, duckdb::idx_t> key{binding.table_index,
                                                    binding.column_index};
  if (!open_.insert(key).second) return;  // a recursive query
  const auto found = by_index_.find(binding.table_index);
  if (found != by_index_.end()) {
    follow_operator(*found->second, binding, out);
  }
  open_.erase(key);
}

Lineage::Columns Lineage::indirect() {
  Columns out;
  for (const auto* expression : deciding_) follow(*expression, out);
  return out;
}

void Lineage::follow(const Expression& expression, Columns& out) {
  if (expression.GetExpressionClass() == duckdb::ExpressionClass::BOUND_COLUMN_REF) {
    follow(expression.Cast<duckdb::BoundColumnRefExpression>().binding, out);
    return;
  }
  duckdb::ExpressionIterator::EnumerateChildren(
      expression, [&](const Expression& child) { follow(child, out); });
}

void Lineage::index(LogicalOperator& op) {
  for (const auto table : op.GetTableIndex()) {
    if (table != duckdb::DConstants::INVALID_INDEX) by_index_[table] = &op;
  }
  if (op.type == Type::LOGICAL_MATERIALIZED_CTE ||
      op.type == Type::LOGICAL_RECURSIVE_CTE) {
    by_index_[op.Cast<duckdb::LogicalCTE>().table_index] = &op;
  }
  if (op.type == Type::LOGICAL_DELIM_GET && !delim_joins_.empty()) {
    delim_of_[op.Cast<duckdb::LogicalDelimGet>().table_index] = delim_joins_.back();
  }
  if (op.type == Type::LOGICAL_GET) {
    const auto name = relation_name(op.Cast<duckdb::LogicalGet>());
    if (!name.empty()) relations_.insert(name);
  }
  index_expressions(op);
  for (std::size_t i = 0; i < op.children.size(); ++i) {
    const bool delim = op.type == Type::LOGICAL_DELIM_JOIN && i == delim_side(op);
    if (delim) delim_joins_.push_back(&op);
    index(*op.children[i]);
    if (delim) delim_joins_.pop_back();
  }
}

void Lineage::index_expressions(LogicalOperator& op) {
  const bool computes = op.type == Type::LOGICAL_PROJECTION ||
                        op.type == Type::LOGICAL_AGGREGATE_AND_GROUP_BY ||
                        op.type == Type::LOGICAL_WINDOW ||
                        op.type == Type::LOGICAL_UNNEST;
  duckdb::LogicalOperatorVisitor::EnumerateExpressions(
      op, [&](duckdb::unique_ptr<Expression>* expression) {
        if (!computes) deciding_.push_back(expression->get());
      });
  if (op.type == Type::LOGICAL_AGGREGATE_AND_GROUP_BY) {
    for (const auto& group : op.Cast<duckdb::LogicalAggregate>().groups) {
      deciding_.push_back(group.get());
    }
  }
  if (op.type == Type::LOGICAL_WINDOW) {
    for (const auto& expression : op.expressions) {
      const auto& window = expression->Cast<duckdb::BoundWindowExpression>();
      for (const auto& part : window.partitions) deciding_.push_back(part.get());
      for (const auto& order : window.orders) {
        deciding_.push_back(order.expression.get());
      }
    }
  }
}

void Lineage::follow_operator(LogicalOperator& op, ColumnBinding binding,
                              Columns& out) {
  const auto column = binding.column_index;
  switch (op.type) {
    case Type::LOGICAL_GET:
      return follow_get(op.Cast<duckdb::LogicalGet>(), column, out);
    case Type::LOGICAL_PROJECTION:
    case Type::LOGICAL_WINDOW:
    case Type::LOGICAL_UNNEST:
      return follow(*op.expressions.at(column), out);
    case Type::LOGICAL_AGGREGATE_AND_GROUP_BY: {
      auto& aggregate = op.Cast<duckdb::LogicalAggregate>();
      if (binding.table_index == aggregate.group_index) {
        follow(*aggregate.groups.at(column), out);
      } else if (binding.table_index == aggregate.aggregate_index) {
        follow(*aggregate.expressions.at(column), out);
      }
      return;
    }
    case Type::LOGICAL_UNION:
    case Type::LOGICAL_EXCEPT:
    case Type::LOGICAL_INTERSECT:
    case Type::LOGICAL_RECURSIVE_CTE:
      for (const auto& child : op.children) follow_child(*child, column, out);
      return;
    case Type::LOGICAL_CTE_REF: {
      const auto cte = by_index_.find(op.Cast<duckdb::LogicalCTERef>().cte_index);
      if (cte != by_index_.end()) {
        follow_child(*cte->second->children.at(0), column, out);
      }
      return;
    }
    case Type::LOGICAL_MATERIALIZED_CTE:
      return follow_child(*op.children.at(0), column, out);
    case Type::LOGICAL_DELIM_GET: {
      const auto join = delim_of_.find(binding.table_index);
      if (join == delim_of_.end()) return;
      auto& columns = join->second->Cast<duckdb::LogicalComparisonJoin>()
                          .duplicate_eliminated_columns;
      return follow(*columns.at(column), out);
    }
    case Type::LOGICAL_EXPRESSION_GET:
      for (auto& row : op.Cast<duckdb::LogicalExpressionGet>().expressions) {
        follow(*row.at(column), out);
      }
      return;
    case Type::LOGICAL_COMPARISON_JOIN:
    case Type::LOGICAL_DELIM_JOIN:
    case Type::LOGICAL_ANY_JOIN:  // the mark of a semi-join
      duckdb::LogicalOperatorVisitor::EnumerateExpressions(
          op, [&](duckdb::unique_ptr<Expression>* expression) {
            follow(**expression, out);
          });
      return;
    default:
      return;
  }
}

void Lineage::follow_child(LogicalOperator& child, std::size_t column, Columns& out) {
  const auto bindings = child.GetColumnBindings();
  if (column < bindings.size()) follow(bindings[column], out);
}

void Lineage::follow_get(duckdb::LogicalGet& get, std::size_t column, Columns& out) {
  const auto name = relation_name(get);
  if (name.empty()) {  // a table function over the columns of the rows beside it
    for (const auto& child : get.children) {
      for (const auto& binding : child->GetColumnBindings()) follow(binding, out);
    }
    return;
  }
  if (column >= get.GetColumnIds().size()) return;
  out.insert(
      {.relation = name, .column = get.GetColumnName(get.GetColumnIds()[column])});
}

}  // namespace lakemill::engine_duckdb
