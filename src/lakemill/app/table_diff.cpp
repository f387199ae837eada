#include "lakemill/app/table_diff.h"

#include <algorithm>
#include <set>

#include "lakemill/base/text.h"

namespace lakemill::app {

namespace {

Status bind_side(Workbench& workbench, engine::Session& session,
                 const std::string& name, const std::string& table,
                 std::optional<std::int64_t> version, data::Schema& schema) {
  LAKEMILL_TRY(const std::string url, workbench.table_url(table));
  LAKEMILL_TRY(const auto opened, workbench.catalog().open_url(url));
  LAKEMILL_TRY(const auto snapshot,
               version ? opened->at_version(*version) : opened->latest());
  schema = snapshot->metadata().schema;
  LAKEMILL_TRY(auto scan, snapshot->scan());
  return session.bind(name, engine::TableRelation{std::move(scan)});
}

Result<std::int64_t> count(engine::Session& session, const std::string& sql) {
  LAKEMILL_TRY(
      const data::Rows rows,
      session.query("SELECT count(*) FROM (" + sql + ")", engine::Origin::lakemill, 1));
  return std::get<std::int64_t>(rows.rows[0][0]);
}

// The columns that both have, quoted; what differs goes to `differences`.
std::string common_columns(const data::Schema& left, const data::Schema& right,
                           std::vector<std::string>& differences) {
  std::vector<std::string> columns;
  for (const data::Field& field : left.fields) {
    const data::Field* other = right.find(field.name);
    if (other == nullptr) {
      differences.push_back("column " + field.name + " is only in the first");
      continue;
    }
    columns.push_back(quote_identifier(field.name));
    if (to_text(field.type) != to_text(other->type)) {
      differences.push_back("column " + field.name + ": " + to_text(field.type) +
                            " and " + to_text(other->type));
    }
  }
  for (const data::Field& field : right.fields) {
    if (left.find(field.name) == nullptr) {
      differences.push_back("column " + field.name + " is only in the second");
    }
  }
  return join(columns, ", ");
}

// The rows of both sides that the other does not have, bound in a session.
struct Sides {
  std::string only_left;   // SQL
  std::string only_right;  // SQL
};

Status check_keys(const std::vector<std::string>& keys, const data::Schema& left,
                  const data::Schema& right) {
  for (const std::string& key : keys) {
    if (left.find(key) != nullptr && right.find(key) != nullptr) continue;
    return Error(
        ErrorCode::invalid,
        "--key " + key + ": no column of that name in " +
            (left.find(key) == nullptr ? "the first table" : "the second table"));
  }
  return {};
}

std::string key_list(const std::vector<std::string>& keys) {
  std::vector<std::string> quoted;
  for (const std::string& key : keys) quoted.push_back(quote_identifier(key));
  return join(quoted, ", ");
}

Result<KeyedDifference> count_keys(engine::Session& session, const Sides& sides,
                                   const std::vector<std::string>& keys) {
  const std::string list = key_list(keys);
  const std::string left =
      "SELECT DISTINCT " + list + " FROM (" + sides.only_left + ")";
  const std::string right =
      "SELECT DISTINCT " + list + " FROM (" + sides.only_right + ")";
  KeyedDifference counted;
  LAKEMILL_TRY(counted.changed, count(session, left + " INTERSECT " + right));
  LAKEMILL_TRY(counted.removed, count(session, left));
  LAKEMILL_TRY(counted.added, count(session, right));
  counted.removed -= counted.changed;
  counted.added -= counted.changed;
  return counted;
}

// Rows of one key stand together, whichever side they are of.
Result<data::Rows> sample(engine::Session& session, const Sides& sides,
                          const DiffRequest& request) {
  const std::string limit = ") LIMIT " + std::to_string(request.sample_max);
  const std::string order =
      request.keys.empty() ? "" : " ORDER BY " + key_list(request.keys);
  const std::string bound = order.empty() ? limit : ")" + order + limit.substr(1);
  return session.query(
      "SELECT * FROM ((SELECT '<' AS side, * FROM (" + sides.only_left + bound +
          ") UNION ALL (SELECT '>' AS side, * FROM (" + sides.only_right + bound +
          "))" + (order.empty() ? "" : order + ", side"),
      engine::Origin::lakemill, 2 * request.sample_max);
}

Result<catalog::TableName> schema_named(Workbench& workbench, const std::string& text) {
  return workbench.catalog().resolve(text + ".any");
}

Result<std::vector<std::string>> tables_of(Workbench& workbench,
                                           const std::string& text) {
  LAKEMILL_TRY(const auto name, schema_named(workbench, text));
  return workbench.catalog().list_tables(name.catalog, name.schema);
}

}  // namespace

Result<TableDifference> table_diff(Workbench& workbench, const DiffRequest& request) {
  LAKEMILL_TRY(const auto session, workbench.engine().open_session(
                                       {workbench.clock().now(), 0, {}, {}, {}, {}}));
  data::Schema left;
  data::Schema right;
  LAKEMILL_TRY_OK(
      bind_side(workbench, *session, "left", request.left, request.left_version, left));
  LAKEMILL_TRY_OK(bind_side(workbench, *session, "right", request.right,
                            request.right_version, right));
  LAKEMILL_TRY_OK(check_keys(request.keys, left, right));
  TableDifference difference;
  const std::string columns = common_columns(left, right, difference.schema);
  if (columns.empty()) return difference;
  const std::string of_left = "SELECT " + columns + " FROM \"left\"";
  const std::string of_right = "SELECT " + columns + " FROM \"right\"";
  const Sides sides{of_left + " EXCEPT ALL " + of_right,
                    of_right + " EXCEPT ALL " + of_left};
  LAKEMILL_TRY(difference.only_left, count(*session, sides.only_left));
  LAKEMILL_TRY(difference.only_right, count(*session, sides.only_right));
  const bool any = difference.only_left > 0 || difference.only_right > 0;
  if (!request.keys.empty()) difference.by_key.emplace();
  if (any && !request.keys.empty()) {
    LAKEMILL_TRY(difference.by_key, count_keys(*session, sides, request.keys));
  }
  if (any) {
    LAKEMILL_TRY(difference.sample, sample(*session, sides, request));
  }
  return difference;
}

Result<bool> is_schema(Workbench& workbench, const std::string& text) {
  if (text.find('/') != std::string::npos) return false;
  if (workbench.table_url(text)) return false;
  const auto tables = tables_of(workbench, text);
  return tables.has_value() && !tables->empty();
}

Result<std::vector<SchemaDifference>> schema_diff(Workbench& workbench,
                                                  const DiffRequest& request) {
  LAKEMILL_TRY(const auto left, tables_of(workbench, request.left));
  LAKEMILL_TRY(const auto right, tables_of(workbench, request.right));
  std::set<std::string> names(left.begin(), left.end());
  names.insert(right.begin(), right.end());
  std::vector<SchemaDifference> differences;
  for (const std::string& name : names) {
    SchemaDifference item;
    item.table = name;
    item.in_left = std::find(left.begin(), left.end(), name) != left.end();
    item.in_right = std::find(right.begin(), right.end(), name) != right.end();
    if (item.in_left && item.in_right) {
      DiffRequest tables = request;
      tables.left = request.left + "." + name;
      tables.right = request.right + "." + name;
      auto difference = table_diff(workbench, tables);
      if (!difference) return std::move(difference).error().while_doing(name);
      item.difference = *std::move(difference);
    }
    differences.push_back(std::move(item));
  }
  return differences;
}

}  // namespace lakemill::app
