#include "lakemill/engine_duckdb/query_description.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <set>

#include <duckdb/planner/logical_operator_visitor.hpp>
#include <duckdb/planner/planner.hpp>

#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/duckdb_headers.h"
#include "lakemill/engine_duckdb/error_mapping.h"
#include "lakemill/engine_duckdb/lineage.h"
#include "lakemill/engine_duckdb/plan_operators.h"
#include "lakemill/engine_duckdb/session_state.h"
#include "lakemill/engine_duckdb/type_mapping.h"

namespace lakemill::engine_duckdb {
namespace {

using duckdb::Expression;
using duckdb::LogicalOperator;
using Type = duckdb::LogicalOperatorType;

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

bool is_join(Type type) {
  return type == Type::LOGICAL_COMPARISON_JOIN || type == Type::LOGICAL_ANY_JOIN ||
         type == Type::LOGICAL_DELIM_JOIN || type == Type::LOGICAL_DEPENDENT_JOIN;
}

// True if the rows of an operator are the same whatever any relation holds; but those
// of the other side of a lateral join, if it is one of its sides.
bool is_fixed(LogicalOperator& op) {
  switch (op.type) {
    case Type::LOGICAL_GET: {
      auto& get = op.Cast<duckdb::LogicalGet>();
      if (!relation_name(get).empty() || !is_generator(to_lower(get.function.name))) {
        return false;
      }
      break;
    }
    case Type::LOGICAL_SAMPLE:
    case Type::LOGICAL_CTE_REF:
    case Type::LOGICAL_RECURSIVE_CTE:
      return false;
    default:
      break;
  }
  return std::all_of(op.children.begin(), op.children.end(),
                     [](const auto& child) { return is_fixed(*child); });
}

// The side of a join that each row of the other one meets by itself, whatever other
// rows there are; none if there is no such side.
std::optional<std::size_t> fixed_side(LogicalOperator& op) {
  if (op.children.size() != 2) return std::nullopt;
  std::vector<std::size_t> candidates;
  if (op.type == Type::LOGICAL_CROSS_PRODUCT) {
    candidates = {1, 0};
  } else if (is_join(op.type)) {
    switch (op.Cast<duckdb::LogicalJoin>().join_type) {
      case duckdb::JoinType::INNER:
        candidates = {1, 0};
        break;
      case duckdb::JoinType::LEFT:
      case duckdb::JoinType::SEMI:
      case duckdb::JoinType::ANTI:
      case duckdb::JoinType::MARK:
      case duckdb::JoinType::SINGLE:
        candidates = {1};
        break;
      case duckdb::JoinType::RIGHT:
      case duckdb::JoinType::RIGHT_SEMI:
      case duckdb::JoinType::RIGHT_ANTI:
        candidates = {0};
        break;
      default:
        return std::nullopt;
    }
  }
  const bool lateral =
      op.type == Type::LOGICAL_DELIM_JOIN || op.type == Type::LOGICAL_DEPENDENT_JOIN;
  for (const std::size_t side : candidates) {
    if (lateral && side != delim_side(op)) continue;
    if (is_fixed(*op.children[side])) return side;
  }
  return std::nullopt;
}

// True if it gives another value each time. error(…), which scalar subqueries have for
// a second row, gives none.
bool is_volatile(const Expression& expression) {
  if (expression.GetExpressionClass() == duckdb::ExpressionClass::BOUND_FUNCTION) {
    const auto& called = expression.Cast<duckdb::BoundFunctionExpression>().function;
    if (called.name != "error" &&
        called.GetStability() == duckdb::FunctionStability::VOLATILE) {
      return true;
    }
  }
  bool any = false;
  duckdb::ExpressionIterator::EnumerateChildren(
      expression, [&](const Expression& child) { any = any || is_volatile(child); });
  return any;
}

// The row numbers by which a lateral join tells the rows of its other side apart.
bool numbers_rows_of_join(const LogicalOperator& op) {
  return op.type == Type::LOGICAL_WINDOW && op.expressions.size() == 1 &&
         op.expressions[0]->GetAlias() == "delim_index";
}

// Finds out why a query is not row-wise, from its bound plan.
class RowWise {
 public:
  explicit RowWise(LogicalOperator& root) { look_at(root); }

  const std::string& not_row_wise_because() const { return reason_; }

 private:
  void note_reason(const std::string& why) {
    if (reason_.empty()) reason_ = why;
  }

  void look_at(LogicalOperator& op) {
    const auto fixed = fixed_side(op);
    const bool tells = !in_fixed_side_ && !fixed && !numberings_.contains(&op);
    if (tells) note_reason(reason(op));
    duckdb::LogicalOperatorVisitor::EnumerateExpressions(
        op, [&](duckdb::unique_ptr<Expression>* expression) {
          if (is_volatile(**expression)) note_reason("volatile function");
        });
    for (std::size_t i = 0; i < op.children.size(); ++i) {
      const bool outer = in_fixed_side_;
      in_fixed_side_ = outer || fixed == i;
      LogicalOperator* child = op.children[i].get();
      if (fixed && fixed != i && numbers_rows_of_join(*child))
        numberings_.insert(child);
      look_at(*child);
      in_fixed_side_ = outer;
    }
  }

  std::set<const LogicalOperator*> numberings_;
  bool in_fixed_side_ = false;
  std::string reason_;
};

Result<engine::QueryShape> shape_of(duckdb::Planner& planner) {
  engine::QueryShape shape;
  const std::vector<std::string> names(planner.names.begin(), planner.names.end());
  LAKEMILL_TRY(shape.schema, from_duckdb(names, planner.types));
  Lineage lineage(*planner.plan);
  for (const auto& binding : planner.plan->GetColumnBindings()) {
    shape.lineage.columns.push_back(lineage.edges(binding));
  }
  shape.lineage.columns.resize(names.size());
  shape.lineage.rows = lineage.row_influences();
  shape.lineage.incomplete_because = lineage.incomplete_because();
  shape.lineage.complete = shape.lineage.incomplete_because.empty();
  shape.relations.assign(lineage.relations().begin(), lineage.relations().end());
  shape.not_row_wise_because = RowWise(*planner.plan).not_row_wise_because();
  shape.row_wise = shape.not_row_wise_because.empty();
  return shape;
}

// True if the last column of a row-wise plan is `column` of what it reads, and nothing
// else in it depends on that.
bool comes_last_and_alone(LogicalOperator& plan, const std::string& column) {
  if (!RowWise(plan).not_row_wise_because().empty()) return false;
  Lineage lineage(plan);
  const auto is_it = [&](const auto& edge) { return edge.from.column == column; };
  const auto rows = lineage.row_influences();
  if (std::any_of(rows.begin(), rows.end(), is_it)) return false;
  const auto bindings = plan.GetColumnBindings();
  for (std::size_t i = 0; i < bindings.size(); ++i) {
    const auto edges = lineage.edges(bindings[i]);
    if (i + 1 == bindings.size()) {
      return lineage.incomplete_because().empty() && !edges.empty() &&
             std::all_of(edges.begin(), edges.end(), is_it);
    }
    if (std::any_of(edges.begin(), edges.end(), is_it)) return false;
  }
  return false;
}

// Tells the session's callbacks that shapes are enough; with `of_queries`, those of
// bound queries too.
class Describing {
 public:
  Describing(duckdb::ClientContext& context, bool of_queries)
      : state_(SessionState::of(context)) {
    if (!state_) return;
    state_->describing = true;
    state_->describing_queries = of_queries;
  }
  ~Describing() {
    if (state_) state_->describing = state_->describing_queries = false;
  }
  Describing(const Describing&) = delete;
  Describing& operator=(const Describing&) = delete;

 private:
  duckdb::shared_ptr<SessionState> state_;
};

Status plan_statement(duckdb::ClientContext& context,
                      duckdb::unique_ptr<duckdb::SQLStatement> statement,
                      std::string_view sql, bool of_queries,
                      const std::function<void(duckdb::Planner&)>& look) {
  const Describing describing(context, of_queries);
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
      plan_statement(context, std::move(statement), sql, false,
                     [&](duckdb::Planner& planner) { shape = shape_of(planner); }));
  return shape;
}

Result<BoundColumns> check_statement(duckdb::ClientContext& context,
                                     duckdb::unique_ptr<duckdb::SQLStatement> statement,
                                     std::string_view sql, bool for_tables) {
  BoundColumns columns;
  LAKEMILL_TRY_OK(plan_statement(
      context, std::move(statement), sql, false, [&](duckdb::Planner& planner) {
        columns.names = {planner.names.begin(), planner.names.end()};
        columns.types = planner.types;
      }));
  if (for_tables) LAKEMILL_TRY_OK(from_duckdb(columns.names, columns.types));
  return columns;
}

bool hands_on_column(duckdb::ClientContext& context,
                     duckdb::unique_ptr<duckdb::SQLStatement> statement,
                     const BoundColumns& columns, const std::string& column) {
  bool hands_on = false;
  const auto planned = plan_statement(
      context, std::move(statement), {}, true, [&](duckdb::Planner& planner) {
        BoundColumns expected = columns;
        expected.names.push_back(column);
        expected.types.push_back(duckdb::LogicalType::VARCHAR);
        hands_on = std::equal(planner.names.begin(), planner.names.end(),
                              expected.names.begin(), expected.names.end()) &&
                   planner.types == expected.types &&
                   comes_last_and_alone(*planner.plan, column);
      });
  return planned && hands_on;
}

}  // namespace lakemill::engine_duckdb
