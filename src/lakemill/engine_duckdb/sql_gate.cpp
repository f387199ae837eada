#include "lakemill/engine_duckdb/sql_gate.h"

#include <algorithm>
#include <array>
#include <functional>

#include <duckdb/parser/expression/list.hpp>
#include <duckdb/parser/parsed_expression_iterator.hpp>
#include <duckdb/parser/query_node/list.hpp>
#include <duckdb/planner/planner_extension.hpp>

#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/catalog_extension.h"
#include "lakemill/engine_duckdb/duckdb_headers.h"
#include "lakemill/engine_duckdb/error_mapping.h"
#include "lakemill/engine_duckdb/session_state.h"

namespace lakemill::engine_duckdb {
namespace {

using duckdb::LogicalOperatorType;
using duckdb::ParsedExpression;
using duckdb::QueryNode;
using duckdb::TableRef;
using engine::Origin;

constexpr std::array kTableFunctions{
    "range",     "generate_series", "unnest",     "repeat",        "repeat_row",
    "json_each", "json_tree",       "delta_scan", "table_history", "table_changes"};

// What a person at the command line may read besides.
constexpr std::array kUserTableFunctions{"read_csv",
                                         "read_csv_auto",
                                         "read_parquet",
                                         "parquet_scan",
                                         "read_json",
                                         "read_json_auto",
                                         "read_json_objects",
                                         "read_json_objects_auto",
                                         "read_ndjson",
                                         "read_ndjson_auto",
                                         "read_ndjson_objects",
                                         "read_text",
                                         "read_blob",
                                         "glob",
                                         "sniff_csv",
                                         "parquet_metadata",
                                         "parquet_schema",
                                         "parquet_file_metadata",
                                         "parquet_kv_metadata",
                                         "duckdb_columns",
                                         "duckdb_tables",
                                         "duckdb_views",
                                         "duckdb_schemas",
                                         "duckdb_functions",
                                         "duckdb_types",
                                         "duckdb_keywords",
                                         "pragma_table_info"};

// Scalar functions that tell or change what is not data.
constexpr std::array kForbiddenFunctions{
    "current_setting", "getenv",      "write_log",       "nextval",
    "currval",         "getvariable", "set_config",      "pg_sleep",
    "enable_logging",  "sleep_ms",    "read_duckdb_log", "parse_duckdb_log_message"};

template <typename Names>
bool is_in(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_ours(std::string_view name) { return name.starts_with("lakemill_"); }

bool may_call_table_function(std::string_view name, Origin origin,
                             const DuckdbInstance* instance) {
  if (is_in(kTableFunctions, name)) return true;
  const bool confined = instance != nullptr && instance->options().confine_user;
  return origin == Origin::user && !confined && is_in(kUserTableFunctions, name);
}

[[noreturn]] void refuse_table_function(const std::string& name, Origin origin) {
  const bool reader = is_in(kUserTableFunctions, name);
  std::string text = "SQL may not call the table function " + name;
  if (reader && origin == Origin::pipeline) {
    text += "; declare the files as a FILE source and read that";
  } else if (reader) {
    text += " here, because reading is confined to the project's roots";
  }
  throw_error(Error(ErrorCode::denied, text));
}

// Walks over all of a parsed SELECT: nodes, tables and expressions, wherever they are.
class Walker {
 public:
  using OnExpression = std::function<void(ParsedExpression&)>;
  using OnTable = std::function<void(TableRef&)>;
  Walker(OnExpression on_expression, OnTable on_table)
      : on_expression_(std::move(on_expression)), on_table_(std::move(on_table)) {}

  void node(QueryNode& query) {
    duckdb::ParsedExpressionIterator::EnumerateQueryNodeChildren(
        query, [this](auto& child) { expression(*child); },
        [this](TableRef& child) { table(child); });
  }

  void expression(ParsedExpression& current) {
    on_expression_(current);
    if (current.GetExpressionClass() == duckdb::ExpressionClass::SUBQUERY) {
      node(*current.Cast<duckdb::SubqueryExpression>().subquery->node);
    }
    duckdb::ParsedExpressionIterator::EnumerateChildren(
        current, [this](duckdb::unique_ptr<ParsedExpression>& child) {
          if (child) expression(*child);
        });
  }

 private:
  void table(TableRef& current) {
    on_table_(current);
    switch (current.type) {
      case duckdb::TableReferenceType::SHOW_REF:
        if (auto& query = current.Cast<duckdb::ShowRef>().query) node(*query);
        break;
      case duckdb::TableReferenceType::PIVOT:
        pivot(current.Cast<duckdb::PivotRef>());
        break;
      case duckdb::TableReferenceType::TABLE_FUNCTION:
        if (auto& query = current.Cast<duckdb::TableFunctionRef>().subquery) {
          node(*query->node);
        }
        break;
      case duckdb::TableReferenceType::BASE_TABLE:
        if (auto& at = current.Cast<duckdb::BaseTableRef>().at_clause) {
          expression(*at->ExpressionMutable());
        }
        break;
      default:
        break;
    }
  }

  void pivot(duckdb::PivotRef& current) {
    for (auto& column : current.pivots) {
      for (auto& part : column.pivot_expressions) expression(*part);
      for (auto& entry : column.entries) {
        if (entry.expr) expression(*entry.expr);
      }
      if (column.subquery) node(*column.subquery);
    }
  }

  OnExpression on_expression_;
  OnTable on_table_;
};

bool is_engine_schema(const std::string& schema) {
  return schema == "information_schema" || schema == "pg_catalog";
}
bool is_engine_catalog(const std::string& catalog) {
  return catalog == "temp" || catalog == "system" || catalog == "memory";
}

// Leads names with a schema to our catalog, whose schemas are named by both catalog and
// schema, because DuckDB keeps the name "main" for itself.
class NameRewriter {
 public:
  explicit NameRewriter(const std::string& default_catalog)
      : default_catalog_(default_catalog) {}

  void table(TableRef& current) {
    if (current.type == duckdb::TableReferenceType::BASE_TABLE) {
      auto& base = current.Cast<duckdb::BaseTableRef>();
      rewrite(base.catalog_name, base.schema_name, base.table_name, base.alias.empty());
    } else if (current.type == duckdb::TableReferenceType::SHOW_REF) {
      auto& show = current.Cast<duckdb::ShowRef>();
      if (!show.table_name.empty()) {
        rewrite(show.catalog_name, show.schema_name, show.table_name, false);
      }
    }
  }
  void expression(ParsedExpression& current) {
    if (current.GetExpressionClass() == duckdb::ExpressionClass::COLUMN_REF) {
      columns_.push_back(&current.Cast<duckdb::ColumnRefExpression>());
    }
  }
  /// Columns that were named through a schema are then named through their table.
  void finish() {
    for (auto* column : columns_) {
      auto& names = column->column_names;
      for (const auto& path : paths_) {
        for (std::size_t skip : {std::size_t{0}, std::size_t{1}}) {
          const auto length = path.size() - skip;
          if (names.size() <= length ||
              !std::equal(path.begin() + static_cast<std::ptrdiff_t>(skip), path.end(),
                          names.begin(), equals_ignoring_case)) {
            continue;
          }
          names.erase(names.begin(),
                      names.begin() + static_cast<std::ptrdiff_t>(length - 1));
          break;
        }
      }
    }
  }

 private:
  void rewrite(std::string& catalog, std::string& schema, const std::string& table,
               bool bare) {
    if (schema.empty() || is_engine_schema(schema) || is_engine_catalog(catalog)) {
      return;
    }
    const auto& named = catalog.empty() ? default_catalog_ : catalog;
    if (bare) paths_.push_back({named, schema, table});
    schema = catalog_schema_name(named, schema);
    catalog = kCatalogName;
  }

  std::string default_catalog_;
  std::vector<std::vector<std::string>> paths_;
  std::vector<duckdb::ColumnRefExpression*> columns_;
};

// Columns that only Lakemill knows of have such names.
void check_name(const std::string& name, duckdb::optional_idx place) {
  if (!to_lower(name).starts_with("_lakemill_")) return;
  throw_error(Error(ErrorCode::invalid,
                    "names that begin with _lakemill_ are kept for Lakemill's own use, "
                    "and SQL may not use them: " +
                        name + "; choose another name"),
              place);
}

void check_names(const ParsedExpression& current) {
  const auto place = current.GetQueryLocation();
  check_name(current.GetAlias(), place);
  if (current.GetExpressionClass() == duckdb::ExpressionClass::COLUMN_REF) {
    for (const auto& name : current.Cast<duckdb::ColumnRefExpression>().column_names) {
      check_name(name, place);
    }
  } else if (current.GetExpressionClass() == duckdb::ExpressionClass::STAR) {
    const auto& star = current.Cast<duckdb::StarExpression>();
    for (const auto& excluded : star.exclude_list) check_name(excluded.column, place);
    for (const auto& [name, with] : star.replace_list) check_name(name, place);
    for (const auto& [from, to] : star.rename_list) {
      check_name(from.column, place);
      check_name(to, place);
    }
  }
}

void check_names(const TableRef& current) {
  check_name(current.alias, current.query_location);
  for (const auto& name : current.column_name_alias) {
    check_name(name, current.query_location);
  }
  if (current.type == duckdb::TableReferenceType::BASE_TABLE) {
    check_name(current.Cast<duckdb::BaseTableRef>().table_name, current.query_location);
  }
}

void check_expression(const ParsedExpression& current) {
  std::string name;
  if (current.GetExpressionClass() == duckdb::ExpressionClass::FUNCTION) {
    name = to_lower(current.Cast<duckdb::FunctionExpression>().function_name);
  } else if (current.GetExpressionClass() == duckdb::ExpressionClass::WINDOW) {
    name = to_lower(current.Cast<duckdb::WindowExpression>().function_name);
  }
  if (is_in(kForbiddenFunctions, name) || is_ours(name)) {
    throw_error(Error(ErrorCode::denied, "SQL may not call the function " + name));
  }
  if (current.GetExpressionClass() == duckdb::ExpressionClass::PARAMETER) {
    throw duckdb::BinderException(current,
                                  "no value is bound to ? or $1 here; a pipeline's SQL "
                                  "takes values by ${params.name} or ${vars.name}");
  }
}

// Of a name without a schema DuckDB would forget it where it is that of a WITH.
void check_versioned(const duckdb::BaseTableRef& current) {
  if (!current.at_clause || !current.schema_name.empty()) return;
  throw_error(Error(ErrorCode::invalid,
                    "AT asks for a version of a table, which is named with its schema "
                    "(main.default.orders); " +
                        current.table_name + " is not"),
              current.query_location);
}

void check_table(const TableRef& current, Origin origin,
                 const DuckdbInstance* instance) {
  if (current.type == duckdb::TableReferenceType::BASE_TABLE) {
    check_versioned(current.Cast<duckdb::BaseTableRef>());
  }
  if (current.type != duckdb::TableReferenceType::TABLE_FUNCTION) return;
  const auto& function = *current.Cast<duckdb::TableFunctionRef>().function;
  if (function.GetExpressionClass() != duckdb::ExpressionClass::FUNCTION) return;
  const auto name = to_lower(function.Cast<duckdb::FunctionExpression>().function_name);
  if (!may_call_table_function(name, origin, instance)) {
    refuse_table_function(name, origin);
  }
}

// What the text of a pipeline may not name, whatever it is bound to.
Walker pipeline_walker() {
  return Walker(
      [](ParsedExpression& expression) {
        check_expression(expression);
        check_names(expression);
      },
      [](TableRef& table) {
        check_table(table, Origin::pipeline, nullptr);
        check_names(table);
      });
}

// The place that a call of delta_scan reads as it is now; nothing where only a run
// knows it, or another version is asked for.
std::optional<std::string> scanned_place(const duckdb::TableFunctionRef& current) {
  if (current.function->GetExpressionClass() != duckdb::ExpressionClass::FUNCTION) {
    return std::nullopt;
  }
  const auto& call = current.function->Cast<duckdb::FunctionExpression>();
  if (to_lower(call.function_name) != "delta_scan" || call.children.size() != 1 ||
      call.children[0]->GetExpressionClass() != duckdb::ExpressionClass::CONSTANT) {
    return std::nullopt;
  }
  return call.children[0]->Cast<duckdb::ConstantExpression>().value.ToString();
}

Walker table_walker(std::vector<MentionedTable>& found) {
  return Walker(
      [](ParsedExpression&) {},
      [&found](TableRef& table) {
        if (table.type == duckdb::TableReferenceType::TABLE_FUNCTION) {
          auto place = scanned_place(table.Cast<duckdb::TableFunctionRef>());
          if (!place) return;
          found.push_back({"", "", "", *std::move(place), table.query_location});
        } else if (table.type == duckdb::TableReferenceType::BASE_TABLE) {
          const auto& base = table.Cast<duckdb::BaseTableRef>();
          if (base.schema_name.empty() || base.at_clause) return;
          found.push_back({base.catalog_name, base.schema_name, base.table_name, "",
                           table.query_location});
        }
      });
}

Error wrong_kind(const duckdb::SQLStatement& statement) {
  if (statement.type == duckdb::StatementType::MULTI_STATEMENT) {
    return Error(ErrorCode::invalid,
                 "PIVOT needs the list of its values here: PIVOT … ON column IN (…)");
  }
  return Error(ErrorCode::denied, "only SELECT can be run here; this is " +
                                      duckdb::StatementTypeToString(statement.type));
}

// The second half: what the statement was bound to.

bool is_query_operator(LogicalOperatorType type) {
  using Type = LogicalOperatorType;
  return (type >= Type::LOGICAL_PROJECTION && type <= Type::LOGICAL_PIVOT &&
          type != Type::LOGICAL_COPY_TO_FILE) ||
         (type >= Type::LOGICAL_GET && type <= Type::LOGICAL_CTE_REF) ||
         (type >= Type::LOGICAL_JOIN && type <= Type::LOGICAL_MATERIALIZED_CTE);
}

// DuckDB's readers under the names that a bound plan gives them.
bool is_bound_reader(std::string_view name, Origin origin) {
  return origin == Origin::user && (is_in(kUserTableFunctions, name) ||
                                    name == "arrow_scan" || name == "read_json_auto");
}

void check_get(const duckdb::LogicalGet& get, Origin origin,
               const DuckdbInstance* instance) {
  const auto name = to_lower(get.function.name);
  if (is_ours(name) || may_call_table_function(name, origin, instance)) return;
  const bool confined = instance != nullptr && instance->options().confine_user;
  if (!confined && is_bound_reader(name, origin)) return;
  if (scan_source(get.bind_data.get()) != nullptr) return;
  const auto table = get.GetTable();
  if (table && table->ParentCatalog().GetName() == "temp") return;
  refuse_table_function(name, origin);
}

void check_expressions(duckdb::LogicalOperator& current) {
  std::function<void(const duckdb::Expression&)> check =
      [&](const duckdb::Expression& expression) {
        if (expression.GetExpressionClass() ==
            duckdb::ExpressionClass::BOUND_FUNCTION) {
          const auto name = to_lower(
              expression.Cast<duckdb::BoundFunctionExpression>().function.name);
          if (is_in(kForbiddenFunctions, name)) {
            throw_error(
                Error(ErrorCode::denied, "SQL may not call the function " + name));
          }
        }
        duckdb::ExpressionIterator::EnumerateChildren(expression, check);
      };
  for (const auto& expression : current.expressions) check(*expression);
}

void check_plan(duckdb::LogicalOperator& current, Origin origin,
                const DuckdbInstance* instance) {
  if (!is_query_operator(current.type)) {
    throw_error(
        Error(ErrorCode::denied, "only SELECT can be run here; this does " +
                                     duckdb::LogicalOperatorToString(current.type)));
  }
  if (current.type == LogicalOperatorType::LOGICAL_GET) {
    check_get(current.Cast<duckdb::LogicalGet>(), origin, instance);
  }
  check_expressions(current);
  for (const auto& child : current.children) check_plan(*child, origin, instance);
}

void after_binding(duckdb::PlannerExtensionInput& input,
                   duckdb::BoundStatement& statement) {
  const auto state = SessionState::of(input.context);
  if (!state || state->origin == Origin::lakemill || !statement.plan) return;
  check_plan(*statement.plan, state->origin, state->instance);
}

}  // namespace

Result<duckdb::unique_ptr<duckdb::SQLStatement>> only_statement(duckdb::Parser& parser,
                                                                Origin origin) {
  auto& statements = parser.statements;
  if (statements.size() != 1) {
    return Error(ErrorCode::invalid, statements.empty()
                                         ? "the SQL is empty"
                                         : "the SQL must be one statement, here are " +
                                               std::to_string(statements.size()));
  }
  const bool select = statements[0]->type == duckdb::StatementType::SELECT_STATEMENT;
  if (!select && origin != Origin::lakemill) return wrong_kind(*statements[0]);
  return std::move(statements[0]);
}

void refuse_forbidden_names(duckdb::QueryNode& query) { pipeline_walker().node(query); }

void refuse_forbidden_names(duckdb::ParsedExpression& predicate) {
  pipeline_walker().expression(predicate);
}

Result<duckdb::unique_ptr<duckdb::SQLStatement>> parse_statement(
    duckdb::ClientContext& context, std::string_view sql, Origin origin,
    const std::string& default_catalog) {
  duckdb::unique_ptr<duckdb::SQLStatement> statement;
  Status checked;
  LAKEMILL_TRY_OK(run_guarded(sql, [&] {
    duckdb::Parser parser(context.GetParserOptions());
    parser.ParseQuery(std::string(sql));
    auto only = only_statement(parser, origin);
    if (!only) {
      checked = std::move(only).error();
      return;
    }
    statement = *std::move(only);
    if (statement->type != duckdb::StatementType::SELECT_STATEMENT) return;
    const auto state = SessionState::of(context);
    const auto* instance = state ? state->instance : nullptr;
    NameRewriter rewriter(default_catalog);
    Walker walker(
        [&](ParsedExpression& expression) {
          if (origin != Origin::lakemill) check_expression(expression);
          rewriter.expression(expression);
        },
        [&](TableRef& table) {
          if (origin != Origin::lakemill) check_table(table, origin, instance);
          rewriter.table(table);
        });
    walker.node(*statement->Cast<duckdb::SelectStatement>().node);
    rewriter.finish();
  }));
  LAKEMILL_TRY_OK(std::move(checked));
  return statement;
}

Status check_predicate(duckdb::ClientContext& context, std::string_view predicate) {
  Status checked;
  LAKEMILL_TRY_OK(run_guarded(predicate, [&] {
    const auto expressions = duckdb::Parser::ParseExpressionList(
        std::string(predicate), context.GetParserOptions());
    if (expressions.size() != 1) {
      checked = Error(ErrorCode::invalid, "not one expression");
      return;
    }
    refuse_forbidden_names(*expressions[0]);
  }));
  return checked;
}

std::set<std::string> table_names(duckdb::SelectStatement& statement) {
  std::set<std::string> names;
  Walker walker([](ParsedExpression&) {},
                [&](TableRef& table) {
                  if (table.type != duckdb::TableReferenceType::BASE_TABLE) return;
                  const auto& base = table.Cast<duckdb::BaseTableRef>();
                  if (base.schema_name.empty()) names.insert(to_lower(base.table_name));
                });
  walker.node(*statement.node);
  return names;
}

std::vector<MentionedTable> catalog_tables(duckdb::QueryNode& query) {
  std::vector<MentionedTable> found;
  table_walker(found).node(query);
  return found;
}

std::vector<MentionedTable> catalog_tables(duckdb::ParsedExpression& predicate) {
  std::vector<MentionedTable> found;
  table_walker(found).expression(predicate);
  return found;
}

void register_gate(duckdb::DBConfig& config) {
  duckdb::PlannerExtension extension;
  extension.post_bind_function = after_binding;
  duckdb::PlannerExtension::Register(config, std::move(extension));
}

}  // namespace lakemill::engine_duckdb
