#include "lakemill/engine_duckdb/lineage.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/duckdb_headers.h"
#include "lakemill/engine_duckdb/plan_operators.h"
#include "lakemill/engine_duckdb/session_state.h"

namespace lakemill::engine_duckdb {

using duckdb::ColumnBinding;
using duckdb::Expression;
using duckdb::ExpressionClass;
using duckdb::LogicalOperator;
using engine::Flow;
using engine::Influence;
using Type = duckdb::LogicalOperatorType;

namespace {

constexpr auto kNoIndex = duckdb::DConstants::INVALID_INDEX;

unsigned bit(Flow flow) { return 1U << static_cast<unsigned>(flow); }
unsigned bit(Influence kind) { return 1U << static_cast<unsigned>(kind); }

template <typename Kind, std::size_t size>
std::vector<Kind> members(unsigned bits, const std::array<Kind, size>& kinds) {
  std::vector<Kind> result;
  std::copy_if(kinds.begin(), kinds.end(), std::back_inserter(result),
               [&](Kind kind) { return (bits & bit(kind)) != 0; });
  return result;
}

// How values flow on that flowed so far in those ways: the least exact one sticks.
unsigned flow_on(unsigned flows, Flow flow) {
  unsigned result = 0;
  for (const Flow before : engine::kFlows) {
    if ((flows & bit(before)) != 0) result |= bit(std::max(before, flow));
  }
  return result;
}

void merge(const auto& from, auto& out) {
  for (const auto& [column, kinds] : from) {
    auto& have = out[column];
    have.flows |= kinds.flows;
    have.influences |= kinds.influences;
  }
}

void merge_influences(const auto& from, auto& out) {
  for (const auto& [column, kinds] : from) {
    if (kinds.influences != 0) out[column].influences |= kinds.influences;
  }
}

}  // namespace

Lineage::Lineage(LogicalOperator& plan) : root_(plan) { index(plan); }

std::vector<engine::LineageEdge> Lineage::edges(ColumnBinding binding) {
  const Sources found = settle([&](Sources& out) { merge(column(binding), out); });
  std::vector<engine::LineageEdge> result;
  for (const auto& [from, kinds] : found) {
    result.push_back({.from = from,
                      .flows = members(kinds.flows, engine::kFlows),
                      .influences = members(kinds.influences, engine::kInfluences)});
  }
  return result;
}

std::vector<engine::RowInfluence> Lineage::row_influences() {
  const Sources found = settle([&](Sources& out) { merge(rows(root_), out); });
  std::vector<engine::RowInfluence> result;
  for (const auto& [from, kinds] : found) {
    for (const Influence kind : members(kinds.influences, engine::kInfluences)) {
      result.push_back({.from = from, .kind = kind});
    }
  }
  return result;
}

void Lineage::note_incomplete(const std::string& why) {
  if (incomplete_because_.empty()) incomplete_because_ = why;
}

// --- What is where in the plan

void Lineage::index(Operator& op) {
  for (const auto table : op.GetTableIndex()) {
    if (table != kNoIndex) by_index_[table] = &op;
  }
  switch (op.type) {
    case Type::LOGICAL_MATERIALIZED_CTE:
    case Type::LOGICAL_RECURSIVE_CTE:
      by_index_[op.Cast<duckdb::LogicalCTE>().table_index] = &op;
      break;
    case Type::LOGICAL_DELIM_GET:
      if (!delim_joins_.empty()) {
        delim_of_[op.Cast<duckdb::LogicalDelimGet>().table_index] = delim_joins_.back();
      }
      break;
    case Type::LOGICAL_GET:
      index_scan(op.Cast<duckdb::LogicalGet>());
      break;
    default:
      if (!is_known_to_lineage(op.type)) note_incomplete("operator " + op.GetName());
  }
  if (auto* side = side_of_values(op)) {
    const Beside beside{.join = &op, .side = side};
    for (const auto& binding : side->GetColumnBindings()) {
      beside_[binding.table_index] = beside;
    }
    if (is_conditional_join(op.type)) {
      for (const auto table : op.GetTableIndex()) beside_[table] = beside;  // its mark
    }
  }
  index_children(op);
}

void Lineage::index_children(Operator& op) {
  for (std::size_t i = 0; i < op.children.size(); ++i) {
    const bool delim = op.type == Type::LOGICAL_DELIM_JOIN && i == delim_side(op);
    if (delim) delim_joins_.push_back(&op);
    index(*op.children[i]);
    if (delim) delim_joins_.pop_back();
  }
}

void Lineage::index_scan(duckdb::LogicalGet& get) {
  const auto name = relation_name(get);
  if (!name.empty()) {
    relations_.insert(name);
  } else if (!is_generator(to_lower(get.function.name))) {
    note_incomplete("table function " + get.function.name);
  }
}

// --- The fixed point

Lineage::Sources Lineage::settle(const std::function<void(Sources&)>& compute) {
  for (;;) {
    changed_ = false;
    Sources out;
    compute(out);
    if (!circular_ || !changed_) return out;
    visited_.clear();
  }
}

const Lineage::Sources& Lineage::solve(const Key& key,
                                       const std::function<void(Sources&)>& compute) {
  Sources& known = known_[key];
  if (!visited_.insert(key).second) {
    circular_ = circular_ || open_.contains(key);
    return known;
  }
  open_.insert(key);
  Sources found;
  compute(found);
  open_.erase(key);
  if (found != known) {
    known = std::move(found);
    changed_ = true;
  }
  return known;
}

const Lineage::Sources& Lineage::column(ColumnBinding binding) {
  return solve({binding.table_index, binding.column_index, nullptr}, [&](Sources& out) {
    const auto found = by_index_.find(binding.table_index);
    if (found == by_index_.end()) return note_incomplete("a column of no operator");
    value_of(binding, *found->second, out);
    const auto beside = beside_.find(binding.table_index);
    if (beside == beside_.end()) return;
    merge_influences(rows(*beside->second.side), out);
    match(*beside->second.join, out);
  });
}

const Lineage::Sources& Lineage::rows(Operator& op) {
  return solve({kNoIndex, kNoIndex, &op}, [&](Sources& out) {
    rows_by(op, out);
    // What decides the rows of a CTE decides those of the queries that refer to it.
    if (op.type == Type::LOGICAL_MATERIALIZED_CTE) {
      return merge(rows(*op.children.at(1)), out);
    }
    const auto* values = side_of_values(op);
    for (const auto& child : op.children) {
      if (child.get() != values) merge(rows(*child), out);
    }
  });
}

// --- Values

void Lineage::value_of(ColumnBinding binding, Operator& op, Sources& out) {
  const auto column = binding.column_index;
  switch (op.type) {
    case Type::LOGICAL_GET:
      return value_of_scan(op.Cast<duckdb::LogicalGet>(), column, out);
    case Type::LOGICAL_PROJECTION:
    case Type::LOGICAL_WINDOW:
    case Type::LOGICAL_UNNEST:
      return value_of(*op.expressions.at(column), out);
    case Type::LOGICAL_AGGREGATE_AND_GROUP_BY: {
      auto& aggregate = op.Cast<duckdb::LogicalAggregate>();
      if (binding.table_index == aggregate.group_index) {
        value_of(*aggregate.groups.at(column), out);
      } else if (binding.table_index == aggregate.aggregate_index) {
        value_of(*aggregate.expressions.at(column), out);
      }
      return;
    }
    case Type::LOGICAL_EXCEPT:
      return value_of_child(*op.children.at(0), column, out);
    case Type::LOGICAL_UNION:
    case Type::LOGICAL_INTERSECT:
    case Type::LOGICAL_RECURSIVE_CTE:
      for (const auto& child : op.children) value_of_child(*child, column, out);
      return;
    case Type::LOGICAL_CTE_REF: {
      const auto cte = by_index_.find(op.Cast<duckdb::LogicalCTERef>().cte_index);
      if (cte == by_index_.end()) return note_incomplete("a CTE without a definition");
      if (cte->second->type == Type::LOGICAL_RECURSIVE_CTE) {
        return value_of({cte->first, column}, *cte->second, out);
      }
      return value_of_child(*cte->second->children.at(0), column, out);
    }
    case Type::LOGICAL_DELIM_GET: {
      const auto join = delim_of_.find(binding.table_index);
      if (join == delim_of_.end()) return note_incomplete("an outer column of no join");
      auto& columns = join->second->Cast<duckdb::LogicalComparisonJoin>()
                          .duplicate_eliminated_columns;
      return value_of(*columns.at(column), out);
    }
    case Type::LOGICAL_EXPRESSION_GET:
      for (auto& row : op.Cast<duckdb::LogicalExpressionGet>().expressions) {
        value_of(*row.at(column), out);
      }
      return;
    case Type::LOGICAL_PIVOT:
      return value_of_pivot(op.Cast<duckdb::LogicalPivot>(), column, out);
    case Type::LOGICAL_ANY_JOIN:
      return part_of(*op.Cast<duckdb::LogicalAnyJoin>().condition, Flow::transformation,
                     out);
    case Type::LOGICAL_COMPARISON_JOIN:
    case Type::LOGICAL_DELIM_JOIN:  // the mark: whether a row has a match
      for (auto& condition : op.Cast<duckdb::LogicalComparisonJoin>().conditions) {
        part_of(*condition.left, Flow::transformation, out);
        part_of(*condition.right, Flow::transformation, out);
      }
      return;
    default:
      return;
  }
}

void Lineage::value_of_scan(duckdb::LogicalGet& get, std::size_t column, Sources& out) {
  const auto name = relation_name(get);
  if (name.empty()) {
    for (const auto& argument : arguments_of(get)) {
      for (const auto& [from, kinds] : this->column(argument)) {
        auto& have = out[from];
        have.flows |= flow_on(kinds.flows, Flow::transformation);
        have.influences |= kinds.influences;
      }
    }
    return;
  }
  const auto& ids = get.GetColumnIds();
  if (column >= ids.size() || ids[column].IsVirtualColumn()) return;
  out[{.relation = name, .column = get.GetColumnName(ids[column])}].flows |=
      bit(Flow::identity);
}

// Its child gives the groups, a list for each aggregate, and the list of what to pivot
// on; it gives the groups, and for each value in that list each aggregate.
void Lineage::value_of_pivot(duckdb::LogicalPivot& pivot, std::size_t column,
                             Sources& out) {
  auto& child = *pivot.children.at(0);
  const std::size_t groups = pivot.bound_pivot.group_count;
  if (column < groups) return value_of_child(child, column, out);
  const std::size_t aggregates = pivot.bound_pivot.aggregates.size();
  const auto bindings = child.GetColumnBindings();
  value_of_child(child, groups + (column - groups) % aggregates, out);
  decide(bindings.back(), Influence::filter, out);
}

void Lineage::value_of_child(Operator& child, std::size_t column, Sources& out) {
  const auto bindings = child.GetColumnBindings();
  if (column < bindings.size()) merge(this->column(bindings[column]), out);
}

void Lineage::value_of(const Expression& expression, Sources& out) {
  switch (expression.GetExpressionClass()) {
    case ExpressionClass::BOUND_COLUMN_REF:
      return merge(column(*binding_of(expression)), out);
    case ExpressionClass::BOUND_AGGREGATE:
      return value_of(expression.Cast<duckdb::BoundAggregateExpression>(), out);
    case ExpressionClass::BOUND_WINDOW:
      return value_of(expression.Cast<duckdb::BoundWindowExpression>(), out);
    case ExpressionClass::BOUND_REF:
    case ExpressionClass::BOUND_SUBQUERY:
      return note_incomplete("expression " + expression.ToString());
    default:
      break;
  }
  if (const auto* scalar = scalar_of(expression)) return value_of(*scalar, out);
  duckdb::ExpressionIterator::EnumerateChildren(
      expression,
      [&](const Expression& child) { part_of(child, Flow::transformation, out); });
}

void Lineage::value_of(const duckdb::BoundAggregateExpression& aggregate,
                       Sources& out) {
  for (const auto& child : aggregate.children) {
    part_of(*child, Flow::aggregation, out);
  }
  if (aggregate.filter) decide(*aggregate.filter, Influence::filter, out);
  if (aggregate.order_bys) decide(aggregate.order_bys->orders, Influence::sort, out);
}

void Lineage::value_of(const duckdb::BoundWindowExpression& window, Sources& out) {
  const Flow flow = window.aggregate ? Flow::aggregation : Flow::transformation;
  for (const auto& child : window.children) part_of(*child, flow, out);
  for (const auto* value : {window.default_expr.get(), window.offset_expr.get()}) {
    if (value != nullptr) part_of(*value, Flow::transformation, out);
  }
  for (const auto& partition : window.partitions) {
    if (!is_outer_column(*partition)) decide(*partition, Influence::window, out);
  }
  decide(window.orders, Influence::window, out);
  decide(window.arg_orders, Influence::window, out);
  for (const auto* bound : {window.start_expr.get(), window.end_expr.get()}) {
    if (bound != nullptr) decide(*bound, Influence::window, out);
  }
  if (window.filter_expr) decide(*window.filter_expr, Influence::filter, out);
}

void Lineage::part_of(const Expression& expression, Flow flow, Sources& out) {
  Sources found;
  value_of(expression, found);
  for (const auto& [from, kinds] : found) {
    auto& have = out[from];
    have.flows |= flow_on(kinds.flows, flow);
    have.influences |= kinds.influences;
  }
}

// The value of a scalar subquery, which is planned as CASE WHEN count(*) > 1 THEN
// error(…) ELSE first(value) END; else null.
const Expression* Lineage::scalar_of(const Expression& expression) const {
  if (expression.GetExpressionClass() != ExpressionClass::BOUND_CASE) return nullptr;
  const auto& choice = expression.Cast<duckdb::BoundCaseExpression>();
  const auto* binding = binding_of(*choice.else_expr);
  if (choice.case_checks.size() != 1 || binding == nullptr ||
      !calls(*choice.case_checks[0].then_expr, "error")) {
    return nullptr;
  }
  const auto found = by_index_.find(binding->table_index);
  if (found == by_index_.end() ||
      found->second->type != Type::LOGICAL_AGGREGATE_AND_GROUP_BY) {
    return nullptr;
  }
  const auto& aggregate = found->second->Cast<duckdb::LogicalAggregate>();
  if (!aggregate.groups.empty() || aggregate.aggregate_index != binding->table_index) {
    return nullptr;
  }
  const auto& first = aggregate.expressions.at(binding->column_index)
                          ->Cast<duckdb::BoundAggregateExpression>();
  return first.function.name == "first" ? first.children.at(0).get() : nullptr;
}

// --- What decides

void Lineage::decide(ColumnBinding binding, Influence kind, Sources& out) {
  const auto op = by_index_.find(binding.table_index);
  // Whether a row has a match in a subquery: the join tells what decides that.
  const bool mark = op != by_index_.end() && is_conditional_join(op->second->type);
  for (const auto& [from, kinds] : column(binding)) {
    const bool flows = kinds.flows != 0 && !mark;
    if (flows || kinds.influences != 0) {
      out[from].influences |= kinds.influences | (flows ? bit(kind) : 0U);
    }
  }
}

void Lineage::decide(const Expression& expression, Influence kind, Sources& out) {
  if (const auto* binding = binding_of(expression)) return decide(*binding, kind, out);
  duckdb::ExpressionIterator::EnumerateChildren(
      expression, [&](const Expression& child) { decide(child, kind, out); });
}

void Lineage::decide(const std::vector<duckdb::BoundOrderByNode>& orders,
                     Influence kind, Sources& out) {
  for (const auto& order : orders) decide(*order.expression, kind, out);
}

void Lineage::decide_child(Operator& child, Influence kind, Sources& out) {
  for (const auto& binding : child.GetColumnBindings()) decide(binding, kind, out);
}

void Lineage::rows_by(Operator& op, Sources& out) {
  const auto group = [&](const Expression& expression) {
    if (!is_outer_column(expression)) decide(expression, Influence::group, out);
  };
  switch (op.type) {
    case Type::LOGICAL_FILTER:
      for (const auto& condition : op.expressions) {
        decide(*condition,
               compares_relations(*condition) ? Influence::join : Influence::filter,
               out);
      }
      return;
    case Type::LOGICAL_AGGREGATE_AND_GROUP_BY:
      for (const auto& part : op.Cast<duckdb::LogicalAggregate>().groups) group(*part);
      return;
    case Type::LOGICAL_DISTINCT: {
      auto& distinct = op.Cast<duckdb::LogicalDistinct>();
      for (const auto& target : distinct.distinct_targets) group(*target);
      if (distinct.order_by) decide(distinct.order_by->orders, Influence::sort, out);
      return;
    }
    case Type::LOGICAL_ORDER_BY:
      return decide(op.Cast<duckdb::LogicalOrder>().orders, Influence::sort, out);
    case Type::LOGICAL_TOP_N:
      return decide(op.Cast<duckdb::LogicalTopN>().orders, Influence::sort, out);
    case Type::LOGICAL_LIMIT: {
      auto& limit = op.Cast<duckdb::LogicalLimit>();
      for (auto* bound : {&limit.limit_val, &limit.offset_val}) {
        const auto& expression = bound->GetExpression();
        if (expression) decide(*expression, Influence::filter, out);
      }
      return;
    }
    case Type::LOGICAL_UNNEST:
      for (const auto& list : op.expressions) decide(*list, Influence::join, out);
      return;
    case Type::LOGICAL_GET:
      for (const auto& argument : arguments_of(op.Cast<duckdb::LogicalGet>())) {
        decide(argument, Influence::join, out);
      }
      return;
    case Type::LOGICAL_CTE_REF: {
      const auto cte = by_index_.find(op.Cast<duckdb::LogicalCTERef>().cte_index);
      if (cte == by_index_.end()) return;
      return merge(rows(cte->second->type == Type::LOGICAL_RECURSIVE_CTE
                            ? *cte->second
                            : *cte->second->children.at(0)),
                   out);
    }
    case Type::LOGICAL_UNION:
    case Type::LOGICAL_EXCEPT:
    case Type::LOGICAL_INTERSECT:
    case Type::LOGICAL_RECURSIVE_CTE:
      return rows_by_set_operation(op, out);
    default:
      if (is_conditional_join(op.type) && side_of_values(op) == nullptr) match(op, out);
  }
}

void Lineage::rows_by_set_operation(Operator& op, Sources& out) {
  if (op.type == Type::LOGICAL_RECURSIVE_CTE) {
    auto& recursive = op.Cast<duckdb::LogicalRecursiveCTE>();
    for (const auto& key : recursive.key_targets) decide(*key, Influence::group, out);
    if (!recursive.union_all && recursive.key_targets.empty()) {
      decide_child(op, Influence::group, out);
    }
    return;
  }
  if (!op.Cast<duckdb::LogicalSetOperation>().setop_all) {
    decide_child(op, Influence::group, out);
  }
  if (op.type != Type::LOGICAL_UNION) {
    decide_child(*op.children.at(1), Influence::filter, out);
  }
}

// What decides which rows of its sides a join puts together.
void Lineage::match(Operator& op, Sources& out) {
  if (!is_conditional_join(op.type)) return;
  if (op.type == Type::LOGICAL_ANY_JOIN) {
    return decide(*op.Cast<duckdb::LogicalAnyJoin>().condition, Influence::join, out);
  }
  auto& join = op.Cast<duckdb::LogicalComparisonJoin>();
  for (const auto& condition : join.conditions) {
    // Of a subquery that was put beside its outer columns, with themselves.
    if (is_outer_column(*condition.left) && is_outer_column(*condition.right)) continue;
    decide(*condition.left, Influence::join, out);
    decide(*condition.right, Influence::join, out);
  }
  if (join.predicate) decide(*join.predicate, Influence::join, out);
  for (const auto& column : join.duplicate_eliminated_columns) {
    decide(*column, Influence::join, out);
  }
}

// The operator that a column's rows come from; null for what is computed beside others
// of the row: windows, lists taken apart, subqueries that are values.
const LogicalOperator* Lineage::relation_of(ColumnBinding binding) const {
  const auto found = by_index_.find(binding.table_index);
  if (found == by_index_.end() || beside_.contains(binding.table_index) ||
      found->second->type == Type::LOGICAL_WINDOW ||
      found->second->type == Type::LOGICAL_UNNEST) {
    return nullptr;
  }
  return found->second;
}

std::set<const LogicalOperator*> Lineage::relations_of(
    const Expression& expression) const {
  std::set<const Operator*> result;
  if (const auto* binding = binding_of(expression)) {
    if (const auto* relation = relation_of(*binding)) result.insert(relation);
    return result;
  }
  duckdb::ExpressionIterator::EnumerateChildren(
      expression, [&](const Expression& child) { result.merge(relations_of(child)); });
  return result;
}

// True for a condition of WHERE that might as well be one of JOIN … ON: it compares
// what one relation has with what another has.
bool Lineage::compares_relations(const Expression& expression) const {
  std::set<const Operator*> left;
  std::set<const Operator*> right;
  if (expression.GetExpressionClass() == ExpressionClass::BOUND_COMPARISON) {
    const auto& comparison = expression.Cast<duckdb::BoundComparisonExpression>();
    left = relations_of(*comparison.left);
    right = relations_of(*comparison.right);
  } else if (expression.GetExpressionClass() == ExpressionClass::BOUND_BETWEEN) {
    const auto& between = expression.Cast<duckdb::BoundBetweenExpression>();
    left = relations_of(*between.input);
    right = relations_of(*between.lower);
    right.merge(relations_of(*between.upper));
  }
  return !left.empty() && !right.empty() &&
         std::none_of(left.begin(), left.end(),
                      [&](const Operator* one) { return right.contains(one); });
}

// True for a column of the outer query in a subquery, which is the same for all rows of
// the subquery: the plan groups and joins by it, the query does not.
bool Lineage::is_outer_column(const Expression& expression) const {
  const auto* binding = binding_of(expression);
  if (binding == nullptr) return false;
  const auto found = by_index_.find(binding->table_index);
  if (found == by_index_.end()) return false;
  switch (found->second->type) {
    case Type::LOGICAL_DELIM_GET:
      return true;
    case Type::LOGICAL_PROJECTION:
      return is_outer_column(*found->second->expressions.at(binding->column_index));
    case Type::LOGICAL_AGGREGATE_AND_GROUP_BY: {
      const auto& aggregate = found->second->Cast<duckdb::LogicalAggregate>();
      return binding->table_index == aggregate.group_index &&
             is_outer_column(*aggregate.groups.at(binding->column_index));
    }
    default:
      return false;
  }
}

}  // namespace lakemill::engine_duckdb
