#include "lakemill/engine_duckdb/sql_syntax.h"

#include <algorithm>

#include <duckdb.hpp>
#include <duckdb/parser/query_node/list.hpp>

#include "lakemill/base/guard.h"
#include "lakemill/engine_duckdb/error_mapping.h"
#include "lakemill/engine_duckdb/predicate_shape.h"
#include "lakemill/engine_duckdb/sql_gate.h"

namespace lakemill::engine_duckdb {

namespace {

// What `check` throws or gives as a fault of `sql`.
template <typename Check>
std::optional<SyntaxFault> fault_of(std::string_view sql, Check&& check) {
  std::optional<std::size_t> offset;
  Status checked;
  try {
    checked = check();
  } catch (const std::exception& exception) {
    const duckdb::ErrorData error(exception);
    offset = offset_in(error, sql);
    checked = to_error(error, {});
  }
  if (checked) return std::nullopt;
  return SyntaxFault{checked.error().message(), offset};
}

// Those of `found` with the offset counted from where the author's text begins.
std::vector<TableInSql> tables_of(std::vector<MentionedTable> found,
                                  std::size_t before) {
  std::vector<TableInSql> tables;
  for (MentionedTable& table : found) {
    const std::size_t at = table.offset.IsValid() ? table.offset.GetIndex() : 0;
    tables.push_back({std::move(table.catalog), std::move(table.schema),
                      std::move(table.table), std::move(table.place),
                      at < before ? 0 : at - before});
  }
  return tables;
}

}  // namespace

std::vector<TableInSql> tables_in_query(std::string_view sql) {
  const auto found = guard("tables", [&]() -> std::vector<TableInSql> {
    duckdb::Parser parser;
    parser.ParseQuery(std::string(sql));
    const auto statement = only_statement(parser, engine::Origin::pipeline);
    if (!statement) return {};
    auto& query = *(*statement)->Cast<duckdb::SelectStatement>().node;
    return tables_of(catalog_tables(query), 0);
  });
  return found ? *found : std::vector<TableInSql>();
}

std::vector<TableInSql> tables_in_predicate(std::string_view predicate) {
  const auto found = guard("tables", [&]() -> std::vector<TableInSql> {
    const auto expressions =
        duckdb::Parser::ParseExpressionList(std::string(predicate) + "\n");
    if (expressions.size() != 1) return {};
    constexpr std::string_view kSelect = "SELECT ";  // which DuckDB puts in front
    return tables_of(catalog_tables(*expressions[0]), kSelect.size());
  });
  return found ? *found : std::vector<TableInSql>();
}

std::optional<SyntaxFault> fault_in_query(std::string_view sql) {
  return fault_of(sql, [&]() -> Status {
    duckdb::Parser parser;
    parser.ParseQuery(std::string(sql));
    LAKEMILL_TRY(const auto statement,
                 only_statement(parser, engine::Origin::pipeline));
    refuse_forbidden_names(*statement->Cast<duckdb::SelectStatement>().node);
    return {};
  });
}

std::optional<std::size_t> nameless_column(std::string_view sql,
                                           std::string_view part) {
  const auto found = guard("columns", [&]() -> std::optional<std::size_t> {
    duckdb::Parser parser;
    parser.ParseQuery(std::string(sql));
    const auto statement = only_statement(parser, engine::Origin::pipeline);
    if (!statement) return std::nullopt;
    const duckdb::QueryNode* node =
        (*statement)->Cast<duckdb::SelectStatement>().node.get();
    while (node->type == duckdb::QueryNodeType::SET_OPERATION_NODE) {
      node = node->Cast<duckdb::SetOperationNode>().children.front().get();
    }
    if (node->type != duckdb::QueryNodeType::SELECT_NODE) return std::nullopt;
    for (const auto& column : node->Cast<duckdb::SelectNode>().select_list) {
      const bool is_plain =
          column->GetExpressionClass() == duckdb::ExpressionClass::COLUMN_REF;
      if (is_plain || column->HasAlias()) continue;
      if (column->ToString().find(part) == std::string::npos) continue;
      const auto place = column->GetQueryLocation();
      return place.IsValid() ? place.GetIndex() : sql.find(part);
    }
    return std::nullopt;
  });
  return found ? *found : std::nullopt;
}

std::optional<SyntaxFault> fault_in_predicate(std::string_view predicate,
                                              PredicateUse use) {
  // DuckDB parses a list of expressions as what it puts in front with it.
  constexpr std::string_view kSelect = "SELECT ";
  const std::string text = "(" + std::string(predicate) + "\n)";
  auto fault = fault_of(std::string(kSelect) + text, [&]() -> Status {
    const auto expressions = duckdb::Parser::ParseExpressionList(text);
    if (expressions.size() != 1) {
      return Error(ErrorCode::invalid, "one expression must stand here");
    }
    refuse_forbidden_names(*expressions[0]);
    refuse_other_shapes(*expressions[0], use);
    // What closes our bracket and opens one again is no expression by itself.
    const auto alone = guard("expression", [&] {
      return duckdb::Parser::ParseExpressionList(std::string(predicate) + "\n").size();
    });
    if (!alone) {
      return Error(ErrorCode::invalid,
                   "syntax error: a bracket is closed that was not opened");
    }
    return {};
  });
  if (fault && fault->offset) {
    const std::size_t before = kSelect.size() + 1;
    // The bracket that closes ours, which the author has not written.
    if (*fault->offset >= before + predicate.size() &&
        fault->message.ends_with("\")\"")) {
      fault->message = "syntax error: the expression ends too early";
    }
    fault->offset =
        std::clamp(*fault->offset, before, before + predicate.size()) - before;
  }
  return fault;
}

}  // namespace lakemill::engine_duckdb
