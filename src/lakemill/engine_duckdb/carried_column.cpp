#include "lakemill/engine_duckdb/carried_column.h"

#include <algorithm>
#include <map>

#include <duckdb/parser/expression/list.hpp>
#include <duckdb/parser/parsed_expression_iterator.hpp>
#include <duckdb/parser/query_node/list.hpp>
#include <duckdb/parser/tableref/list.hpp>

#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/duckdb_headers.h"

namespace lakemill::engine_duckdb {
namespace {

using duckdb::ParsedExpression;
using duckdb::QueryNode;
using duckdb::TableRef;

// Leads one column through the FROM clauses of a statement. What does not lead to a
// twin (tables within expressions, the other sides of joins) stays as it is.
class Carrier {
 public:
  Carrier(const std::string& column, const TwinOf& twin_of)
      : column_(column), twin_of_(twin_of) {}

  // Replaces the query by one that hands the column on; false, and nothing done, where
  // it cannot.
  bool carry(duckdb::unique_ptr<QueryNode>& query) {
    auto copy = query->Copy();
    const auto outer = with_;
    const bool carries = node(*copy);
    with_ = outer;
    if (carries) query = std::move(copy);
    return carries;
  }

 private:
  bool node(QueryNode& query) {
    for (auto& [name, with] : query.cte_map.map) {
      const bool carries = carry(with->query->node);
      with_[to_lower(name)] = carries;
    }
    leave_out_of_order(query);
    switch (query.type) {
      case duckdb::QueryNodeType::SELECT_NODE:
        return select(query.Cast<duckdb::SelectNode>());
      case duckdb::QueryNodeType::SET_OPERATION_NODE: {
        auto& children = query.Cast<duckdb::SetOperationNode>().children;
        return std::all_of(children.begin(), children.end(),
                           [this](auto& child) { return carry(child); });
      }
      default:
        return false;
    }
  }

  bool select(duckdb::SelectNode& query) {
    if (!query.from_table) return false;
    const auto alias = table(*query.from_table);
    if (!alias) return false;
    for (auto& expression : query.select_list) leave_out(*expression, *alias);
    if (query.where_clause) leave_out(*query.where_clause, *alias);
    query.select_list.push_back(
        duckdb::make_uniq<duckdb::ColumnRefExpression>(column_));
    return true;
  }

  // The name under which a FROM item has the column now, perhaps empty; none if it does
  // not.
  std::optional<std::string> table(TableRef& current) {
    switch (current.type) {
      case duckdb::TableReferenceType::BASE_TABLE:
        return base_table(current.Cast<duckdb::BaseTableRef>());
      case duckdb::TableReferenceType::SUBQUERY:
        if (!carry(current.Cast<duckdb::SubqueryRef>().subquery->node)) break;
        return current.alias;
      case duckdb::TableReferenceType::JOIN: {
        auto& join = current.Cast<duckdb::JoinRef>();
        if (auto alias = table(*join.left)) return alias;
        return table(*join.right);
      }
      case duckdb::TableReferenceType::PIVOT:
        return unpivot(current.Cast<duckdb::PivotRef>());
      default:
        break;
    }
    return std::nullopt;
  }

  std::optional<std::string> base_table(duckdb::BaseTableRef& base) {
    if (!base.schema_name.empty() || !base.catalog_name.empty()) return std::nullopt;
    const std::string alias = base.alias.empty() ? base.table_name : base.alias;
    if (const auto with = with_.find(to_lower(base.table_name)); with != with_.end()) {
      return with->second ? std::optional(alias) : std::nullopt;
    }
    auto twin = twin_of_(base.table_name);
    if (!twin) return std::nullopt;
    base.alias = alias;
    base.table_name = *std::move(twin);
    return alias;
  }

  std::optional<std::string> unpivot(duckdb::PivotRef& pivot) {
    if (pivot.unpivot_names.empty()) return std::nullopt;
    const auto alias = table(*pivot.source);
    if (!alias) return std::nullopt;
    for (auto& column : pivot.pivots) {
      for (auto& entry : column.entries) {
        if (entry.expr) leave_out(*entry.expr, *alias);
      }
    }
    return pivot.alias;
  }

  // `*`, `t.*` and COLUMNS(…) stand for the columns that the author knows of.
  void leave_out(ParsedExpression& current, const std::string& alias) {
    if (current.GetExpressionClass() == duckdb::ExpressionClass::STAR) {
      auto& star = current.Cast<duckdb::StarExpression>();
      if (star.relation_name.empty() ||
          equals_ignoring_case(star.relation_name, alias)) {
        star.exclude_list.insert(duckdb::QualifiedColumnName(column_));
      }
    }
    duckdb::ParsedExpressionIterator::EnumerateChildren(
        current, [&](duckdb::unique_ptr<ParsedExpression>& child) {
          if (child) leave_out(*child, alias);
        });
  }

  // ORDER BY ALL would mean the column too; rows that are merged need no order.
  static void leave_out_of_order(QueryNode& query) {
    auto& modifiers = query.modifiers;
    const bool only_orders =
        std::all_of(modifiers.begin(), modifiers.end(), [](const auto& modifier) {
          return modifier->type == duckdb::ResultModifierType::ORDER_MODIFIER;
        });
    if (only_orders) modifiers.clear();
  }

  const std::string& column_;
  const TwinOf& twin_of_;
  std::map<std::string, bool> with_;  // names of WITH in scope: whether they carry
};

}  // namespace

duckdb::unique_ptr<duckdb::SelectStatement> carry_column(
    const duckdb::SelectStatement& statement, const std::string& column,
    const TwinOf& twin_of) {
  auto copy = duckdb::unique_ptr_cast<duckdb::SQLStatement, duckdb::SelectStatement>(
      statement.Copy());
  if (!Carrier(column, twin_of).carry(copy->node)) return nullptr;
  return copy;
}

}  // namespace lakemill::engine_duckdb
