#include "lakemill/engine_spark/spark_functions.h"

#include <algorithm>
#include <array>
#include <utility>

namespace lakemill::engine_spark {

namespace {

// Only what gives equal results. Left out on purpose, among others: first and last
// without an order, approximate aggregates, hash(), strftime(), ln() of what is
// computed (its errors differ), regexp_replace() without 'g'.
// clang-format off
constexpr SparkFunction kFunctions[] = {
    // numbers
    {.name = "abs", .arguments_min = 1, .arguments_max = 1, .sql = "abs({1})"},
    {.name = "ceil", .arguments_min = 1, .arguments_max = 1, .sql = "ceil({1})"},
    {.name = "ceiling", .arguments_min = 1, .arguments_max = 1, .sql = "ceil({1})"},
    {.name = "floor", .arguments_min = 1, .arguments_max = 1, .sql = "floor({1})"},
    {.name = "round", .arguments_min = 1, .arguments_max = 1, .sql = "round({1})"},
    {.name = "round", .arguments_min = 2, .arguments_max = 2, .sql = "round({1}, {2})", .literal_index = 2, .literal = Literal::not_negative},
    {.name = "sign", .arguments_min = 1, .arguments_max = 1, .sql = "CAST(sign({1}) AS TINYINT)"},
    {.name = "sqrt", .arguments_min = 1, .arguments_max = 1, .sql = "CASE WHEN {1} < 0 THEN raise_error('[LAKEMILL_RANGE] square root of a negative number') ELSE sqrt({1}) END"},
    {.name = "exp", .arguments_min = 1, .arguments_max = 1, .sql = "exp({1})"},
    {.name = "pow", .arguments_min = 2, .arguments_max = 2, .sql = "power({1}, {2})"},
    {.name = "power", .arguments_min = 2, .arguments_max = 2, .sql = "power({1}, {2})"},
    {.name = "**", .arguments_min = 2, .arguments_max = 2, .sql = "power({1}, {2})"},
    {.name = "mod", .arguments_min = 2, .arguments_max = 2, .sql = "try_mod({1}, {2})"},
    {.name = "%", .arguments_min = 2, .arguments_max = 2, .sql = "try_mod({1}, {2})"},
    {.name = "//", .arguments_min = 2, .arguments_max = 2, .sql = "CASE WHEN typeof({1} + {2}) RLIKE '^(decimal|float|double)' THEN raise_error('[LAKEMILL_TYPE] // of numbers with fractions: use floor(a / b), or give the node dataframe_backend: DUCKDB') WHEN {2} = 0 THEN NULL ELSE {1} div {2} END"},
    {.name = "/", .arguments_min = 2, .arguments_max = 2, .sql = "CASE WHEN {2} = 0 THEN CAST({1} AS DOUBLE) * CAST('Infinity' AS DOUBLE) ELSE CAST({1} AS DOUBLE) / CAST({2} AS DOUBLE) END"},
    {.name = "+", .arguments_min = 2, .arguments_max = 2, .sql = "({1} + {2})"},
    {.name = "-", .arguments_min = 2, .arguments_max = 2, .sql = "({1} - {2})"},
    {.name = "*", .arguments_min = 2, .arguments_max = 2, .sql = "({1} * {2})"},
    {.name = "-", .arguments_min = 1, .arguments_max = 1, .sql = "(- {1})"},
    {.name = "+", .arguments_min = 1, .arguments_max = 1, .sql = "{1}"},
    {.name = "&", .arguments_min = 2, .arguments_max = 2, .sql = "({1} & {2})"},
    {.name = "|", .arguments_min = 2, .arguments_max = 2, .sql = "({1} | {2})"},
    {.name = ">>", .arguments_min = 2, .arguments_max = 2, .sql = "shiftright({1}, {2})"},
    {.name = "isnan", .arguments_min = 1, .arguments_max = 1, .sql = "isnan({1})"},
    {.name = "greatest", .arguments_min = 2, .arguments_max = 100, .sql = "greatest({*})"},
    {.name = "least", .arguments_min = 2, .arguments_max = 100, .sql = "least({*})"},
    // choice
    {.name = "nullif", .arguments_min = 2, .arguments_max = 2, .sql = "nullif({1}, {2})"},
    {.name = "ifnull", .arguments_min = 2, .arguments_max = 2, .sql = "coalesce({1}, {2})"},
    {.name = "nvl", .arguments_min = 2, .arguments_max = 2, .sql = "coalesce({1}, {2})"},
    {.name = "nvl2", .arguments_min = 3, .arguments_max = 3, .sql = "nvl2({1}, {2}, {3})"},
    {.name = "isnotnull", .arguments_min = 1, .arguments_max = 1, .sql = "({1} IS NOT NULL)"},
    {.name = "iff", .arguments_min = 3, .arguments_max = 3, .sql = "if({1}, {2}, {3})"},
    {.name = "iif", .arguments_min = 3, .arguments_max = 3, .sql = "if({1}, {2}, {3})"},
    {.name = "equal_null", .arguments_min = 2, .arguments_max = 2, .sql = "({1} <=> {2})"},
    // text
    {.name = "||", .arguments_min = 2, .arguments_max = 2, .sql = "({1} || {2})"},
    {.name = "concat", .arguments_min = 1, .arguments_max = 100, .sql = "concat_ws('', {*})"},
    {.name = "concat_ws", .arguments_min = 2, .arguments_max = 100, .sql = "concat_ws({*})"},
    {.name = "lower", .arguments_min = 1, .arguments_max = 1, .sql = "lower({1})"},
    {.name = "lcase", .arguments_min = 1, .arguments_max = 1, .sql = "lower({1})"},
    {.name = "upper", .arguments_min = 1, .arguments_max = 1, .sql = "upper({1})"},
    {.name = "ucase", .arguments_min = 1, .arguments_max = 1, .sql = "upper({1})"},
    {.name = "trim", .arguments_min = 1, .arguments_max = 1, .sql = "trim({1})"},
    {.name = "ltrim", .arguments_min = 1, .arguments_max = 1, .sql = "ltrim({1})"},
    {.name = "rtrim", .arguments_min = 1, .arguments_max = 1, .sql = "rtrim({1})"},
    {.name = "trim", .arguments_min = 2, .arguments_max = 2, .sql = "trim(BOTH {2} FROM {1})"},
    {.name = "length", .arguments_min = 1, .arguments_max = 1, .sql = "CAST(char_length({1}) AS BIGINT)"},
    {.name = "len", .arguments_min = 1, .arguments_max = 1, .sql = "CAST(char_length({1}) AS BIGINT)"},
    {.name = "char_length", .arguments_min = 1, .arguments_max = 1, .sql = "CAST(char_length({1}) AS BIGINT)"},
    {.name = "substring", .arguments_min = 2, .arguments_max = 2, .sql = "substring({1}, {2})", .literal_index = 2, .literal = Literal::positive},
    {.name = "substring", .arguments_min = 3, .arguments_max = 3, .sql = "substring({1}, {2}, {3})", .literal_index = 2, .literal = Literal::positive},
    {.name = "substr", .arguments_min = 2, .arguments_max = 2, .sql = "substring({1}, {2})", .literal_index = 2, .literal = Literal::positive},
    {.name = "substr", .arguments_min = 3, .arguments_max = 3, .sql = "substring({1}, {2}, {3})", .literal_index = 2, .literal = Literal::positive},
    {.name = "left", .arguments_min = 2, .arguments_max = 2, .sql = "left({1}, {2})", .literal_index = 2, .literal = Literal::not_negative},
    {.name = "right", .arguments_min = 2, .arguments_max = 2, .sql = "right({1}, {2})", .literal_index = 2, .literal = Literal::not_negative},
    {.name = "replace", .arguments_min = 3, .arguments_max = 3, .sql = "replace({1}, {2}, {3})"},
    {.name = "reverse", .arguments_min = 1, .arguments_max = 1, .sql = "reverse({1})"},
    {.name = "repeat", .arguments_min = 2, .arguments_max = 2, .sql = "repeat({1}, {2})"},
    {.name = "lpad", .arguments_min = 3, .arguments_max = 3, .sql = "lpad({1}, {2}, {3})", .literal_index = 2, .literal = Literal::not_negative},
    {.name = "rpad", .arguments_min = 3, .arguments_max = 3, .sql = "rpad({1}, {2}, {3})", .literal_index = 2, .literal = Literal::not_negative},
    {.name = "starts_with", .arguments_min = 2, .arguments_max = 2, .sql = "startswith({1}, {2})"},
    {.name = "startswith", .arguments_min = 2, .arguments_max = 2, .sql = "startswith({1}, {2})"},
    {.name = "ends_with", .arguments_min = 2, .arguments_max = 2, .sql = "endswith({1}, {2})"},
    {.name = "endswith", .arguments_min = 2, .arguments_max = 2, .sql = "endswith({1}, {2})"},
    {.name = "contains", .arguments_min = 2, .arguments_max = 2, .sql = "contains({1}, {2})"},
    {.name = "instr", .arguments_min = 2, .arguments_max = 2, .sql = "CAST(instr({1}, {2}) AS BIGINT)"},
    {.name = "strpos", .arguments_min = 2, .arguments_max = 2, .sql = "CAST(instr({1}, {2}) AS BIGINT)"},
    {.name = "position", .arguments_min = 2, .arguments_max = 2, .sql = "CAST(instr({1}, {2}) AS BIGINT)"},
    {.name = "split_part", .arguments_min = 3, .arguments_max = 3, .sql = "split_part({1}, {2}, {3})", .literal_index = 3, .literal = Literal::positive},
    {.name = "md5", .arguments_min = 1, .arguments_max = 1, .sql = "md5({1})"},
    {.name = "sha256", .arguments_min = 1, .arguments_max = 1, .sql = "sha2({1}, 256)"},
    // No character is the escape of a pattern unless one is named.
    {.name = "~~", .arguments_min = 2, .arguments_max = 2, .sql = "({1} LIKE {2} ESCAPE '\x01')"},
    {.name = "!~~", .arguments_min = 2, .arguments_max = 2, .sql = "({1} NOT LIKE {2} ESCAPE '\x01')"},
    {.name = "~~*", .arguments_min = 2, .arguments_max = 2, .sql = "({1} ILIKE {2} ESCAPE '\x01')"},
    {.name = "!~~*", .arguments_min = 2, .arguments_max = 2, .sql = "({1} NOT ILIKE {2} ESCAPE '\x01')"},
    {.name = "regexp_matches", .arguments_min = 2, .arguments_max = 2, .sql = "({1} RLIKE {2})", .literal_index = 2, .literal = Literal::plain_pattern},
    {.name = "regexp_like", .arguments_min = 2, .arguments_max = 2, .sql = "({1} RLIKE {2})", .literal_index = 2, .literal = Literal::plain_pattern},
    {.name = "rlike", .arguments_min = 2, .arguments_max = 2, .sql = "({1} RLIKE {2})", .literal_index = 2, .literal = Literal::plain_pattern},
    {.name = "regexp_full_match", .arguments_min = 2, .arguments_max = 2, .sql = "({1} RLIKE concat('^(?:', {2}, ')$'))", .literal_index = 2, .literal = Literal::plain_pattern},
    {.name = "regexp_extract", .arguments_min = 2, .arguments_max = 2, .sql = "regexp_extract({1}, {2}, 0)", .literal_index = 2, .literal = Literal::plain_pattern},
    {.name = "regexp_extract", .arguments_min = 3, .arguments_max = 3, .sql = "regexp_extract({1}, {2}, {3})", .literal_index = 2, .literal = Literal::plain_pattern},
    // time
    {.name = "year", .arguments_min = 1, .arguments_max = 1, .sql = "CAST(year({1}) AS BIGINT)"},
    {.name = "quarter", .arguments_min = 1, .arguments_max = 1, .sql = "CAST(quarter({1}) AS BIGINT)"},
    {.name = "month", .arguments_min = 1, .arguments_max = 1, .sql = "CAST(month({1}) AS BIGINT)"},
    {.name = "day", .arguments_min = 1, .arguments_max = 1, .sql = "CAST(day({1}) AS BIGINT)"},
    {.name = "dayofmonth", .arguments_min = 1, .arguments_max = 1, .sql = "CAST(day({1}) AS BIGINT)"},
    {.name = "dayofyear", .arguments_min = 1, .arguments_max = 1, .sql = "CAST(dayofyear({1}) AS BIGINT)"},
    {.name = "dayofweek", .arguments_min = 1, .arguments_max = 1, .sql = "CAST(dayofweek({1}) - 1 AS BIGINT)"},
    {.name = "isodow", .arguments_min = 1, .arguments_max = 1, .sql = "CAST(weekday({1}) + 1 AS BIGINT)"},
    {.name = "week", .arguments_min = 1, .arguments_max = 1, .sql = "CAST(weekofyear({1}) AS BIGINT)"},
    {.name = "weekofyear", .arguments_min = 1, .arguments_max = 1, .sql = "CAST(weekofyear({1}) AS BIGINT)"},
    {.name = "hour", .arguments_min = 1, .arguments_max = 1, .sql = "CAST(hour({1}) AS BIGINT)"},
    {.name = "minute", .arguments_min = 1, .arguments_max = 1, .sql = "CAST(minute({1}) AS BIGINT)"},
    {.name = "second", .arguments_min = 1, .arguments_max = 1, .sql = "CAST(second({1}) AS BIGINT)"},
    {.name = "date_trunc", .arguments_min = 2, .arguments_max = 2, .sql = "date_trunc({1}, {2})", .literal_index = 1, .literal = Literal::part},
    {.name = "last_day", .arguments_min = 1, .arguments_max = 1, .sql = "last_day({1})"},
    {.name = "make_date", .arguments_min = 3, .arguments_max = 3, .sql = "make_date({1}, {2}, {3})"},
    {.name = "to_date", .arguments_min = 1, .arguments_max = 1, .sql = "CAST({1} AS DATE)"},
    {.name = "to_years", .arguments_min = 1, .arguments_max = 1, .sql = "make_interval({1})"},
    {.name = "to_months", .arguments_min = 1, .arguments_max = 1, .sql = "make_interval(0, {1})"},
    {.name = "to_weeks", .arguments_min = 1, .arguments_max = 1, .sql = "make_interval(0, 0, {1})"},
    {.name = "to_days", .arguments_min = 1, .arguments_max = 1, .sql = "make_interval(0, 0, 0, {1})"},
    {.name = "to_hours", .arguments_min = 1, .arguments_max = 1, .sql = "make_interval(0, 0, 0, 0, {1})"},
    {.name = "to_minutes", .arguments_min = 1, .arguments_max = 1, .sql = "make_interval(0, 0, 0, 0, 0, {1})"},
    {.name = "to_seconds", .arguments_min = 1, .arguments_max = 1, .sql = "make_interval(0, 0, 0, 0, 0, 0, {1})"},
    {.name = "trunc", .arguments_min = 1, .arguments_max = 1, .sql = "CASE WHEN {1} < 0 THEN ceil({1}) ELSE floor({1}) END"},
    {.name = "epoch_us", .arguments_min = 1, .arguments_max = 1, .sql = "unix_micros({1})"},
    // aggregates
    {.name = "count", .arguments_min = 1, .arguments_max = 1, .sql = "count({*})", .aggregates = true},
    {.name = "sum", .arguments_min = 1, .arguments_max = 1, .sql = "sum({*})", .aggregates = true},
    {.name = "avg", .arguments_min = 1, .arguments_max = 1, .sql = "avg(CAST({1} AS DOUBLE))", .aggregates = true},
    {.name = "mean", .arguments_min = 1, .arguments_max = 1, .sql = "avg(CAST({1} AS DOUBLE))", .aggregates = true},
    {.name = "min", .arguments_min = 1, .arguments_max = 1, .sql = "min({*})", .aggregates = true},
    {.name = "max", .arguments_min = 1, .arguments_max = 1, .sql = "max({*})", .aggregates = true},
    {.name = "count_if", .arguments_min = 1, .arguments_max = 1, .sql = "count_if({1})", .aggregates = true},
    {.name = "countif", .arguments_min = 1, .arguments_max = 1, .sql = "count_if({1})", .aggregates = true},
    {.name = "bool_and", .arguments_min = 1, .arguments_max = 1, .sql = "bool_and({1})", .aggregates = true},
    {.name = "bool_or", .arguments_min = 1, .arguments_max = 1, .sql = "bool_or({1})", .aggregates = true},
    {.name = "every", .arguments_min = 1, .arguments_max = 1, .sql = "bool_and({1})", .aggregates = true},
    {.name = "stddev", .arguments_min = 1, .arguments_max = 1, .sql = "stddev_samp(CAST({1} AS DOUBLE))", .aggregates = true},
    {.name = "stddev_samp", .arguments_min = 1, .arguments_max = 1, .sql = "stddev_samp(CAST({1} AS DOUBLE))", .aggregates = true},
    {.name = "stddev_pop", .arguments_min = 1, .arguments_max = 1, .sql = "stddev_pop(CAST({1} AS DOUBLE))", .aggregates = true},
    {.name = "variance", .arguments_min = 1, .arguments_max = 1, .sql = "var_samp(CAST({1} AS DOUBLE))", .aggregates = true},
    {.name = "var_samp", .arguments_min = 1, .arguments_max = 1, .sql = "var_samp(CAST({1} AS DOUBLE))", .aggregates = true},
    {.name = "var_pop", .arguments_min = 1, .arguments_max = 1, .sql = "var_pop(CAST({1} AS DOUBLE))", .aggregates = true},
    {.name = "quantile_cont", .arguments_min = 2, .arguments_max = 2, .sql = "percentile({1}, {2})", .aggregates = true},
    {.name = "percentile", .arguments_min = 2, .arguments_max = 2, .sql = "percentile({1}, {2})", .aggregates = true},
};
// clang-format on

constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kParts = {{
    {"year", "CAST(year({1}) AS BIGINT)"},
    {"quarter", "CAST(quarter({1}) AS BIGINT)"},
    {"month", "CAST(month({1}) AS BIGINT)"},
    {"week", "CAST(weekofyear({1}) AS BIGINT)"},
    {"day", "CAST(day({1}) AS BIGINT)"},
    {"doy", "CAST(dayofyear({1}) AS BIGINT)"},
    {"dayofyear", "CAST(dayofyear({1}) AS BIGINT)"},
    {"dow", "CAST(dayofweek({1}) - 1 AS BIGINT)"},
    {"dayofweek", "CAST(dayofweek({1}) - 1 AS BIGINT)"},
    {"weekday", "CAST(dayofweek({1}) - 1 AS BIGINT)"},
    {"isodow", "CAST(weekday({1}) + 1 AS BIGINT)"},
    {"hour", "CAST(hour({1}) AS BIGINT)"},
    {"minute", "CAST(minute({1}) AS BIGINT)"},
    {"second", "CAST(second({1}) AS BIGINT)"},
}};

}  // namespace

const SparkFunction* find_function(std::string_view name, int argument_count) {
  for (const SparkFunction& function : kFunctions) {
    if (function.name == name && argument_count >= function.arguments_min &&
        argument_count <= function.arguments_max) {
      return &function;
    }
  }
  return nullptr;
}

bool is_known_function(std::string_view name) {
  return std::any_of(
      std::begin(kFunctions), std::end(kFunctions),
      [&](const SparkFunction& function) { return function.name == name; });
}

std::string_view part_sql(std::string_view part) {
  for (const auto& [name, sql] : kParts) {
    if (name == part) return sql;
  }
  return {};
}

}  // namespace lakemill::engine_spark
