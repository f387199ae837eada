#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/base/clock.h"
#include "lakemill/base/json.h"

namespace lakemill::engine_spark {

/// A table as a statement names it. Parts that it does not name are empty.
struct TableReference {
  std::string catalog;
  std::string schema;
  std::string table;
  std::optional<std::int64_t> version;  ///< AT (VERSION => n)
  std::string path;                     ///< delta_scan('path'); then the rest is empty
};

/// What a translation must know of the session.
struct SqlContext {
  Instant now;        ///< what now() gives
  bool ours = false;  ///< not written by a user
  /// The name by which Spark knows a table, quoted. Errors: unsupported, not_found.
  std::function<Result<std::string>(const TableReference&)> table;
  /// The columns of a bound name, which a star with REPLACE or RENAME needs.
  std::function<Result<std::vector<std::string>>(const std::string& name)> columns;
};

/// A SELECT statement of the embedded engine's dialect in Spark's: the syntax tree that
/// DuckDB's json_serialize_sql() gives is written again. What Spark cannot do, or would
/// do otherwise, is refused by its name. Errors: unsupported, invalid (no tree of one
/// SELECT), those of the context.
class SparkSql {
 public:
  explicit SparkSql(const SqlContext& context) : context_(context) {}

  /// The statement of a whole answer of json_serialize_sql().
  Result<std::string> statement(const Json& answer);

 private:
  // spark_sql.cpp
  Result<std::string> query(const Json& node);
  Result<std::string> query_body(const Json& node);
  Result<std::string> select(const Json& node);
  Result<std::string> select_with_qualify(const Json& node);
  Result<std::string> set_operation(const Json& node);
  Result<std::string> common_tables(const Json& node);
  Result<std::string> select_list(const Json& node);
  Result<std::string> star(const Json& expression, const Json& from);
  Result<std::string> expanded_star(const Json& expression, const Json& from);
  Result<std::string> from(const Json& table);
  Result<std::string> base_table(const Json& table);
  Result<std::string> table_function(const Json& table);
  Result<std::string> join_tables(const Json& table);
  Result<std::string> values(const Json& table);
  Result<std::string> group_by(const Json& node);
  Result<std::string> modifiers(const Json& node);
  Result<std::string> order_list(const Json& orders);

  // spark_expression.cpp
  Result<std::string> expression(const Json& json);
  Result<std::vector<std::string>> expressions(const Json& list);
  Result<std::string> column(const Json& json);
  Result<std::string> cast(const Json& json);
  Result<std::string> comparison(const Json& json);
  Result<std::string> operation(const Json& json);
  Result<std::string> function(const Json& json);
  Result<std::string> special_function(const std::string& name, const Json& json);
  Result<std::string> aggregate(const std::string& call, const Json& json);
  Result<std::string> case_of(const Json& json);
  Result<std::string> subquery(const Json& json);
  Result<std::string> window(const Json& json);
  Result<std::string> frame(const Json& json);

  const SqlContext& context_;
  std::set<std::string> common_tables_;  // names, in lower case
  int depth_ = 0;
};

/// "… is not supported on Spark: …", with what the user can do.
Error not_on_spark(const std::string& what);

}  // namespace lakemill::engine_spark
