#pragma once

// A bound plan as a graph: a column of an operator has the columns that its expression
// names, down to the scans. What is asked of it is the least fixed point of that graph,
// which has circles where a query is recursive.

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <duckdb.hpp>
#include <duckdb/planner/column_binding.hpp>
#include <duckdb/planner/expression.hpp>
#include <duckdb/planner/logical_operator.hpp>
#include <duckdb/planner/operator/list.hpp>

#include "lakemill/engine/query_shape.h"

namespace lakemill::engine_duckdb {

/// Follows columns of a bound plan, not optimized, down to the relations that they come
/// from. Hidden columns of relations are left out.
///
/// The plan must outlive it and stay as it is. One thread at a time.
class Lineage {
 public:
  explicit Lineage(duckdb::LogicalOperator& plan);

  /// What the plan reads: bound names and tables of the catalog.
  const std::set<std::string>& relations() const { return relations_; }

  /// What a column that the plan gives has of which columns, ascending.
  std::vector<engine::LineageEdge> edges(duckdb::ColumnBinding binding);

  /// What decides the plan's rows, ascending.
  std::vector<engine::RowInfluence> row_influences();

  /// What the plan has that is not known here, once all was asked; or nothing.
  const std::string& incomplete_because() const { return incomplete_because_; }

 private:
  using Operator = duckdb::LogicalOperator;

  // Sets of Flow and Influence, a bit each.
  struct Kinds {
    unsigned flows = 0;
    unsigned influences = 0;
    bool operator==(const Kinds&) const = default;
  };
  using Sources = std::map<engine::ColumnRef, Kinds>;
  // A column by its table and its place in it, or what decides the rows of an operator.
  using Key = std::tuple<duckdb::idx_t, duckdb::idx_t, const Operator*>;
  // A side of a join that gives each row of the other side values, and decides none.
  struct Beside {
    Operator* join = nullptr;
    Operator* side = nullptr;
  };

  void index(Operator& op);
  void index_children(Operator& op);
  void index_scan(duckdb::LogicalGet& get);
  void note_incomplete(const std::string& why);

  Sources settle(const std::function<void(Sources&)>& compute);
  const Sources& solve(const Key& key, const std::function<void(Sources&)>& compute);
  const Sources& column(duckdb::ColumnBinding binding);
  const Sources& rows(Operator& op);

  void value_of(duckdb::ColumnBinding binding, Operator& op, Sources& out);
  void value_of_scan(duckdb::LogicalGet& get, std::size_t column, Sources& out);
  void value_of_pivot(duckdb::LogicalPivot& pivot, std::size_t column, Sources& out);
  void value_of_child(Operator& child, std::size_t column, Sources& out);
  void value_of(const duckdb::Expression& expression, Sources& out);
  void value_of(const duckdb::BoundAggregateExpression& aggregate, Sources& out);
  void value_of(const duckdb::BoundWindowExpression& window, Sources& out);
  void part_of(const duckdb::Expression& expression, engine::Flow flow, Sources& out);

  void decide(duckdb::ColumnBinding binding, engine::Influence kind, Sources& out);
  void decide(const duckdb::Expression& expression, engine::Influence kind,
              Sources& out);
  void decide(const std::vector<duckdb::BoundOrderByNode>& orders,
              engine::Influence kind, Sources& out);
  void decide_child(Operator& child, engine::Influence kind, Sources& out);
  void rows_by(Operator& op, Sources& out);
  void rows_by_set_operation(Operator& op, Sources& out);
  void match(Operator& op, Sources& out);

  const Operator* relation_of(duckdb::ColumnBinding binding) const;
  std::set<const Operator*> relations_of(const duckdb::Expression& expression) const;
  bool compares_relations(const duckdb::Expression& expression) const;
  bool is_outer_column(const duckdb::Expression& expression) const;
  const duckdb::Expression* scalar_of(const duckdb::Expression& expression) const;

  std::map<duckdb::idx_t, Operator*> by_index_;
  std::map<duckdb::idx_t, Operator*> delim_of_;  // lateral joins of their DELIM_GETs
  std::map<duckdb::idx_t, Beside> beside_;
  std::vector<Operator*> delim_joins_;
  std::set<std::string> relations_;
  std::string incomplete_because_;
  Operator& root_;

  std::map<Key, Sources> known_;
  std::set<Key> visited_;
  std::set<Key> open_;
  bool circular_ = false;
  bool changed_ = false;
};

}  // namespace lakemill::engine_duckdb
