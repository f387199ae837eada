#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <duckdb.hpp>
#include <duckdb/planner/column_binding.hpp>
#include <duckdb/planner/expression.hpp>
#include <duckdb/planner/logical_operator.hpp>
#include <duckdb/planner/operator/logical_get.hpp>

#include "lakemill/engine/query_shape.h"

namespace lakemill::engine_duckdb {

/// The side of a lateral join that is run for each row of the other one.
std::size_t delim_side(duckdb::LogicalOperator& op);

/// Follows columns of a bound plan down to the relations that they come from.
///
/// The plan must outlive it and stay as it is. One thread at a time.
class Lineage {
 public:
  using Columns = std::set<engine::ColumnRef>;

  explicit Lineage(duckdb::LogicalOperator& plan);

  /// What the plan reads: bound names and tables of the catalog.
  const std::set<std::string>& relations() const { return relations_; }

  /// Where the values of a column come from.
  Columns sources(duckdb::ColumnBinding binding);

  /// The columns that decide rows.
  Columns indirect();

 private:
  void follow(duckdb::ColumnBinding binding, Columns& out);
  void follow(const duckdb::Expression& expression, Columns& out);
  void index(duckdb::LogicalOperator& op);
  void index_expressions(duckdb::LogicalOperator& op);
  void follow_operator(duckdb::LogicalOperator& op, duckdb::ColumnBinding binding,
                       Columns& out);
  void follow_child(duckdb::LogicalOperator& child, std::size_t column, Columns& out);
  void follow_get(duckdb::LogicalGet& get, std::size_t column, Columns& out);

  std::map<duckdb::idx_t, duckdb::LogicalOperator*> by_index_;
  std::map<duckdb::idx_t, duckdb::LogicalOperator*> delim_of_;
  std::vector<duckdb::LogicalOperator*> delim_joins_;
  std::vector<const duckdb::Expression*> deciding_;
  std::set<std::pair<duckdb::idx_t, duckdb::idx_t>> open_;
  std::set<std::string> relations_;
};

}  // namespace lakemill::engine_duckdb
