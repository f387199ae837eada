#include "lakemill/api/event_routes.h"

#include "lakemill/api/answers.h"
#include "lakemill/api/request_fields.h"
#include "lakemill/api/shapes.h"

namespace lakemill::api {

using server::Answer;

namespace {

Answer events(app::Operation& operation, const Call& call) {
  QueryFields query(call.request.target);
  events::EventFilter filter;
  for (const std::string& name : query.texts("type")) {
    const auto type = events::event_type_from_name(name);
    if (!type) query.refuse("type", "the name of a type of events, such as run_failed");
    if (type) filter.types.push_back(*type);
  }
  filter.least_level = query.one_of<events::EventLevel>(
      "level", {events::EventLevel::debug, events::EventLevel::info,
                events::EventLevel::warning, events::EventLevel::error});
  filter.run_id = query.text("run_id");
  filter.pipeline = query.text("pipeline");
  filter.node = query.text("node");
  filter.table_name = query.text("table");
  filter.since = query.instant("since");
  filter.until = query.instant("until");
  const std::int64_t count_max = query.integer("limit", kListUsual, kListMax);
  if (const auto fault = query.fault()) return failed(*fault);
  const auto rows = operation.events(filter, count_max);
  if (!rows) return failed(rows.error());
  return found_text(json_text(Json{{"events", events_json(*rows)}}));
}

Answer follow_events(EventHub& hub, const Call& call) {
  const std::string last(call.request.head.header("last-event-id"));
  return server::stream_answer(hub.join(last));
}

}  // namespace

std::vector<Route> event_routes(app::Operation& operation, EventHub& hub) {
  return {
      {"GET", "/api/v1/events", Permit::viewer(),
       "The newest events that pass the filter, oldest first.", 0,
       [&operation](const Call& call) { return events(operation, call); }},
      {"GET", "/api/v1/events/stream", Permit::viewer(),
       "Events as they happen (server-sent events).", 0,
       [&hub](const Call& call) { return follow_events(hub, call); }},
  };
}

}  // namespace lakemill::api
