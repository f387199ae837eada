#include "lakemill/engine_duckdb/sql_functions.h"

#include <duckdb/function/function_binder.hpp>
#include <duckdb/parser/parsed_data/create_macro_info.hpp>
#include <duckdb/parser/statement/create_statement.hpp>

#include "lakemill/base/check.h"
#include "lakemill/engine_duckdb/date_pattern.h"
#include "lakemill/engine_duckdb/duckdb_headers.h"
#include "lakemill/engine_duckdb/duckdb_session.h"

namespace lakemill::engine_duckdb {

namespace {

using duckdb::Expression;
using duckdb::LogicalType;

using Arguments = duckdb::vector<duckdb::unique_ptr<Expression>>;

// All macros as one text, so that it is parsed in one go.
std::string macro_statements() {
  std::string text;
  std::string_view open;
  for (const SqlFunction& function : sql_functions()) {
    const bool overload = function.name == open;
    text += overload ? ", " : open.empty() ? "" : "; ";
    if (!overload) text.append("CREATE MACRO ").append(function.name);
    text.append(function.parameters).append(" AS (").append(function.body).append(")");
    open = function.name;
  }
  return text;
}

void create_macros(duckdb::ClientContext& context) {
  duckdb::Parser parser(context.GetParserOptions());
  parser.ParseQuery(macro_statements());
  auto& catalog = duckdb::Catalog::GetSystemCatalog(context);
  for (auto& statement : parser.statements) {
    auto& info = *statement->Cast<duckdb::CreateStatement>().info;
    info.catalog = SYSTEM_CATALOG;
    info.schema = DEFAULT_SCHEMA;
    info.internal = true;
    catalog.CreateFunction(context, info.Cast<duckdb::CreateFunctionInfo>());
  }
}

duckdb::unique_ptr<Expression> call(duckdb::ClientContext& context,
                                    const std::string& name, Arguments arguments) {
  duckdb::ErrorData error;
  duckdb::FunctionBinder binder(context);
  auto bound =
      binder.BindScalarFunction(DEFAULT_SCHEMA, name, std::move(arguments), error);
  if (error.HasError()) error.Throw();
  return bound;
}

duckdb::unique_ptr<Expression> constant(const char* text) {
  return duckdb::make_uniq<duckdb::BoundConstantExpression>(duckdb::Value(text));
}

duckdb::unique_ptr<Expression> as(duckdb::ClientContext& context,
                                  duckdb::unique_ptr<Expression> value,
                                  const LogicalType& type) {
  return duckdb::BoundCastExpression::AddCastToType(context, std::move(value), type);
}

// datediff(end, start): days.
duckdb::unique_ptr<Expression> days_between(
    duckdb::FunctionBindExpressionInput& input) {
  Arguments arguments;
  arguments.push_back(constant("day"));
  arguments.push_back(
      as(input.context, std::move(input.children[1]), LogicalType::DATE));
  arguments.push_back(
      as(input.context, std::move(input.children[0]), LogicalType::DATE));
  return call(input.context, "date_diff", std::move(arguments));
}

// to_timestamp(text): an instant.
duckdb::unique_ptr<Expression> text_to_instant(
    duckdb::FunctionBindExpressionInput& input) {
  return as(input.context, std::move(input.children[0]), LogicalType::TIMESTAMP_TZ);
}

// trunc(date, 'MM'): a date.
duckdb::unique_ptr<Expression> truncate_date(
    duckdb::FunctionBindExpressionInput& input) {
  std::string unit = "month";
  if (input.children[1]->IsFoldable()) {
    const auto value =
        duckdb::ExpressionExecutor::EvaluateScalar(input.context, *input.children[1]);
    const std::string name = duckdb::StringUtil::Lower(value.ToString());
    unit = name == "mm" || name == "mon"    ? "month"
           : name == "yy" || name == "yyyy" ? "year"
                                            : name;
  } else {
    throw duckdb::BinderException("trunc: the unit must be a constant");
  }
  Arguments arguments;
  arguments.push_back(constant(unit.c_str()));
  arguments.push_back(
      as(input.context, std::move(input.children[0]), LogicalType::DATE));
  return as(input.context, call(input.context, "date_trunc", std::move(arguments)),
            LogicalType::DATE);
}

void never_run(duckdb::DataChunk& /*arguments*/, duckdb::ExpressionState& /*state*/,
               duckdb::Vector& /*result*/) {
  throw duckdb::InternalException("a rewritten function was run");
}

// A date pattern of Spark's in strftime's letters; what it lacks fails by name.
template <DatePatternUse use>
void translate_pattern(duckdb::DataChunk& arguments, duckdb::ExpressionState& /*state*/,
                       duckdb::Vector& result) {
  duckdb::UnaryExecutor::Execute<duckdb::string_t, duckdb::string_t>(
      arguments.data[0], result, arguments.size(), [&](duckdb::string_t pattern) {
        const auto format = to_strftime(pattern.GetString(), use);
        if (!format) throw duckdb::InvalidInputException(format.error().message());
        return duckdb::StringVector::AddString(result, *format);
      });
}

void add_pattern_function(duckdb::ClientContext& context, const std::string& name,
                          duckdb::scalar_function_t translate) {
  duckdb::CreateScalarFunctionInfo info(duckdb::ScalarFunction(
      name, {LogicalType::VARCHAR}, LogicalType::VARCHAR, std::move(translate)));
  info.internal = true;
  duckdb::Catalog::GetSystemCatalog(context).CreateFunction(context, info);
}

// Adds a form that DuckDB's own function of that name lacks.
void add_form(duckdb::ClientContext& context, const std::string& name,
              duckdb::vector<LogicalType> arguments, const LogicalType& result,
              duckdb::function_bind_expression_t rewrite) {
  duckdb::ScalarFunction function(name, std::move(arguments), result, never_run);
  function.bind_expression = rewrite;
  duckdb::CreateScalarFunctionInfo info(std::move(function));
  info.on_conflict = duckdb::OnCreateConflict::ALTER_ON_CONFLICT;
  info.internal = true;
  duckdb::Catalog::GetSystemCatalog(context).CreateFunction(context, info);
}

}  // namespace

void register_sql_functions(duckdb::Connection& connection) {
  auto& context = *connection.context;
  add_pattern_function(context, "lakemill_write_pattern",
                       translate_pattern<DatePatternUse::write>);
  add_pattern_function(context, "lakemill_read_pattern",
                       translate_pattern<DatePatternUse::read>);
  create_macros(context);
  for (const LogicalType type :
       {LogicalType::DATE, LogicalType::TIMESTAMP, LogicalType::TIMESTAMP_TZ}) {
    add_form(context, "datediff", {type, type}, LogicalType::BIGINT, days_between);
    add_form(context, "trunc", {type, LogicalType::VARCHAR}, LogicalType::DATE,
             truncate_date);
  }
  add_form(context, "datediff", {LogicalType::VARCHAR, LogicalType::VARCHAR},
           LogicalType::BIGINT, days_between);
  add_form(context, "to_timestamp", {LogicalType::VARCHAR}, LogicalType::TIMESTAMP_TZ,
           text_to_instant);
}

}  // namespace lakemill::engine_duckdb
