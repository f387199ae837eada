#include "lakemill/engine_spark/spark_sql.h"

#include <algorithm>

#include "lakemill/base/text.h"
#include "lakemill/engine_spark/spark_types.h"
#include "lakemill/engine_spark/syntax_tree.h"

namespace lakemill::engine_spark {

namespace {

constexpr int kDepthMax = 200;  // of queries in queries
constexpr std::string_view kQualifyColumn = "_lakemill_qualify";

std::string alias_of(const Json& table) {
  const std::string alias = text_of(table, "alias");
  std::string sql = alias.empty() ? "" : " AS " + quote_name(alias);
  std::vector<std::string> columns;
  for (const Json& name : member(table, "column_name_alias")) {
    if (name.is_string()) columns.push_back(quote_name(name.get<std::string>()));
  }
  if (!columns.empty()) sql += "(" + join(columns, ", ") + ")";
  return sql;
}

// A join that merges columns orders those of a star in another way.
bool merges_columns(const Json& table) {
  if (text_of(table, "type") != "JOIN") return false;
  return has(table, "using_columns") || text_of(table, "ref_type") == "NATURAL" ||
         merges_columns(member(table, "left")) ||
         merges_columns(member(table, "right"));
}

bool is_star(const Json& expression) { return text_of(expression, "class") == "STAR"; }

std::string with_alias(const std::string& sql, const Json& expression) {
  const std::string alias = text_of(expression, "alias");
  return alias.empty() ? sql : sql + " AS " + quote_name(alias);
}

}  // namespace

Error not_on_spark(const std::string& what) {
  return {ErrorCode::unsupported,
          what +
              " is not supported on Spark: write it otherwise, or give the node "
              "dataframe_backend: DUCKDB"};
}

Result<std::string> SparkSql::statement(const Json& answer) {
  if (bool_member(answer, "error", false)) {
    return Error(ErrorCode::invalid, text_of(answer, "error_message"));
  }
  const Json& statements = member(answer, "statements");
  if (!statements.is_array() || statements.size() != 1) {
    return Error(ErrorCode::invalid, "one SELECT statement is expected");
  }
  return query(member(statements[0], "node"));
}

// A query with its common table expressions and what follows it.
Result<std::string> SparkSql::query(const Json& node) {
  if (++depth_ > kDepthMax) return not_on_spark("a query nested so deeply");
  const std::set<std::string> outer = common_tables_;
  LAKEMILL_TRY(std::string sql, common_tables(node));
  LAKEMILL_TRY(const std::string body, query_body(node));
  LAKEMILL_TRY(const std::string tail, modifiers(node));
  common_tables_ = outer;
  --depth_;
  return sql + body + tail;
}

Result<std::string> SparkSql::query_body(const Json& node) {
  const std::string type = text_of(node, "type");
  if (type == "SET_OPERATION_NODE") return set_operation(node);
  if (type == "SELECT_NODE") {
    return has(node, "qualify") ? select_with_qualify(node) : select(node);
  }
  if (type == "RECURSIVE_CTE_NODE") return not_on_spark("WITH RECURSIVE");
  return not_on_spark("this kind of query (" + type + ")");
}

Result<std::string> SparkSql::common_tables(const Json& node) {
  std::vector<std::string> tables;
  for (const Json& entry : member(member(node, "cte_map"), "map")) {
    const Json& value = member(entry, "value");
    const std::string name = text_of(entry, "key");
    if (has(value, "key_targets")) return not_on_spark("USING KEY");
    LAKEMILL_TRY(const std::string inner,
                 query(member(member(value, "query"), "node")));
    std::vector<std::string> columns;
    for (const Json& column : member(value, "aliases")) {
      if (column.is_string()) columns.push_back(quote_name(column.get<std::string>()));
    }
    tables.push_back(quote_name(name) +
                     (columns.empty() ? "" : "(" + join(columns, ", ") + ")") +
                     " AS (" + inner + ")");
    common_tables_.insert(to_lower(name));
  }
  return tables.empty() ? std::string() : "WITH " + join(tables, ", ") + " ";
}

Result<std::string> SparkSql::set_operation(const Json& node) {
  const std::string type = text_of(node, "setop_type");
  if (type != "UNION" && type != "EXCEPT" && type != "INTERSECT") {
    return not_on_spark(type == "UNION_BY_NAME" ? "UNION BY NAME" : type);
  }
  LAKEMILL_TRY(const std::string left, query(member(node, "left")));
  LAKEMILL_TRY(const std::string right, query(member(node, "right")));
  return "(" + left + ") " + type +
         (bool_member(node, "setop_all", false) ? " ALL" : "") + " (" + right + ")";
}

Result<std::string> SparkSql::select(const Json& node) {
  if (has(node, "sample")) return not_on_spark("USING SAMPLE");
  LAKEMILL_TRY(const std::string list, select_list(node));
  std::string sql = "SELECT ";
  for (const Json& modifier : member(node, "modifiers")) {
    if (text_of(modifier, "type") != "DISTINCT_MODIFIER") continue;
    if (has(modifier, "distinct_on_targets")) return not_on_spark("DISTINCT ON");
    sql += "DISTINCT ";
  }
  sql += list;
  LAKEMILL_TRY(const std::string tables, from(member(node, "from_table")));
  if (!tables.empty()) sql += " FROM " + tables;
  if (has(node, "where_clause")) {
    LAKEMILL_TRY(const std::string condition, expression(member(node, "where_clause")));
    sql += " WHERE " + condition;
  }
  LAKEMILL_TRY(const std::string groups, group_by(node));
  sql += groups;
  if (has(node, "having")) {
    LAKEMILL_TRY(const std::string condition, expression(member(node, "having")));
    sql += " HAVING " + condition;
  }
  return sql;
}

// Spark has no QUALIFY: the condition becomes a column of an inner query.
Result<std::string> SparkSql::select_with_qualify(const Json& node) {
  Json inner = node;
  inner.erase("qualify");
  for (const Json& modifier : member(node, "modifiers")) {
    if (text_of(modifier, "type") == "DISTINCT_MODIFIER") {
      return not_on_spark("DISTINCT together with QUALIFY");
    }
  }
  Json condition = member(node, "qualify");
  condition["alias"] = std::string(kQualifyColumn);
  inner["select_list"].push_back(std::move(condition));
  LAKEMILL_TRY(const std::string sql, select(inner));
  const std::string column = quote_name(kQualifyColumn);
  return "SELECT * EXCEPT (" + column + ") FROM (" + sql + ") WHERE " + column;
}

Result<std::string> SparkSql::select_list(const Json& node) {
  std::vector<std::string> items;
  for (const Json& item : member(node, "select_list")) {
    if (is_star(item)) {
      LAKEMILL_TRY(std::string columns, star(item, member(node, "from_table")));
      items.push_back(std::move(columns));
      continue;
    }
    LAKEMILL_TRY(const std::string sql, expression(item));
    items.push_back(with_alias(sql, item));
  }
  return join(items, ", ");
}

Result<std::string> SparkSql::star(const Json& item, const Json& table) {
  if (bool_member(item, "columns", false) || has(item, "expr")) {
    return not_on_spark("COLUMNS(…)");
  }
  if (merges_columns(table)) {
    return not_on_spark("* over a JOIN with USING or NATURAL (name the columns)");
  }
  if (has(item, "qualified_exclude_list")) {
    return not_on_spark("EXCLUDE of a qualified column");
  }
  if (has(item, "replace_list") || has(item, "rename_list")) {
    return expanded_star(item, table);
  }
  const std::string relation = text_of(item, "relation_name");
  std::string sql = relation.empty() ? "*" : quote_name(relation) + ".*";
  std::vector<std::string> left_out;
  for (const Json& name : member(item, "exclude_list")) {
    if (name.is_string()) left_out.push_back(quote_name(name.get<std::string>()));
  }
  if (!left_out.empty()) sql += " EXCEPT (" + join(left_out, ", ") + ")";
  return sql;
}

// With REPLACE or RENAME: column by column, where one bound name is read.
Result<std::string> SparkSql::expanded_star(const Json& item, const Json& table) {
  const bool known = text_of(table, "type") == "BASE_TABLE" &&
                     !has(table, "schema_name") &&
                     !common_tables_.contains(to_lower(text_of(table, "table_name")));
  if (!known) return not_on_spark("* REPLACE or RENAME over more than one table");
  LAKEMILL_TRY(const auto columns, context_.columns(text_of(table, "table_name")));
  const auto in_list = [](const Json& list, const std::string& column) {
    return std::any_of(list.begin(), list.end(), [&](const Json& name) {
      return name.is_string() &&
             equals_ignoring_case(name.get_ref<const std::string&>(), column);
    });
  };
  std::vector<std::string> items;
  for (const std::string& column : columns) {
    if (in_list(member(item, "exclude_list"), column)) continue;
    std::string sql = quote_name(column);
    std::string name = column;
    for (const Json& entry : member(item, "replace_list")) {
      if (!equals_ignoring_case(text_of(entry, "key"), column)) continue;
      LAKEMILL_TRY(sql, expression(member(entry, "value")));
    }
    for (const Json& entry : member(item, "rename_list")) {
      if (equals_ignoring_case(text_of(member(entry, "key"), "column"), column)) {
        name = text_of(entry, "value");
      }
    }
    items.push_back(sql + " AS " + quote_name(name));
  }
  return join(items, ", ");
}

Result<std::string> SparkSql::from(const Json& table) {
  const std::string type = text_of(table, "type");
  if (has(table, "sample")) return not_on_spark("TABLESAMPLE");
  if (type == "EMPTY") return std::string();
  if (type == "BASE_TABLE") return base_table(table);
  if (type == "TABLE_FUNCTION") return table_function(table);
  if (type == "JOIN") return join_tables(table);
  if (type == "EXPRESSION_LIST") return values(table);
  if (type == "SUBQUERY") {
    LAKEMILL_TRY(const std::string inner,
                 query(member(member(table, "subquery"), "node")));
    return "(" + inner + ")" + alias_of(table);
  }
  return not_on_spark(type + " in FROM");
}

Result<std::string> SparkSql::base_table(const Json& table) {
  TableReference reference;
  reference.catalog = text_of(table, "catalog_name");
  reference.schema = text_of(table, "schema_name");
  reference.table = text_of(table, "table_name");
  if (has(table, "at_clause")) {
    const Json& at = member(table, "at_clause");
    const Json& version = member(at, "expr");
    if (text_of(at, "unit") != "VERSION" || !is_constant(version, "INTEGER")) {
      return not_on_spark("AT with anything but a version number");
    }
    reference.version = integer_member(member(version, "value"), "value", -1);
  }
  std::string sql;
  const bool common =
      reference.schema.empty() && common_tables_.contains(to_lower(reference.table));
  if (common) {
    sql = quote_name(reference.table);
  } else {
    LAKEMILL_TRY(sql, context_.table(reference));
  }
  const std::string alias = alias_of(table);
  return sql +
         (alias.empty() && !common ? " AS " + quote_name(reference.table) : alias);
}

Result<std::string> SparkSql::table_function(const Json& table) {
  const Json& call = member(table, "function");
  const std::string name = to_lower(text_of(call, "function_name"));
  const Json& arguments = member(call, "children");
  if (name != "delta_scan" || arguments.size() != 1 ||
      !is_constant(arguments[0], "VARCHAR")) {
    return not_on_spark(name + "() in FROM");
  }
  TableReference reference;
  reference.path = text_of(member(arguments[0], "value"), "value");
  LAKEMILL_TRY(const std::string sql, context_.table(reference));
  const std::string alias = alias_of(table);
  return sql + (alias.empty() ? " AS `delta_scan`" : alias);
}

Result<std::string> SparkSql::join_tables(const Json& table) {
  LAKEMILL_TRY(const std::string left, from(member(table, "left")));
  LAKEMILL_TRY(const std::string right, from(member(table, "right")));
  const std::string kind = text_of(table, "ref_type");
  const std::string type = text_of(table, "join_type");
  if (kind == "CROSS") return left + " CROSS JOIN " + right;
  if (kind != "REGULAR" && kind != "NATURAL") return not_on_spark(kind + " JOIN");
  static const std::set<std::string> kTypes = {"INNER", "LEFT", "RIGHT",
                                               "OUTER", "SEMI", "ANTI"};
  if (!kTypes.contains(type)) return not_on_spark(type + " JOIN");
  std::string sql =
      left + (kind == "NATURAL" ? " NATURAL " : " ") +
      (type == "OUTER"                    ? "FULL OUTER"
       : type == "SEMI" || type == "ANTI" ? "LEFT " + type
                                          : type) +
      " JOIN " +
      (text_of(member(table, "right"), "type") == "JOIN" ? "(" + right + ")" : right);
  std::vector<std::string> merged;
  for (const Json& name : member(table, "using_columns")) {
    if (name.is_string()) merged.push_back(quote_name(name.get<std::string>()));
  }
  if (!merged.empty()) return sql + " USING (" + join(merged, ", ") + ")";
  if (!has(table, "condition")) return sql;
  LAKEMILL_TRY(const std::string condition, expression(member(table, "condition")));
  return sql + " ON " + condition;
}

Result<std::string> SparkSql::values(const Json& table) {
  std::vector<std::string> rows;
  for (const Json& row : member(table, "values")) {
    LAKEMILL_TRY(const auto items, expressions(row));
    rows.push_back("(" + join(items, ", ") + ")");
  }
  return "(VALUES " + join(rows, ", ") + ")" + alias_of(table);
}

Result<std::string> SparkSql::group_by(const Json& node) {
  if (text_of(node, "aggregate_handling") == "FORCE_AGGREGATES") {
    return std::string(" GROUP BY ALL");
  }
  const Json& groups = member(node, "group_expressions");
  if (!groups.is_array() || groups.empty()) return std::string();
  if (member(node, "group_sets").size() > 1) {
    return not_on_spark("GROUPING SETS, ROLLUP or CUBE");
  }
  LAKEMILL_TRY(const auto items, expressions(groups));
  return " GROUP BY " + join(items, ", ");
}

Result<std::string> SparkSql::order_list(const Json& orders) {
  std::vector<std::string> items;
  for (const Json& order : orders) {
    const Json& what = member(order, "expression");
    if (is_star(what)) return not_on_spark("ORDER BY ALL");
    LAKEMILL_TRY(const std::string sql, expression(what));
    const bool descending = text_of(order, "type") == "DESCENDING";
    std::string nulls = text_of(order, "null_order");
    std::replace(nulls.begin(), nulls.end(), '_', ' ');
    // Here nulls come last either way; in Spark it depends on the direction.
    items.push_back(sql + (descending ? " DESC" : " ASC") +
                    (nulls == "NULLS FIRST" ? " NULLS FIRST" : " NULLS LAST"));
  }
  return join(items, ", ");
}

Result<std::string> SparkSql::modifiers(const Json& node) {
  std::string sql;
  for (const Json& modifier : member(node, "modifiers")) {
    const std::string type = text_of(modifier, "type");
    if (type == "DISTINCT_MODIFIER") {
      if (text_of(node, "type") != "SELECT_NODE") return not_on_spark("DISTINCT here");
      continue;
    }
    if (type == "ORDER_MODIFIER") {
      LAKEMILL_TRY(const std::string list, order_list(member(modifier, "orders")));
      sql += " ORDER BY " + list;
    } else if (type == "LIMIT_MODIFIER") {
      if (has(modifier, "limit")) {
        LAKEMILL_TRY(const std::string count, expression(member(modifier, "limit")));
        sql += " LIMIT " + count;
      }
      if (has(modifier, "offset")) {
        LAKEMILL_TRY(const std::string count, expression(member(modifier, "offset")));
        sql += " OFFSET " + count;
      }
    } else {
      return not_on_spark(type == "LIMIT_PERCENT_MODIFIER" ? "LIMIT in percent" : type);
    }
  }
  return sql;
}

}  // namespace lakemill::engine_spark
