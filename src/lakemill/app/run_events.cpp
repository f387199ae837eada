#include "lakemill/app/run_events.h"

namespace lakemill::app {

using events::Event;
using events::EventType;

namespace {

EventType node_event(flow::NodeStatus status) {
  switch (status) {
    case flow::NodeStatus::succeeded:
      return EventType::node_succeeded;
    case flow::NodeStatus::skipped:
      return EventType::node_skipped;
    case flow::NodeStatus::cancelled:
      return EventType::node_cancelled;
    default:
      return EventType::node_failed;
  }
}

EventType expectation_event(flow::ExpectationStatus status) {
  switch (status) {
    case flow::ExpectationStatus::passed:
      return EventType::expectation_passed;
    case flow::ExpectationStatus::warned:
      return EventType::expectation_warned;
    case flow::ExpectationStatus::failed:
      break;
  }
  return EventType::expectation_failed;
}

EventType notice_event(sources::Notice::Kind kind) {
  switch (kind) {
    case sources::Notice::Kind::file_changed:
      return EventType::file_changed;
    case sources::Notice::Kind::file_vanished:
      return EventType::file_vanished;
    case sources::Notice::Kind::set_aside:
      return EventType::file_set_aside;
    case sources::Notice::Kind::upkeep_failed:
      return EventType::upkeep_failed;
    case sources::Notice::Kind::begins_late:
      return EventType::sink_begins_late;
    case sources::Notice::Kind::foreign_rows_replaced:
      return EventType::foreign_rows_replaced;
    case sources::Notice::Kind::adopted:
      break;
  }
  return EventType::table_adopted;
}

EventType slot_event(sources::PostgresNews::Kind kind) {
  using Kind = sources::PostgresNews::Kind;
  switch (kind) {
    case Kind::slot_lost:
      return EventType::slot_lost;
    case Kind::slot_moved:
      return EventType::slot_moved;
    case Kind::slot_in_use:
      return EventType::slot_in_use;
    case Kind::table_lost:
      return EventType::table_lost;
    case Kind::server_changed:
      return EventType::server_changed;
    case Kind::connection_lost:
      return EventType::connection_lost;
    case Kind::connection_restored:
      return EventType::connection_restored;
    case Kind::snapshot_started:
      return EventType::snapshot_started;
    case Kind::snapshot_progressed:
      return EventType::snapshot_progressed;
    case Kind::snapshot_finished:
      break;
  }
  return EventType::snapshot_finished;
}

bool is_of_file(sources::Notice::Kind kind) {
  return kind == sources::Notice::Kind::file_changed ||
         kind == sources::Notice::Kind::file_vanished ||
         kind == sources::Notice::Kind::set_aside;
}

}  // namespace

void tell_of_slots(const flow::Workspace& workspace, events::EventWriter& writer,
                   const std::string& run_id) {
  if (workspace.postgres == nullptr) return;
  workspace.postgres->tell([&writer, run_id, pipeline = workspace.pipeline.name](
                               const sources::PostgresNews& news) {
    Event event;
    event.type = slot_event(news.kind);
    event.run_id = run_id;
    event.pipeline = pipeline;
    event.node = news.reader.substr(0, news.reader.find('/'));
    event.message = news.message;
    event.details = news.details;
    writer.add(std::move(event));
  });
}

Json to_json(const flow::NodeReport& report) {
  Json expectations = Json::array();
  for (const flow::ExpectationResult& result : report.expectations) {
    expectations.push_back({{"name", result.name},
                            {"status", std::string(to_text(result.status))},
                            {"failed_rows", result.failed_rows},
                            {"checked_rows", result.checked_rows}});
  }
  Json notices = Json::array();
  for (const sources::Notice& notice : report.notices) {
    notices.push_back(notice.message);
  }
  Json json = {{"node", report.node},
               {"status", std::string(to_text(report.status))},
               {"strategy", std::string(to_text(report.strategy))},
               {"reason", std::string(to_text(report.reason))},
               {"batches", report.batches},
               {"rows_in", report.input_rows},
               {"kept", report.kept_rows},
               {"dropped", report.dropped_rows},
               {"quarantined", report.quarantined_rows},
               {"rejected", report.rejected_rows},
               {"written", report.written_rows},
               {"seconds", report.seconds},
               {"target", report.target},
               {"expectations", std::move(expectations)},
               {"schema_changes", report.schema_changes},
               {"notices", std::move(notices)}};
  json["version"] = report.version < 0 ? Json() : Json(report.version);
  json["error"] = report.error ? Json(report.error->message()) : Json();
  return json;
}

RunEvents::RunEvents(events::EventWriter& writer, std::string pipeline,
                     std::string run_id, flow::RunObserver& next)
    : RunEvents(writer, std::move(pipeline), std::move(run_id), RunOrigin(), next) {}

RunEvents::RunEvents(events::EventWriter& writer, std::string pipeline,
                     std::string run_id, RunOrigin origin, flow::RunObserver& next)
    : writer_(writer),
      pipeline_(std::move(pipeline)),
      run_id_(std::move(run_id)),
      origin_(std::move(origin)),
      next_(next) {}

Event RunEvents::event(EventType type, const std::string& node) const {
  Event event;
  event.type = type;
  event.run_id = run_id_;
  event.pipeline = pipeline_;
  event.node = node;
  event.caused_by = run_started_;
  return event;
}

Event RunEvents::run_event(EventType type, Json details) const {
  Event told = event(type, "");
  told.details = std::move(details);
  if (origin_.attempt > 0) told.details["attempt"] = origin_.attempt;
  if (!origin_.member.empty()) told.details["member"] = origin_.member;
  told.caused_by = origin_.caused_by;
  told.actor = origin_.actor;
  return told;
}

Event RunEvents::batch_event(EventType type, const std::string& node) {
  Event told = event(type, node);
  const std::lock_guard lock(mutex_);
  if (const auto found = batches_.find(node); found != batches_.end()) {
    told.caused_by = found->second;
  }
  return told;
}

void RunEvents::on_run_started(std::size_t node_count) {
  run_started_ =
      writer_.add(run_event(EventType::run_started, {{"nodes", node_count}}));
}

void RunEvents::on_run_finished(const flow::RunReport& report) {
  const EventType type = report.succeeded()   ? EventType::run_succeeded
                         : report.cancelled() ? EventType::run_cancelled
                                              : EventType::run_failed;
  writer_.add(run_event(type, {{"seconds", report.seconds}}));
}

void RunEvents::on_node_started(const language::Node& node) {
  writer_.add(event(EventType::node_started, node.name));
  next_.on_node_started(node);
}

void RunEvents::on_node_progress(const language::Node& node,
                                 const engine::Progress& progress) {
  next_.on_node_progress(node, progress);
}

void RunEvents::on_node_finished(const language::Node& node,
                                 const flow::NodeReport& report) {
  tell_expectations(report);
  if (report.batches > 0) tell_batch(report);
  tell_schema_changes(report);
  for (const sources::Notice& notice : report.notices) {
    Event told = event(notice_event(notice.kind), report.node);
    told.message = notice.message;
    if (is_of_file(notice.kind)) {
      told.details = {{"file", notice.subject}};
    } else {
      told.table_name = notice.subject;
    }
    writer_.add(std::move(told));
  }
  if (!report.engine_notice.empty()) {
    Event told = event(EventType::notice, report.node);
    told.message = report.engine_notice;
    writer_.add(std::move(told));
  }
  Event finished = event(node_event(report.status), report.node);
  if (report.error) finished.message = report.error->message();
  finished.table_name = report.target;
  finished.details = to_json(report);
  writer_.add(std::move(finished));
  next_.on_node_finished(node, report);
}

void RunEvents::on_batch_planned(const language::Node& node,
                                 const flow::BatchPlan& plan) {
  Event planned = event(EventType::batch_planned, node.name);
  planned.batch = plan.number;
  planned.details = {{"generation", plan.generation},
                     {"strategy", to_text(plan.strategy)},
                     {"reason", to_text(plan.reason)}};
  std::string id = writer_.add(std::move(planned));
  {
    const std::lock_guard lock(mutex_);
    batches_[node.name] = std::move(id);
  }
  next_.on_batch_planned(node, plan);
}

void RunEvents::on_table_committed(const language::Node& node,
                                   const flow::TableCommit& commit) {
  Event committed = batch_event(EventType::table_committed, node.name);
  committed.subject = "table/" + commit.identity;
  committed.table_name = commit.table;
  committed.version = commit.version;
  committed.batch = commit.batch;
  committed.details = {{"url", commit.url},
                       {"generation", commit.generation},
                       {"written", commit.rows},
                       {"removed", commit.removed_rows}};
  writer_.add(std::move(committed));
  next_.on_table_committed(node, commit);
}

void RunEvents::on_node_retry(const language::Node& node, const Error& error,
                              std::chrono::milliseconds delay) {
  Event retry = event(EventType::retry, node.name);
  retry.message = error.message();
  retry.details = {{"delay_ms", delay.count()}};
  writer_.add(std::move(retry));
  next_.on_node_retry(node, error, delay);
}

void RunEvents::tell_batch(const flow::NodeReport& report) {
  Event committed = batch_event(EventType::batch_committed, report.node);
  committed.table_name = report.target;
  if (report.version >= 0) committed.version = report.version;
  committed.batch = report.batch;
  committed.details = {{"rows_in", report.input_rows},
                       {"written", report.written_rows},
                       {"dropped", report.dropped_rows},
                       {"quarantined", report.quarantined_rows},
                       {"generation", report.generation}};
  writer_.add(committed);
  if (report.version == 0) {
    Event created = committed;
    created.type = EventType::table_created;
    created.details = Json::object();
    created.subject = "table/" + report.target_identity;
    writer_.add(std::move(created));
  }
  const auto tell_rows = [&](EventType type, std::int64_t rows) {
    if (rows == 0) return;
    Event told = committed;
    told.type = type;
    told.details = {{"rows", rows}};
    writer_.add(std::move(told));
  };
  tell_rows(EventType::rows_dropped, report.dropped_rows);
  tell_rows(EventType::rows_quarantined, report.quarantined_rows);
  tell_rows(EventType::rows_rejected, report.rejected_rows);
}

void RunEvents::tell_schema_changes(const flow::NodeReport& report) {
  for (const std::string& change : report.schema_changes) {
    Event told = batch_event(EventType::schema_changed, report.node);
    told.table_name = report.target;
    if (!report.target_identity.empty()) {
      told.subject = "table/" + report.target_identity;
    }
    if (report.version >= 0) told.version = report.version;
    if (report.batches > 0) told.batch = report.batch;
    told.message = change;
    told.details = Json::object();
    writer_.add(std::move(told));
  }
}

void RunEvents::tell_expectations(const flow::NodeReport& report) {
  for (const flow::ExpectationResult& result : report.expectations) {
    Event told = batch_event(expectation_event(result.status), report.node);
    told.message = result.message.empty()
                       ? "expectation '" + result.name + "' holds for " +
                             std::to_string(result.checked_rows) + " rows"
                       : result.message;
    told.details = {{"expectation", result.name},
                    {"failed_rows", result.failed_rows},
                    {"checked_rows", result.checked_rows}};
    writer_.add(std::move(told));
  }
}

}  // namespace lakemill::app
