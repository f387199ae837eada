#include "lakemill/events/event_query.h"

#include <set>

#include "lakemill/base/quoted_list.h"
#include "lakemill/base/text.h"
#include "lakemill/delta/change_feed.h"

namespace lakemill::events {

namespace {

std::string timestamp_literal(Instant instant) {
  return "TIMESTAMPTZ " + quote_literal(format_instant(instant));
}

std::string type_list(const std::vector<EventType>& types) {
  std::vector<std::string> names;
  names.reserve(types.size());
  for (const auto type : types) names.push_back(quote_literal(describe(type).name));
  return "\"type\" IN (" + join(names, ", ") + ")";
}

std::string level_list(EventLevel least) {
  std::vector<std::string> names;
  for (const auto level :
       {EventLevel::debug, EventLevel::info, EventLevel::warning, EventLevel::error}) {
    if (level >= least) names.push_back(quote_literal(to_text(level)));
  }
  return "\"level\" IN (" + join(names, ", ") + ")";
}

std::string where_clause(const EventFilter& filter) {
  std::vector<std::string> conditions;
  const auto equal = [&conditions](std::string_view column, const std::string& value) {
    if (value.empty()) return;
    conditions.push_back(quote_identifier(column) + " = " + quote_literal(value));
  };
  if (!filter.types.empty()) conditions.push_back(type_list(filter.types));
  if (filter.least_level) conditions.push_back(level_list(*filter.least_level));
  equal("run_id", filter.run_id);
  equal("pipeline", filter.pipeline);
  equal("node", filter.node);
  equal("table_name", filter.table_name);
  if (filter.since) {
    conditions.push_back("\"time\" >= " + timestamp_literal(*filter.since));
  }
  if (filter.until) {
    conditions.push_back("\"time\" < " + timestamp_literal(*filter.until));
  }
  return conditions.empty() ? "" : " WHERE " + join(conditions, " AND ");
}

}  // namespace

std::string select_events(std::string_view relation, const EventFilter& filter,
                          std::int64_t count_max) {
  std::vector<std::string> columns;
  for (const auto& field : event_schema().fields) {
    columns.push_back(field.name);
  }
  const auto select = "SELECT " + quoted_list(columns);
  // (writer, sequence) makes the order of events of one instant the same each time
  return select + " FROM (" + select + " FROM " + std::string(relation) +
         where_clause(filter) +
         " ORDER BY \"time\" DESC, \"writer\" DESC, \"sequence\" DESC LIMIT " +
         std::to_string(count_max) + ") ORDER BY \"time\", \"writer\", \"sequence\"";
}

std::string select_in_feed_order(std::string_view relation,
                                 const std::vector<AddedGroup>& groups,
                                 std::int64_t count_max) {
  const std::string version = quote_identifier(delta::kCommitVersion);
  std::string from(relation);
  if (!groups.empty()) {
    std::vector<std::string> values;
    std::set<std::string> writers;  // for skipping files
    for (const AddedGroup& group : groups) {
      writers.insert(quote_literal(group.writer));
      values.push_back("(" + std::to_string(group.version) + ", " +
                       quote_literal(group.writer) + ", " +
                       std::to_string(group.first) + ", " + std::to_string(group.last) +
                       ")");
    }
    from = "(SELECT e.*, g." + version + " FROM " + from + " AS e JOIN (VALUES " +
           join(values, ", ") + ") AS g(" + version +
           ", \"by\", \"first\", \"last\") ON e.\"writer\" = g.\"by\" AND "
           "e.\"sequence\" BETWEEN g.\"first\" AND g.\"last\" WHERE e.\"writer\" IN (" +
           join(std::vector<std::string>(writers.begin(), writers.end()), ", ") + "))";
  }
  return "SELECT * FROM " + from + " ORDER BY " + version +
         ", \"writer\", \"sequence\" LIMIT " + std::to_string(count_max);
}

}  // namespace lakemill::events
