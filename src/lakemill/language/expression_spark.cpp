#include <array>

#include "lakemill/base/text.h"
#include "lakemill/language/expression_compiler.h"

// The PySpark functions that pipelines use most, as methods of expressions.

namespace lakemill::language {
namespace {

struct Translation {
  std::string_view name;
  std::string_view scope;
  std::string_view method;
};

constexpr std::array<Translation, 32> kTranslations = {{
    {"sum", "expr", "sum"},
    {"avg", "expr", "mean"},
    {"mean", "expr", "mean"},
    {"min", "expr", "min"},
    {"max", "expr", "max"},
    {"stddev", "expr", "std"},
    {"variance", "expr", "var"},
    {"median", "expr", "median"},
    {"abs", "expr", "abs"},
    {"sqrt", "expr", "sqrt"},
    {"exp", "expr", "exp"},
    {"floor", "expr", "floor"},
    {"ceil", "expr", "ceil"},
    {"sin", "expr", "sin"},
    {"cos", "expr", "cos"},
    {"tan", "expr", "tan"},
    {"isnull", "expr", "is_null"},
    {"isnan", "expr", "is_nan"},
    {"upper", "str", "to_uppercase"},
    {"lower", "str", "to_lowercase"},
    {"initcap", "str", "to_titlecase"},
    {"length", "str", "len_chars"},
    {"trim", "str", "strip_chars"},
    {"year", "dt", "year"},
    {"month", "dt", "month"},
    {"dayofmonth", "dt", "day"},
    {"hour", "dt", "hour"},
    {"minute", "dt", "minute"},
    {"second", "dt", "second"},
    {"quarter", "dt", "quarter"},
    {"dayofyear", "dt", "ordinal_day"},
    {"to_date", "str", "to_date"},
}};

Result<Value> translated(Compiler& compiler, const Call& call) {
  LAKEMILL_TRY(Operand subject,
               compiler.operand(*call.arguments.find("col"), StringIs::column));
  for (const Translation& translation : kTranslations) {
    if (translation.name != call.name) continue;
    const FunctionEntry* entry = find_function(translation.scope, translation.method);
    const Call inner{
        call.node, entry->name, call.position, column_value(std::move(subject)), {}};
    return entry->handler(compiler, inner);
  }
  return call.error("this function is not known");
}

Result<Value> count(Compiler& compiler, const Call& call) {
  const SyntaxNode& node = *call.arguments.find("col");
  if (node.kind == NodeKind::string && node.text == "*") {
    Operand operand;
    operand.name = "count";
    LAKEMILL_TRY(Operand result, compiler.finish_aggregate(
                                     call, operand, compiler.aggregate("count(*)"),
                                     data::make_type(data::TypeKind::int64)));
    return column_value(std::move(result));
  }
  LAKEMILL_TRY(Operand operand, compiler.operand(node, StringIs::column));
  const std::string distinct = call.name == "count" ? "" : "DISTINCT ";
  LAKEMILL_TRY(
      Operand result,
      compiler.finish_aggregate(
          call, operand, compiler.aggregate("count(" + distinct + operand.sql + ")"),
          data::make_type(data::TypeKind::int64)));
  return column_value(std::move(result));
}

Result<Value> when(Compiler& compiler, const Call& call) {
  LAKEMILL_TRY(Operand condition,
               compiler.operand(*call.arguments.find("condition"), StringIs::column));
  LAKEMILL_TRY(Operand result,
               compiler.operand(*call.arguments.find("value"), StringIs::literal));
  Value value;
  value.kind = Value::Kind::then;
  value.conditions.push_back(std::move(condition));
  value.results.push_back(std::move(result));
  return value;
}

Result<Value> concat_ws(Compiler& compiler, const Call& call) {
  LAKEMILL_TRY(std::string separator, call.text("sep", ""));
  LAKEMILL_TRY(std::vector<Operand> operands,
               compiler.columns(call.arguments.many, StringIs::column));
  if (operands.empty()) return call.error("concat_ws needs at least one column");
  Operand result = operands.front();
  std::string sql = "concat_ws(" + quote_literal(separator);
  for (const Operand& operand : operands) {
    absorb(result, operand);
    sql += ", " + operand.sql;
  }
  return column_value(
      with_sql(result, sql + ")", data::make_type(data::TypeKind::string)));
}

// Halves go away from zero, as in Spark.
Result<Value> round(Compiler& compiler, const Call& call) {
  LAKEMILL_TRY(Operand operand,
               compiler.operand(*call.arguments.find("col"), StringIs::column));
  LAKEMILL_TRY(std::int64_t scale, call.integer("scale", 0));
  return column_value(
      with_sql(operand, "round(" + operand.sql + ", " + std::to_string(scale) + ")",
               operand.type));
}

constexpr std::array kEntries = {
    FunctionEntry{"F", "sum", "col", "The sum.", translated},
    FunctionEntry{"F", "avg", "col", "The mean.", translated},
    FunctionEntry{"F", "mean", "col", "The mean.", translated},
    FunctionEntry{"F", "min", "col", "The least value.", translated},
    FunctionEntry{"F", "max", "col", "The greatest value.", translated},
    FunctionEntry{"F", "stddev", "col", "The standard deviation.", translated},
    FunctionEntry{"F", "variance", "col", "The variance.", translated},
    FunctionEntry{"F", "median", "col", "The median.", translated},
    FunctionEntry{"F", "abs", "col", "Without its sign.", translated},
    FunctionEntry{"F", "sqrt", "col", "The square root.", translated},
    FunctionEntry{"F", "exp", "col", "e to the power of it.", translated},
    FunctionEntry{"F", "floor", "col", "The next integer below.", translated},
    FunctionEntry{"F", "ceil", "col", "The next integer above.", translated},
    FunctionEntry{"F", "sin", "col", "The sine.", translated},
    FunctionEntry{"F", "cos", "col", "The cosine.", translated},
    FunctionEntry{"F", "tan", "col", "The tangent.", translated},
    FunctionEntry{"F", "isnull", "col", "True where null.", translated},
    FunctionEntry{"F", "isnan", "col", "True where NaN.", translated},
    FunctionEntry{"F", "upper", "col", "In upper case.", translated},
    FunctionEntry{"F", "lower", "col", "In lower case.", translated},
    FunctionEntry{"F", "initcap", "col", "Words with a capital.", translated},
    FunctionEntry{"F", "length", "col", "How many characters.", translated},
    FunctionEntry{"F", "trim", "col", "Without white space at both ends.", translated},
    FunctionEntry{"F", "year", "col", "The year.", translated},
    FunctionEntry{"F", "month", "col", "The month.", translated},
    FunctionEntry{"F", "dayofmonth", "col", "The day of the month.", translated},
    FunctionEntry{"F", "dayofyear", "col", "The day of the year.", translated},
    FunctionEntry{"F", "quarter", "col", "The quarter.", translated},
    FunctionEntry{"F", "hour", "col", "The hour.", translated},
    FunctionEntry{"F", "minute", "col", "The minute.", translated},
    FunctionEntry{"F", "second", "col", "The second.", translated},
    FunctionEntry{"F", "to_date", "col", "As a date.", translated},
    FunctionEntry{"F", "count", "col", "How many are not null; \"*\": how many rows.",
                  count},
    FunctionEntry{"F", "countDistinct", "col",
                  "How many different values, without null.", count},
    FunctionEntry{"F", "count_distinct", "col",
                  "How many different values, without null.", count},
    FunctionEntry{"F", "when", "condition, value", "Begins when(...).otherwise(...).",
                  when},
    FunctionEntry{"F", "concat_ws", "sep, *cols",
                  "Texts with a separator, without nulls.", concat_ws},
    FunctionEntry{"F", "round", "col, scale=0", "Rounded; halves go away from zero.",
                  round},
};

}  // namespace

std::span<const FunctionEntry> spark_functions() { return kEntries; }

}  // namespace lakemill::language
