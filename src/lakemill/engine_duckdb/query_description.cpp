#include "lakemill/engine_duckdb/query_description.h"

#include <functional>
#include <map>
#include <set>

#include <duckdb/planner/logical_operator_visitor.hpp>
#include <duckdb/planner/planner.hpp>

#include "lakemill/engine_duckdb/duckdb_headers.h"
#include "lakemill/engine_duckdb/error_mapping.h"
#include "lakemill/engine_duckdb/session_state.h"
#include "lakemill/engine_duckdb/type_mapping.h"

namespace lakemill::engine_duckdb {
namespace {

using duckdb::ColumnBinding;
using duckdb::Expression;
using duckdb::LogicalOperator;
using engine::ColumnRef;
using Type = duckdb::LogicalOperatorType;
using Columns = std::set<ColumnRef>;

// Why an operator makes a query not row-wise, or nothing.
std::string reason(LogicalOperator& op) {
  switch (op.type) {
    case Type::LOGICAL_PROJECTION:
    case Type::LOGICAL_FILTER:
    case Type::LOGICAL_UNNEST:
    case Type::LOGICAL_MATERIALIZED_CTE:
    case Type::LOGICAL_CTE_REF:
    case Type::LOGICAL_ORDER_BY:
      return "";
    case Type::LOGICAL_GET:
      return relation_name(op.Cast<duckdb::LogicalGet>()).empty()
                 ? "rows that no input holds"
                 : "";
    case Type::LOGICAL_UNION:
      return op.Cast<duckdb::LogicalSetOperation>().setop_all ? "" : "set operation";
    case Type::LOGICAL_EXCEPT:
    case Type::LOGICAL_INTERSECT:
      return "set operation";
    case Type::LOGICAL_AGGREGATE_AND_GROUP_BY:
      return "aggregate";
    case Type::LOGICAL_WINDOW:
      return "window";
    case Type::LOGICAL_DISTINCT:
      return "distinct";
    case Type::LOGICAL_LIMIT:
    case Type::LOGICAL_TOP_N:
      return "limit";
    case Type::LOGICAL_SAMPLE:
      return "sample";
    case Type::LOGICAL_PIVOT:
      return "pivot";
    case Type::LOGICAL_RECURSIVE_CTE:
      return "recursion";
    case Type::LOGICAL_JOIN:
    case Type::LOGICAL_DELIM_JOIN:
    case Type::LOGICAL_COMPARISON_JOIN:
    case Type::LOGICAL_ANY_JOIN:
    case Type::LOGICAL_CROSS_PRODUCT:
    case Type::LOGICAL_POSITIONAL_JOIN:
    case Type::LOGICAL_ASOF_JOIN:
    case Type::LOGICAL_DEPENDENT_JOIN:
    case Type::LOGICAL_DELIM_GET:
      return "join";
    default:
      return "rows that no input holds";
  }
}

// Follows columns of a bound plan down to the relations that they come from.
class Lineage {
 public:
  explicit Lineage(LogicalOperator& root) { index(root); }

  const std::string& not_row_wise_because() const { return reason_; }
  const std::set<std::string>& relations() const { return relations_; }

  void follow(ColumnBinding binding, Columns& out) {
    const std::pair<duckdb::idx_t, duckdb::idx_t> key{binding.table_index,
                                                      binding.column_index};
    if (!open_.insert(key).second) return;  // a recursive query
    const auto found = by_index_.find(binding.table_index);
    if (found != by_index_.end()) {
      follow_operator(*found->second, binding, out);
    }
    open_.erase(key);
  }

  Columns indirect() {
    Columns out;
    for (const auto* expression : deciding_) follow(*expression, out);
    return out;
  }

 private:
  void follow(const Expression& expression, Columns& out) {
    if (expression.GetExpressionClass() == duckdb::ExpressionClass::BOUND_COLUMN_REF) {
      follow(expression.Cast<duckdb::BoundColumnRefExpression>().binding, out);
      return;
    }
    duckdb::ExpressionIterator::EnumerateChildren(
        expression, [&](const Expression& child) { follow(child, out); });
  }

  void note_reason(const std::string& why) {
    if (reason_.empty()) reason_ = why;
  }

  void index(LogicalOperator& op) {
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
    note_reason(reason(op));
    index_expressions(op);
    index_children(op);
  }

  void index_children(LogicalOperator& op) {
    for (std::size_t i = 0; i < op.children.size(); ++i) {
      const bool delim =
          op.type == Type::LOGICAL_DELIM_JOIN &&
          i == (op.Cast<duckdb::LogicalComparisonJoin>().delim_flipped ? 0U : 1U);
      if (delim) delim_joins_.push_back(&op);
      index(*op.children[i]);
      if (delim) delim_joins_.pop_back();
    }
  }

  void index_expressions(LogicalOperator& op) {
    const bool computes = op.type == Type::LOGICAL_PROJECTION ||
                          op.type == Type::LOGICAL_AGGREGATE_AND_GROUP_BY ||
                          op.type == Type::LOGICAL_WINDOW ||
                          op.type == Type::LOGICAL_UNNEST;
    duckdb::LogicalOperatorVisitor::EnumerateExpressions(
        op, [&](duckdb::unique_ptr<Expression>* expression) {
          if ((*expression)->IsVolatile()) note_reason("volatile function");
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

  void follow_operator(LogicalOperator& op, ColumnBinding binding, Columns& out) {
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

  void follow_child(LogicalOperator& child, std::size_t column, Columns& out) {
    const auto bindings = child.GetColumnBindings();
    if (column < bindings.size()) follow(bindings[column], out);
  }

  void follow_get(duckdb::LogicalGet& get, std::size_t column, Columns& out) {
    const auto name = relation_name(get);
    if (name.empty() || column >= get.GetColumnIds().size()) return;
    out.insert(
        {.relation = name, .column = get.GetColumnName(get.GetColumnIds()[column])});
  }

  std::map<duckdb::idx_t, LogicalOperator*> by_index_;
  std::map<duckdb::idx_t, LogicalOperator*> delim_of_;
  std::vector<LogicalOperator*> delim_joins_;
  std::vector<const Expression*> deciding_;
  std::set<std::pair<duckdb::idx_t, duckdb::idx_t>> open_;
  std::set<std::string> relations_;
  std::string reason_;
};

Result<engine::QueryShape> shape_of(duckdb::Planner& planner) {
  engine::QueryShape shape;
  const std::vector<std::string> names(planner.names.begin(), planner.names.end());
  LAKEMILL_TRY(shape.schema, from_duckdb(names, planner.types));
  Lineage lineage(*planner.plan);
  for (const auto& binding : planner.plan->GetColumnBindings()) {
    Columns columns;
    lineage.follow(binding, columns);
    shape.lineage.emplace_back(columns.begin(), columns.end());
  }
  shape.lineage.resize(names.size());
  const auto indirect = lineage.indirect();
  shape.indirect.assign(indirect.begin(), indirect.end());
  shape.relations.assign(lineage.relations().begin(), lineage.relations().end());
  shape.not_row_wise_because = lineage.not_row_wise_because();
  shape.row_wise = shape.not_row_wise_because.empty();
  return shape;
}

// Tells the session's callbacks that shapes are enough.
class Describing {
 public:
  explicit Describing(duckdb::ClientContext& context)
      : state_(SessionState::of(context)) {
    if (state_) state_->describing = true;
  }
  ~Describing() {
    if (state_) state_->describing = false;
  }
  Describing(const Describing&) = delete;
  Describing& operator=(const Describing&) = delete;

 private:
  duckdb::shared_ptr<SessionState> state_;
};

Status plan_statement(duckdb::ClientContext& context,
                      duckdb::unique_ptr<duckdb::SQLStatement> statement,
                      std::string_view sql,
                      const std::function<void(duckdb::Planner&)>& look) {
  const Describing describing(context);
  return run_guarded(sql, [&] {
    context.RunFunctionInTransaction([&] {
      duckdb::Planner planner(context);
      planner.CreatePlan(std::move(statement));
      if (!planner.plan) throw duckdb::BinderException("the query has parameters");
      look(planner);
    });
  });
}

}  // namespace

Result<engine::QueryShape> describe_statement(
    duckdb::ClientContext& context, duckdb::unique_ptr<duckdb::SQLStatement> statement,
    std::string_view sql) {
  Result<engine::QueryShape> shape = engine::QueryShape();
  LAKEMILL_TRY_OK(
      plan_statement(context, std::move(statement), sql,
                     [&](duckdb::Planner& planner) { shape = shape_of(planner); }));
  return shape;
}

Status check_statement(duckdb::ClientContext& context,
                       duckdb::unique_ptr<duckdb::SQLStatement> statement,
                       std::string_view sql) {
  return plan_statement(context, std::move(statement), sql, [](duckdb::Planner&) {});
}

}  // namespace lakemill::engine_duckdb
