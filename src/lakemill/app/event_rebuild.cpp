#include "lakemill/app/event_rebuild.h"

#include <cstdio>
#include <map>
#include <optional>

#include "lakemill/base/hash.h"
#include "lakemill/base/text.h"
#include "lakemill/flow/flow_position.h"

namespace lakemill::app {

namespace {

using events::Event;

constexpr std::size_t kCommitsMax = 1'000;  // of a table that are looked at
constexpr std::int64_t kMissingMax = 1'000'000;
constexpr std::chrono::seconds kForeignDelay{60};  // of events of another machine

// Commits of flows in the tables of a pipeline's sinks, each by a key of its own.
class Commits {
 public:
  Commits(const flow::Workspace& workspace, const MarkedRuns& runs)
      : workspace_(workspace), runs_(runs) {}

  Status add(const language::Node& node) {
    if (node.is_view()) return {};
    for (const language::Sink& sink : node.sinks) {
      LAKEMILL_TRY(const flow::Place place, flow::place_of(workspace_, node, sink));
      if (place.is_delta) LAKEMILL_TRY_OK(add(node.name, place));
    }
    return {};
  }

  const std::map<std::string, Event>& all() const { return commits_; }

 private:
  Status add(const std::string& node, const flow::Place& place) {
    LAKEMILL_TRY(const auto table, workspace_.catalog.open_url(place.url));
    const auto history = table->history(kCommitsMax);
    if (!history) {
      if (history.error().code() == ErrorCode::not_found) return {};  // no table yet
      return history.error();
    }
    for (const delta::HistoryEntry& entry : *history) {
      const auto facts = flow::noted_batch(entry.commit_info);
      if (!facts || integer_member(*facts, "batch", 0) <= 0) continue;
      const Instant time{std::chrono::milliseconds(entry.timestamp_ms)};
      Event event;
      event.run_id = string_member(*facts, "runId", "");
      if (is_to_be_told(event.run_id, time)) continue;
      const std::string key =
          place.url + "\n" + std::to_string(entry.version) + "\n" + event.run_id;
      event.type = events::EventType::table_committed;
      event.pipeline = workspace_.pipeline.name;
      event.node = node;
      event.table_name = place.name;
      event.version = entry.version;
      event.batch = integer_member(*facts, "batch", 0);
      event.subject = "table/" + flow::identity_of(place);
      event.details = {{"url", place.url},
                       {"generation", integer_member(*facts, "generation", 0)},
                       {"rebuilt", true}};
      event.writer = "rebuilt-" + sha256_hex(key);
      event.time = time;
      commits_.emplace(event.writer, std::move(event));
    }
    return {};
  }

  // Whoever lives tells of its commits by itself.
  bool is_to_be_told(const std::string& run_id, Instant time) const {
    if (!runs_.alive.contains(run_id)) return false;
    return !runs_.foreign.contains(run_id) ||
           workspace_.clock.now() - time < kForeignDelay;
  }

  const flow::Workspace& workspace_;
  const MarkedRuns& runs_;
  std::map<std::string, Event> commits_;
};

std::string rows_of(const std::map<std::string, Event>& commits) {
  Json rows = Json::array();
  for (const auto& [key, event] : commits) {
    rows.push_back({{"key", key},
                    {"url", string_member(event.details, "url", "")},
                    {"version", *event.version},
                    {"run_id", event.run_id}});
  }
  return json_text(rows);
}

// Keys of the commits that no event tells of.
Result<std::vector<std::string>> missing_of(
    Workbench& workbench, const std::string& pipeline,
    const std::map<std::string, Event>& commits) {
  std::vector<std::string> missing;
  LAKEMILL_TRY(events::EventLog * log, workbench.event_log());
  auto scan = log->scan();
  if (!scan) {
    if (scan.error().code() != ErrorCode::not_found) return std::move(scan).error();
    for (const auto& [key, event] : commits) missing.push_back(key);
    return missing;
  }
  engine::SessionOptions options;
  options.now = workbench.clock().now();
  LAKEMILL_TRY(const auto session, workbench.engine().open_session(std::move(options)));
  LAKEMILL_TRY_OK(session->bind("events", engine::TableRelation{*std::move(scan)}));
  data::Schema schema;
  for (const char* name : {"key", "url", "version", "run_id"}) {
    const bool is_number = std::string_view(name) == "version";
    schema.fields.push_back(
        {name,
         data::make_type(is_number ? data::TypeKind::int64 : data::TypeKind::string)});
  }
  LAKEMILL_TRY_OK(
      session->bind("commits", engine::RowsRelation{rows_of(commits), schema}));
  const std::string sql =
      "SELECT \"key\" FROM commits AS c WHERE NOT EXISTS (FROM events AS e WHERE "
      "e.\"type\" = 'table_committed' AND e.\"pipeline\" = " +
      quote_literal(pipeline) +
      " AND e.\"version\" = c.\"version\" AND e.\"run_id\" = c.\"run_id\" AND "
      "json_extract_string(e.\"details\", '$.url') = c.\"url\") ORDER BY \"key\"";
  LAKEMILL_TRY(const data::Rows rows,
               session->query(sql, engine::Origin::lakemill, kMissingMax));
  for (const auto& row : rows.rows) missing.push_back(data::to_text(row[0]));
  return missing;
}

Status tell(events::EventLog& log, const Event& event) {
  events::EventGroup group;
  group.file_name = "events-" + event.writer + "-0.parquet";
  group.rows =
      events::row_of(event, events::chain_of(events::kChainBegin, event)) + "\n";
  group.events = {event};
  group.may_be_there = true;
  return log.append(group);
}

}  // namespace

Result<std::int64_t> rebuild_events(Workbench& workbench,
                                    const flow::Workspace& workspace,
                                    const MarkedRuns& runs) {
  Commits commits(workspace, runs);
  for (const language::Node& node : workspace.pipeline.nodes) {
    LAKEMILL_TRY_OK(commits.add(node));
  }
  if (commits.all().empty()) return std::int64_t{0};
  LAKEMILL_TRY(const auto missing,
               missing_of(workbench, workspace.pipeline.name, commits.all()));
  LAKEMILL_TRY(events::EventLog * log, workbench.event_log());
  for (const std::string& key : missing) {
    LAKEMILL_TRY_OK(tell(*log, commits.all().at(key)));
  }
  return static_cast<std::int64_t>(missing.size());
}

Result<std::int64_t> rebuild_events(Workbench& workbench) {
  std::int64_t count = 0;
  for (const language::Pipeline& pipeline : workbench.pipelines()) {
    LAKEMILL_TRY(const flow::Workspace workspace, workbench.workspace(pipeline));
    LAKEMILL_TRY(const MarkedRuns runs, marked_runs(workspace));
    LAKEMILL_TRY(const std::int64_t missing,
                 rebuild_events(workbench, workspace, runs));
    count += missing;
  }
  return count;
}

void make_events_good(Workbench& workbench, const flow::Workspace& workspace) {
  const auto good = [&]() -> Status {
    LAKEMILL_TRY(const MarkedRuns runs, marked_runs(workspace));
    if (runs.dead.empty()) return {};
    LAKEMILL_TRY_OK(rebuild_events(workbench, workspace, runs));
    for (const std::string& mark : runs.dead) {
      LAKEMILL_TRY_OK(workspace.state_store->remove(mark));
    }
    return {};
  }();
  if (good) return;
  std::fprintf(stderr, "lakemill: warning: events of a run that died are missing: %s\n",
               good.error().message().c_str());
}

}  // namespace lakemill::app
