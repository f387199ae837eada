// The half of SparkSql that writes expressions.
#include <algorithm>
#include <array>
#include <utility>

#include "lakemill/base/text.h"
#include "lakemill/engine_spark/spark_functions.h"
#include "lakemill/engine_spark/spark_sql.h"
#include "lakemill/engine_spark/spark_types.h"
#include "lakemill/engine_spark/syntax_tree.h"

namespace lakemill::engine_spark {

namespace {

constexpr int kDepthMax = 400;  // of expressions in expressions

std::string parenthesized(const std::string& sql) { return "(" + sql + ")"; }

std::string instant_sql(Instant now) {
  return "TIMESTAMP " + quote_text(format_instant(now));
}

bool is_clock(const std::string& name) {
  static constexpr std::array<std::string_view, 4> kNames = {
      "now", "current_timestamp", "get_current_timestamp", "transaction_timestamp"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

bool is_calendar(const std::string& name) {
  return name == "current_date" || name == "today";
}

Result<std::string> type_sql(const Json& type) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 14>
      kTypes = {{{"BOOLEAN", "BOOLEAN"},
                 {"TINYINT", "TINYINT"},
                 {"SMALLINT", "SMALLINT"},
                 {"INTEGER", "INT"},
                 {"BIGINT", "BIGINT"},
                 {"HUGEINT", "DECIMAL(38,0)"},
                 {"FLOAT", "FLOAT"},
                 {"DOUBLE", "DOUBLE"},
                 {"VARCHAR", "STRING"},
                 {"BLOB", "BINARY"},
                 {"DATE", "DATE"},
                 {"TIMESTAMP", "TIMESTAMP_NTZ"},
                 {"TIMESTAMP WITH TIME ZONE", "TIMESTAMP"},
                 {"INTERVAL", "INTERVAL"}}};
  const std::string id = text_of(type, "id");
  if (id == "DECIMAL") {
    const Json& info = member(type, "type_info");
    return "DECIMAL(" + std::to_string(integer_member(info, "width", 18)) + "," +
           std::to_string(integer_member(info, "scale", 3)) + ")";
  }
  for (const auto& [ours, theirs] : kTypes) {
    if (ours == id) return std::string(theirs);
  }
  return not_on_spark("a cast to " + id);
}

bool fits(const Json& argument, Literal literal) {
  const Json& value = member(argument, "value");
  switch (literal) {
    case Literal::any:
      return true;
    case Literal::positive:
      return is_constant(argument, "INTEGER") && integer_member(value, "value", 0) >= 1;
    case Literal::not_negative:
      return is_constant(argument, "INTEGER") &&
             integer_member(value, "value", -1) >= 0;
    case Literal::part: {
      static constexpr std::array<std::string_view, 8> kParts = {
          "year", "quarter", "month", "week", "day", "hour", "minute", "second"};
      const std::string part = to_lower(text_of(value, "value"));
      return std::find(kParts.begin(), kParts.end(), part) != kParts.end();
    }
    case Literal::plain_pattern:
      // \w, \d and \b take other letters in Java, (?…) and \p have other members.
      return is_constant(argument, "VARCHAR") &&
             text_of(value, "value").find("(?") == std::string::npos &&
             text_of(value, "value").find("\\p") == std::string::npos &&
             text_of(value, "value").find("\\b") == std::string::npos;
  }
  return false;
}

std::string_view expected(Literal literal) {
  switch (literal) {
    case Literal::positive:
      return "a whole number from 1 on";
    case Literal::not_negative:
      return "a whole number from 0 on";
    case Literal::part:
      return "the name of a part of a time, from year to second,";
    case Literal::plain_pattern:
      return "a pattern without (?…), \\p and \\b";
    case Literal::any:
      break;
  }
  return "";
}

std::string filled(std::string_view pattern,
                   const std::vector<std::string>& arguments) {
  std::string sql;
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    const bool hole =
        pattern[at] == '{' && at + 2 < pattern.size() && pattern[at + 2] == '}';
    if (!hole) {
      sql.push_back(pattern[at]);
      continue;
    }
    sql += pattern[at + 1] == '*'
               ? join(arguments, ", ")
               : arguments[static_cast<std::size_t>(pattern[at + 1] - '1')];
    at += 2;
  }
  return sql;
}

// `INTERVAL 1 DAY` is parsed as to_days(CAST(trunc(CAST(1 AS DOUBLE)) AS INTEGER)).
const Json& innermost(const Json& json) {
  if (text_of(json, "class") == "CAST") return innermost(member(json, "child"));
  const bool truncates =
      text_of(json, "function_name") == "trunc" && member(json, "children").size() == 1;
  return truncates ? innermost(member(json, "children")[0]) : json;
}

}  // namespace

Result<std::string> SparkSql::expression(const Json& json) {
  const std::string kind = text_of(json, "class");
  if (depth_ > kDepthMax) return not_on_spark("an expression nested so deeply");
  ++depth_;
  Result<std::string> sql = kind == "CONSTANT"     ? constant_sql(json)
                            : kind == "COLUMN_REF" ? column(json)
                            : kind == "CAST"       ? cast(json)
                            : kind == "COMPARISON" ? comparison(json)
                            : kind == "OPERATOR"   ? operation(json)
                            : kind == "FUNCTION"   ? function(json)
                            : kind == "CASE"       ? case_of(json)
                            : kind == "SUBQUERY"   ? subquery(json)
                            : kind == "WINDOW"     ? window(json)
                            : kind == "CONJUNCTION" || kind == "BETWEEN"
                                ? operation(json)
                                : not_on_spark("an expression of kind " + kind);
  --depth_;
  return sql;
}

Result<std::vector<std::string>> SparkSql::expressions(const Json& list) {
  std::vector<std::string> items;
  for (const Json& item : list) {
    LAKEMILL_TRY(std::string sql, expression(item));
    items.push_back(std::move(sql));
  }
  return items;
}

Result<std::string> SparkSql::column(const Json& json) {
  std::vector<std::string> parts;
  for (const Json& part : member(json, "column_names")) {
    if (part.is_string()) parts.push_back(quote_name(part.get<std::string>()));
  }
  if (parts.size() == 1) {
    const std::string plain =
        to_lower(member(json, "column_names")[0].get<std::string>());
    if (is_clock(plain)) return instant_sql(context_.now);
    if (is_calendar(plain)) return "CAST(" + instant_sql(context_.now) + " AS DATE)";
  }
  return join(parts, ".");
}

Result<std::string> SparkSql::cast(const Json& json) {
  LAKEMILL_TRY(const std::string type, type_sql(member(json, "cast_type")));
  LAKEMILL_TRY(const std::string child, expression(member(json, "child")));
  if (type == "INTERVAL") {
    if (!is_constant(member(json, "child"), "VARCHAR")) {
      return not_on_spark("a cast of what is computed to INTERVAL");
    }
    return "INTERVAL " + child;
  }
  return cast_sql(child, type, bool_member(json, "try_cast", false));
}

Result<std::string> SparkSql::comparison(const Json& json) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kSigns =
      {{{"COMPARE_EQUAL", "="},
        {"COMPARE_NOTEQUAL", "<>"},
        {"COMPARE_LESSTHAN", "<"},
        {"COMPARE_GREATERTHAN", ">"},
        {"COMPARE_LESSTHANOREQUALTO", "<="},
        {"COMPARE_GREATERTHANOREQUALTO", ">="},
        {"COMPARE_NOT_DISTINCT_FROM", "<=>"}}};
  const std::string type = text_of(json, "type");
  LAKEMILL_TRY(const std::string left, expression(member(json, "left")));
  LAKEMILL_TRY(const std::string right, expression(member(json, "right")));
  if (type == "COMPARE_DISTINCT_FROM") return "(NOT (" + left + " <=> " + right + "))";
  for (const auto& [name, sign] : kSigns) {
    if (name == type) return "(" + left + " " + std::string(sign) + " " + right + ")";
  }
  return not_on_spark(type);
}

Result<std::string> SparkSql::operation(const Json& json) {
  const std::string type = text_of(json, "type");
  if (type == "COMPARE_BETWEEN" || type == "COMPARE_NOT_BETWEEN") {
    LAKEMILL_TRY(const std::string input, expression(member(json, "input")));
    LAKEMILL_TRY(const std::string lower, expression(member(json, "lower")));
    LAKEMILL_TRY(const std::string upper, expression(member(json, "upper")));
    return "(" + input + (type == "COMPARE_BETWEEN" ? " BETWEEN " : " NOT BETWEEN ") +
           lower + " AND " + upper + ")";
  }
  LAKEMILL_TRY(const std::vector<std::string> items,
               expressions(member(json, "children")));
  if (type == "CONJUNCTION_AND") return parenthesized(join(items, " AND "));
  if (type == "CONJUNCTION_OR") return parenthesized(join(items, " OR "));
  if (type == "OPERATOR_COALESCE") return "coalesce(" + join(items, ", ") + ")";
  if (items.empty()) return not_on_spark(type);
  if (type == "OPERATOR_NOT") return "(NOT " + items[0] + ")";
  if (type == "OPERATOR_IS_NULL") return "(" + items[0] + " IS NULL)";
  if (type == "OPERATOR_IS_NOT_NULL") return "(" + items[0] + " IS NOT NULL)";
  if ((type == "COMPARE_IN" || type == "COMPARE_NOT_IN") && items.size() > 1) {
    const std::vector<std::string> list(items.begin() + 1, items.end());
    return "(" + items[0] + (type == "COMPARE_IN" ? " IN (" : " NOT IN (") +
           join(list, ", ") + "))";
  }
  return not_on_spark(type == "ARRAY_EXTRACT" ? "x[i]" : type);
}

Result<std::string> SparkSql::special_function(const std::string& name,
                                               const Json& json) {
  const Json& arguments = member(json, "children");
  if (is_clock(name)) return instant_sql(context_.now);
  if (is_calendar(name)) return "CAST(" + instant_sql(context_.now) + " AS DATE)";
  if (name == "count_star") return aggregate("count(*)", json);
  if (name == "date_part" && arguments.size() == 2 &&
      is_constant(arguments[0], "VARCHAR")) {
    const std::string part = to_lower(text_of(member(arguments[0], "value"), "value"));
    const std::string_view pattern = part_sql(part);
    if (pattern.empty()) return not_on_spark("date_part('" + part + "', …)");
    LAKEMILL_TRY(const std::string of, expression(arguments[1]));
    return filled(pattern, {of});
  }
  if (name.starts_with("to_") && arguments.size() == 1 &&
      is_constant(innermost(arguments[0]), "INTEGER") && is_known_function(name)) {
    LAKEMILL_TRY(const std::string count, constant_sql(innermost(arguments[0])));
    return filled(find_function(name, 1)->sql, {count});
  }
  // The hash of a whole row, of which only whether it can be computed is looked at.
  if (name == "hash" && context_.ours && arguments.size() == 1 &&
      text_of(arguments[0], "class") == "COLUMN_REF") {
    LAKEMILL_TRY(const std::string row, expression(arguments[0]));
    return "xxhash64(struct(" + row + ".*))";
  }
  return std::string();
}

Result<std::string> SparkSql::function(const Json& json) {
  const std::string name = to_lower(text_of(json, "function_name"));
  LAKEMILL_TRY(const std::string special, special_function(name, json));
  if (!special.empty()) return special;
  const Json& arguments = member(json, "children");
  const SparkFunction* known = find_function(name, static_cast<int>(arguments.size()));
  if (known == nullptr) {
    return not_on_spark(is_known_function(name)
                            ? name + "() with " + std::to_string(arguments.size()) +
                                  " arguments"
                            : "function " + name + "()");
  }
  if (known->literal_index > 0) {
    const auto index = static_cast<std::size_t>(known->literal_index - 1);
    if (!fits(arguments[index], known->literal)) {
      return not_on_spark(name + "() whose argument " +
                          std::to_string(known->literal_index) + " is not " +
                          std::string(expected(known->literal)) + " written out");
    }
  }
  LAKEMILL_TRY(const auto items, expressions(arguments));
  const std::string call = filled(known->sql, items);
  if (known->aggregates) return aggregate(call, json);
  if (bool_member(json, "distinct", false) || has(json, "filter")) {
    return not_on_spark("DISTINCT or FILTER in " + name + "()");
  }
  return call;
}

// DISTINCT and FILTER of an aggregate.
Result<std::string> SparkSql::aggregate(const std::string& call, const Json& json) {
  std::string sql = call;
  if (bool_member(json, "distinct", false)) {
    sql.insert(sql.find('(') + 1, "DISTINCT ");
  }
  if (has(member(json, "order_bys"), "orders")) {
    return not_on_spark("ORDER BY in an aggregate");
  }
  if (!has(json, "filter")) return sql;
  LAKEMILL_TRY(const std::string condition, expression(member(json, "filter")));
  return sql + " FILTER (WHERE " + condition + ")";
}

Result<std::string> SparkSql::case_of(const Json& json) {
  std::string sql = "CASE";
  for (const Json& check : member(json, "case_checks")) {
    LAKEMILL_TRY(const std::string when, expression(member(check, "when_expr")));
    LAKEMILL_TRY(const std::string then, expression(member(check, "then_expr")));
    sql += " WHEN " + when + " THEN " + then;
  }
  if (has(json, "else_expr")) {
    LAKEMILL_TRY(const std::string otherwise, expression(member(json, "else_expr")));
    sql += " ELSE " + otherwise;
  }
  return sql + " END";
}

Result<std::string> SparkSql::subquery(const Json& json) {
  const std::string type = text_of(json, "subquery_type");
  LAKEMILL_TRY(const std::string inner,
               query(member(member(json, "subquery"), "node")));
  if (type == "SCALAR") return parenthesized(inner);
  if (type == "EXISTS") return "EXISTS (" + inner + ")";
  if (type == "NOT_EXISTS") return "(NOT EXISTS (" + inner + "))";
  if (type == "ANY" && text_of(json, "comparison_type") == "COMPARE_EQUAL") {
    LAKEMILL_TRY(const std::string child, expression(member(json, "child")));
    return "(" + child + " IN (" + inner + "))";
  }
  return not_on_spark("a subquery with ANY or ALL");
}

Result<std::string> SparkSql::window(const Json& json) {
  const std::string name = to_lower(text_of(json, "function_name"));
  if (has(json, "arg_orders")) return not_on_spark("ORDER BY in " + name + "()");
  if (text_of(json, "exclude_clause") != "NO_OTHER") return not_on_spark("EXCLUDE");
  LAKEMILL_TRY(auto arguments, expressions(member(json, "children")));
  for (const std::string_view further : {"offset_expr", "default_expr"}) {
    if (!has(json, further)) continue;
    LAKEMILL_TRY(std::string sql, expression(member(json, further)));
    arguments.push_back(std::move(sql));
  }
  static constexpr std::array<std::string_view, 11> kRanking = {
      "row_number", "rank", "dense_rank",  "percent_rank", "cume_dist", "ntile",
      "lag",        "lead", "first_value", "last_value",   "nth_value"};
  std::string call;
  if (std::find(kRanking.begin(), kRanking.end(), name) != kRanking.end()) {
    call = name + "(" + join(arguments, ", ") + ")";
    if (bool_member(json, "ignore_nulls", false)) call += " IGNORE NULLS";
  } else if (name == "count_star") {
    call = "count(*)";
  } else {
    const SparkFunction* known =
        find_function(name, static_cast<int>(arguments.size()));
    if (known == nullptr || !known->aggregates) {
      return not_on_spark("window function " + name + "()");
    }
    call = filled(known->sql, arguments);
  }
  if (bool_member(json, "distinct", false)) {
    return not_on_spark("DISTINCT in a window function");
  }
  if (has(json, "filter_expr")) {
    LAKEMILL_TRY(const std::string condition, expression(member(json, "filter_expr")));
    call += " FILTER (WHERE " + condition + ")";
  }
  std::vector<std::string> parts;
  LAKEMILL_TRY(const auto partitions, expressions(member(json, "partitions")));
  if (!partitions.empty()) parts.push_back("PARTITION BY " + join(partitions, ", "));
  if (has(json, "orders")) {
    LAKEMILL_TRY(const std::string orders, order_list(member(json, "orders")));
    parts.push_back("ORDER BY " + orders);
  }
  LAKEMILL_TRY(const std::string rows, frame(json));
  if (!rows.empty()) parts.push_back(rows);
  return call + " OVER (" + join(parts, " ") + ")";
}

// The frame of a window, where it is not the one that goes without saying.
Result<std::string> SparkSql::frame(const Json& json) {
  const std::string start = text_of(json, "start");
  const std::string end = text_of(json, "end");
  if (start == "UNBOUNDED_PRECEDING" && end == "CURRENT_ROW_RANGE") {
    return std::string();
  }
  const bool by_range = start.ends_with("_RANGE") || end.ends_with("_RANGE");
  const bool by_group = start.ends_with("_GROUPS") || end.ends_with("_GROUPS");
  if (by_group) return not_on_spark("GROUPS in a window");
  const auto bound = [&](const std::string& name,
                         std::string_view key) -> Result<std::string> {
    if (name == "UNBOUNDED_PRECEDING") return std::string("UNBOUNDED PRECEDING");
    if (name == "UNBOUNDED_FOLLOWING") return std::string("UNBOUNDED FOLLOWING");
    if (name.starts_with("CURRENT_ROW")) return std::string("CURRENT ROW");
    LAKEMILL_TRY(const std::string count, expression(member(json, key)));
    return count +
           (name.find("PRECEDING") != std::string::npos ? " PRECEDING" : " FOLLOWING");
  };
  LAKEMILL_TRY(const std::string from_row, bound(start, "start_expr"));
  LAKEMILL_TRY(const std::string to_row, bound(end, "end_expr"));
  return (by_range ? "RANGE BETWEEN " : "ROWS BETWEEN ") + from_row + " AND " + to_row;
}

}  // namespace lakemill::engine_spark
