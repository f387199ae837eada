#include "lakemill/engine_duckdb/carried_column.h"

#include <duckdb/parser/expression/list.hpp>
#include <duckdb/parser/parsed_expression_iterator.hpp>
#include <duckdb/parser/query_node/list.hpp>

#include "lakemill/engine_duckdb/duckdb_headers.h"

namespace lakemill::engine_duckdb {
namespace {

using duckdb::ParsedExpression;
using duckdb::QueryNode;
using duckdb::TableRef;

class Carrier {
 public:
  explicit Carrier(const std::string& column) : column_(column) {}

  void node(QueryNode& query) {
    for (auto& entry : query.cte_map.map) node(*entry.second->query->node);
    switch (query.type) {
      case duckdb::QueryNodeType::SELECT_NODE:
        return select(query.Cast<duckdb::SelectNode>());
      case duckdb::QueryNodeType::SET_OPERATION_NODE:
        for (auto& child : query.Cast<duckdb::SetOperationNode>().children) {
          node(*child);
        }
        return;
      default:
        return;
    }
  }

 private:
  void select(duckdb::SelectNode& query) {
    if (query.from_table) table(*query.from_table);
    for (auto& expression : query.select_list) leave_out(*expression);
    if (query.where_clause) leave_out(*query.where_clause);
    query.select_list.push_back(
        duckdb::make_uniq<duckdb::ColumnRefExpression>(column_));
  }

  void table(TableRef& current) {
    if (current.type != duckdb::TableReferenceType::SUBQUERY) return;
    node(*current.Cast<duckdb::SubqueryRef>().subquery->node);
  }

  // `*`, `t.*` and COLUMNS(…) stand for the columns that the author knows of.
  void leave_out(ParsedExpression& current) {
    if (current.GetExpressionClass() == duckdb::ExpressionClass::STAR) {
      current.Cast<duckdb::StarExpression>().exclude_list.insert(
          duckdb::QualifiedColumnName(column_));
    }
    duckdb::ParsedExpressionIterator::EnumerateChildren(
        current, [this](duckdb::unique_ptr<ParsedExpression>& child) {
          if (child) leave_out(*child);
        });
  }

  const std::string& column_;
};

}  // namespace

void carry_column(duckdb::SelectStatement& statement, const std::string& column) {
  Carrier(column).node(*statement.node);
}

}  // namespace lakemill::engine_duckdb
