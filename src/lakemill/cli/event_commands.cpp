#include <algorithm>
#include <cstdio>

#include "lakemill/app/event_compaction.h"
#include "lakemill/app/event_feed.h"
#include "lakemill/app/event_rebuild.h"
#include "lakemill/app/query.h"
#include "lakemill/cli/commands.h"
#include "lakemill/cli/output.h"
#include "lakemill/events/event_reference.h"

namespace lakemill::cli {

namespace {

constexpr std::int64_t kEventsMax = 100;  // shown unless more are asked for
constexpr std::size_t kWidthMax = 100;    // of a cell
constexpr std::size_t kPageEvents = 500;  // that are taken at a time
constexpr std::chrono::milliseconds kLookPeriod{500};
constexpr std::chrono::seconds kWaitMax{60};  // then it waits anew

int rebuild_events(app::Workbench& workbench, bool json) {
  const auto told = app::rebuild_events(workbench);
  if (!told) return report_error(told.error(), json);
  if (json) {
    std::printf("%s\n", json_text(Json{{"rebuilt", *told}}).c_str());
  } else {
    std::printf("%s commits were told of by no event, and now are\n",
                with_thousands(*told).c_str());
  }
  return kSuccess;
}

int verify_events(app::Workbench& workbench, bool json) {
  const auto checked = app::verify_events(workbench);
  if (!checked) return report_error(checked.error(), json);
  if (json) {
    std::printf("%s\n", json_text(Json{{"events", *checked}, {"whole", true}}).c_str());
  } else {
    std::printf(
        "%s events, none altered, put in or taken out before a later one of its "
        "writer (the newest events of a writer leave no trace when removed)\n",
        with_thousands(*checked).c_str());
  }
  return kSuccess;
}

int compact_events(app::Workbench& workbench, bool json) {
  constexpr std::size_t kFilesMin = 2;  // somebody wants it now
  const auto done = app::compact_events(workbench, kFilesMin);
  if (!done) return report_error(done.error(), json);
  if (json) {
    std::printf("%s\n", json_text(Json{{"files_removed", done->files_removed},
                                       {"files_added", done->files_added}})
                            .c_str());
  } else {
    std::printf("%s files became %s\n", with_thousands(done->files_removed).c_str(),
                with_thousands(done->files_added).c_str());
  }
  return kSuccess;
}

// Errors: invalid (an unknown type).
Result<events::EventFilter> filter_of(const EventOptions& options) {
  events::EventFilter filter;
  filter.run_id = options.run_id;
  filter.node = options.node;
  for (const std::string& name : options.types) {
    const auto type = events::event_type_from_name(name);
    if (!type) {
      return Error(ErrorCode::invalid, "unknown event type '" + name +
                                           "'; all of them: lakemill schema --events "
                                           "--markdown");
    }
    filter.types.push_back(*type);
  }
  return filter;
}

Result<std::vector<events::Event>> events_of(const data::Rows& rows) {
  std::vector<events::Event> found;
  for (const auto& row : rows.rows) {
    LAKEMILL_TRY(auto event,
                 events::event_from_columns(events::columns_of_row(rows.schema, row)));
    found.push_back(std::move(event));
  }
  return found;
}

void print_events(const std::vector<events::Event>& found) {
  data::Rows shown;
  for (const char* column : {"time", "level", "type", "pipeline", "node", "message"}) {
    shown.schema.fields.push_back({column, data::make_type(data::TypeKind::string)});
  }
  for (const events::Event& event : found) {
    const auto& info = events::describe(event.type);
    shown.rows.push_back({format_instant(event.time),
                          std::string(events::to_text(info.level)),
                          std::string(info.name), event.pipeline, event.node,
                          event.message});
  }
  print_table(stdout, shown, kWidthMax);
}

bool passes(const events::EventFilter& filter, const events::Event& event) {
  const bool is_of_type =
      filter.types.empty() ||
      std::find(filter.types.begin(), filter.types.end(), event.type) !=
          filter.types.end();
  return is_of_type && (filter.run_id.empty() || filter.run_id == event.run_id) &&
         (filter.node.empty() || filter.node == event.node);
}

void print_event(const events::FedEvent& fed, bool json) {
  const events::Event& event = *fed.event;
  if (json) {
    Json line = events::event_json(event);
    line["position"] = events::to_text(fed.at);
    std::printf("%s\n", json_text(line).c_str());
    return;
  }
  const auto& info = events::describe(event.type);
  std::printf("%s  %-7s  %s  %s  %s\n", format_instant(event.time).c_str(),
              std::string(events::to_text(info.level)).c_str(),
              std::string(info.name).c_str(), event.subject.c_str(),
              event.message.c_str());
}

int follow_events(app::Workbench& workbench, const EventOptions& options, bool json,
                  const std::stop_token& stop) {
  const auto filter = filter_of(options);
  if (!filter) return report_error(filter.error(), json), kUsage;
  const auto opened = app::ProjectFeed::open(workbench, kLookPeriod);
  if (!opened) return report_error(opened.error(), json);
  events::EventFeed& feed = (*opened)->feed();
  events::FeedPosition position = feed.end();
  if (!options.after.empty()) {
    const auto after = events::parse_feed_position(options.after);
    if (!after) return report_error(after.error(), json), kUsage;
    position = *after;
  }
  std::int64_t printed = 0;
  while (!stop.stop_requested()) {
    const auto page = feed.read_after(position, kPageEvents);
    if (!page) return report_error(page.error(), json);
    for (const events::FedEvent& fed : page->events) {
      if (!passes(*filter, *fed.event)) continue;
      print_event(fed, json);
      if (++printed == options.limit) return kSuccess;
    }
    std::fflush(stdout);
    position = page->end;
    if (page->events.empty()) feed.wait_beyond(position, stop, kWaitMax);
  }
  return kSuccess;
}

}  // namespace

int events_command(const CommonOptions& common, const EventOptions& options) {
  const std::stop_token stop = options.follow ? stop_on_interrupt() : std::stop_token();
  int code = kSuccess;
  const auto workbench = open_workbench(common, options.rebuild, code);
  if (workbench == nullptr) return code;
  if (options.rebuild) return rebuild_events(*workbench, common.json);
  if (options.compact) return compact_events(*workbench, common.json);
  if (options.verify) return verify_events(*workbench, common.json);
  if (options.follow) return follow_events(*workbench, options, common.json, stop);
  const auto filter = filter_of(options);
  if (!filter) return report_error(filter.error(), common.json), kUsage;
  const auto rows = app::list_events(
      *workbench, *filter, options.limit > 0 ? options.limit : kEventsMax);
  if (!rows) return report_error(rows.error(), common.json);
  const auto found = events_of(*rows);
  if (!found) return report_error(found.error(), common.json);
  if (!common.json) {
    print_events(*found);
    return kSuccess;
  }
  Json list = Json::array();
  for (const events::Event& event : *found) list.push_back(events::event_json(event));
  std::printf("%s\n", json_text(list).c_str());
  return kSuccess;
}

int event_schema_command(bool markdown) {
  if (markdown) {
    std::fputs(events::event_reference_markdown().c_str(), stdout);
  } else {
    std::printf("%s\n", events::event_json_schema().dump(2).c_str());
  }
  return kSuccess;
}

}  // namespace lakemill::cli
