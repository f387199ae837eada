#include "lakemill/api/service.h"

#include "lakemill/api/own_origin.h"
#include "lakemill/api/request_fields.h"
#include "lakemill/api/shapes.h"
#include "lakemill/api/web_files.h"
#include "lakemill/app/project_graph.h"

namespace lakemill::api {

using server::Answer;

namespace {

constexpr std::int64_t kBodyBytesMax = 1 << 20;
constexpr std::int64_t kListMax = 1'000;
constexpr std::int64_t kListUsual = 100;
constexpr std::size_t kOverviewRuns = 20;
constexpr const char* kActor = "local";  // who calls where nobody logs in

// How a failure is told.
server::Refusal refusal_of(const Error& error) {
  switch (error.code()) {
    case ErrorCode::invalid:
      return {422, "invalid", error.message()};
    case ErrorCode::not_found:
      return {404, "not_found", error.message()};
    case ErrorCode::exists:
      return {409, "exists", error.message()};
    case ErrorCode::denied:
      return {403, "denied", error.message()};
    case ErrorCode::unavailable:
    case ErrorCode::unknown:
    case ErrorCode::cancelled:
      return {503, "unavailable", error.message()};
    case ErrorCode::unsupported:
      return {501, "unsupported", error.message()};
    case ErrorCode::corrupt:
      break;
  }
  return {500, "corrupt", error.message()};
}

Answer failed(const Error& error) { return server::error_answer(refusal_of(error)); }

Answer found_text(std::string json, int status = 200) {
  Answer answer = server::json_answer(status, std::move(json));
  answer.headers.push_back({"Cache-Control", "no-store"});
  return answer;
}

Answer found(const OrderedJson& json, int status = 200) {
  return found_text(json_text(json), status);
}

OrderedJson list_of(const std::vector<app::ServedRun>& runs) {
  OrderedJson list = OrderedJson::array();
  for (const app::ServedRun& run : runs) list.push_back(run_json(run));
  return list;
}

OrderedJson list_of(const std::vector<app::ServedPipeline>& pipelines) {
  OrderedJson list = OrderedJson::array();
  for (const app::ServedPipeline& pipeline : pipelines) {
    list.push_back(pipeline_json(pipeline));
  }
  return list;
}

Answer ticket_answer(const Result<orchestrator::RunTicket>& ticket) {
  if (!ticket) return failed(ticket.error());
  return found({{"run_id", ticket->run_id}, {"is_new", ticket->is_new}}, 202);
}

Answer page(const Call& /*unused*/) { return web_page(); }

}  // namespace

Service::Service(app::Operation& operation, EventHub& hub, std::string version)
    : operation_(operation),
      hub_(hub),
      version_(std::move(version)),
      table_(make_routes()) {}

std::vector<Route> Service::make_routes() {
  const auto own = [this](Answer (Service::*handler)(const Call&)) {
    return [this, handler](const Call& call) { return (this->*handler)(call); };
  };
  std::vector<Route> routes = {
      {"GET", "/healthz", "The process answers.", 0, own(&Service::health)},
      {"GET", "/readyz", "All pipelines are loaded.", 0, own(&Service::readiness)},
      {"GET", "/api/v1/overview", "What is going on, in all.", 0,
       own(&Service::overview)},
      {"GET", "/api/v1/pipelines", "All pipelines.", 0, own(&Service::pipelines)},
      {"GET", "/api/v1/pipelines/{pipeline}", "One pipeline.", 0,
       own(&Service::pipeline)},
      {"GET", "/api/v1/pipelines/{pipeline}/graph", "Its nodes and what they did last.",
       0, own(&Service::graph)},
      {"GET", "/api/v1/graph", "The nodes of all pipelines and what leads where.", 0,
       own(&Service::whole_graph)},
      {"POST", "/api/v1/pipelines/{pipeline}/runs", "Asks for a run.", kBodyBytesMax,
       own(&Service::start_run)},
      {"POST", "/api/v1/pipelines/{pipeline}/pause", "Triggers make no runs from now on.",
       kBodyBytesMax, [this](const Call& call) { return set_paused(call, true); }},
      {"POST", "/api/v1/pipelines/{pipeline}/resume", "Triggers make runs again.",
       kBodyBytesMax, [this](const Call& call) { return set_paused(call, false); }},
      {"GET", "/api/v1/runs", "Runs: those that are open, then the newest.", 0,
       own(&Service::runs)},
      {"GET", "/api/v1/runs/{run}", "One run with its nodes.", 0, own(&Service::run)},
      {"POST", "/api/v1/runs/{run}/cancel", "Stops a run.", kBodyBytesMax,
       own(&Service::cancel_run)},
      {"POST", "/api/v1/runs/{run}/retry",
       "Makes a run again, from what failed or from the beginning.", kBodyBytesMax,
       own(&Service::retry_run)},
      {"GET", "/api/v1/events", "The newest events that pass the filter, oldest first.",
       0, own(&Service::events)},
      {"GET", "/api/v1/events/stream", "Events as they happen (server-sent events).", 0,
       own(&Service::follow_events)},
  };
  for (const std::string_view path : page_paths()) {
    routes.push_back({"GET", path, "A page of the web view.", 0, page});
  }
  for (const WebFile& file : web_files()) {
    if (file.path == "/index.html") continue;  // that is the page
    routes.push_back({"GET", file.path, "A file of the web view.", 0,
                      [&file](const Call&) { return file_answer(file); }});
  }
  return routes;
}

server::Verdict Service::judge(const server::RequestHead& head,
                               const server::Target& target,
                               const server::Peer& peer) {
  if (const auto refusal = foreign_request(head, peer, port_)) {
    return server::error_answer(*refusal);
  }
  return table_.find(head, target);
}

Answer Service::health(const Call& /*unused*/) { return found({{"status", "ok"}}); }

Answer Service::readiness(const Call& /*unused*/) {
  const bool ready = operation_.is_ready();
  return found({{"status", ready ? "ready" : "loading"}}, ready ? 200 : 503);
}

Answer Service::overview(const Call& /*unused*/) {
  const auto pipelines = operation_.pipelines();
  std::int64_t invalid = 0;
  std::int64_t paused = 0;
  std::int64_t running = 0;
  std::int64_t queued = 0;
  std::int64_t failing = 0;
  for (const app::ServedPipeline& pipeline : pipelines) {
    const orchestrator::PipelineState& state = pipeline.state;
    invalid += pipeline.file.fault.empty() ? 0 : 1;
    paused += state.paused ? 1 : 0;
    running += state.running();
    queued += static_cast<std::int64_t>(state.open.size()) - state.running();
    const bool fails =
        !state.ended.empty() &&
        state.ended.back().outcome == orchestrator::RunOutcome::failed;
    failing += fails ? 1 : 0;
  }
  app::Workbench& workbench = operation_.workbench();
  return found({{"project", workbench.project().name},
                {"member", operation_.member()},
                {"version", version_},
                {"now", format_instant(workbench.clock().now())},
                {"started_at", format_instant(operation_.started_at())},
                {"counts",
                 {{"pipelines", pipelines.size()},
                  {"invalid", invalid},
                  {"paused", paused},
                  {"running", running},
                  {"queued", queued},
                  {"failing", failing}}},
                {"pipelines", list_of(pipelines)},
                {"runs", list_of(operation_.runs({}, kOverviewRuns))}});
}

Answer Service::pipelines(const Call& /*unused*/) {
  return found({{"pipelines", list_of(operation_.pipelines())}});
}

Answer Service::pipeline(const Call& call) {
  const auto pipeline = operation_.pipeline(call.arguments[0]);
  return pipeline ? found(pipeline_json(*pipeline)) : failed(pipeline.error());
}

Answer Service::graph(const Call& call) {
  const auto pipeline = operation_.pipeline(call.arguments[0]);
  if (!pipeline) return failed(pipeline.error());
  const auto nodes = operation_.nodes_of(pipeline->name);
  if (!nodes) return failed(nodes.error());
  return found({{"pipeline", pipeline->name},
                {"nodes", graph_json(*pipeline->file.pipeline, *nodes)}});
}

Answer Service::whole_graph(const Call& /*unused*/) {
  std::vector<std::shared_ptr<const language::Pipeline>> pipelines;
  OrderedJson nodes = OrderedJson::array();
  std::map<std::string, OrderedJson> rows;  // by "<pipeline>/<node>"
  for (const app::ServedPipeline& served : operation_.pipelines()) {
    if (served.file.pipeline == nullptr) continue;
    pipelines.push_back(served.file.pipeline);
    const auto pictures = operation_.nodes_of(served.name);
    if (!pictures) return failed(pictures.error());
    for (OrderedJson& node : graph_json(*served.file.pipeline, *pictures)) {
      const std::string id = served.name + "/" + node.at("name").get<std::string>();
      rows[id] = node.at("rows_written");
      nodes.push_back(std::move(node));
    }
  }
  OrderedJson edges = OrderedJson::array();
  for (const app::GraphEdge& edge :
       app::project_edges(pipelines, operation_.workbench().project())) {
    edges.push_back({{"from", edge.from}, {"to", edge.to}, {"rows", rows[edge.from]}});
  }
  return found({{"nodes", std::move(nodes)}, {"edges", std::move(edges)}});
}

Answer Service::start_run(const Call& call) {
  BodyFields body(call.request.body);
  orchestrator::RunWish wish;
  wish.selectors = body.texts("selectors");
  wish.full_refresh = body.flag("full_refresh");
  wish.parameters = body.text_map("parameters");
  wish.priority = static_cast<int>(body.integer("priority", 0, 1'000));
  if (const auto fault = body.fault()) return failed(*fault);
  const std::string_view key = call.request.head.header("idempotency-key");
  return ticket_answer(
      operation_.request(call.arguments[0], wish, kActor, std::string(key)));
}

Answer Service::set_paused(const Call& call, bool paused) {
  BodyFields body(call.request.body);
  if (const auto fault = body.fault()) return failed(*fault);
  const Status set = operation_.set_paused(call.arguments[0], paused, kActor);
  return set ? pipeline(call) : failed(set.error());
}

Answer Service::runs(const Call& call) {
  QueryFields query(call.request.target);
  app::RunFilter filter;
  filter.pipeline = query.text("pipeline");
  filter.status = query.one_of<orchestrator::RunStatus>(
      "status",
      {orchestrator::RunStatus::queued, orchestrator::RunStatus::running,
       orchestrator::RunStatus::waiting_to_retry, orchestrator::RunStatus::ended});
  const std::int64_t count_max = query.integer("limit", kListUsual, kListMax);
  if (const auto fault = query.fault()) return failed(*fault);
  return found({{"runs", list_of(operation_.runs(
                             filter, static_cast<std::size_t>(count_max)))}});
}

Answer Service::run(const Call& call) {
  const auto run = operation_.run_of(call.arguments[0]);
  if (!run) return failed(run.error());
  const auto nodes = operation_.nodes_of(*run);
  if (!nodes) return failed(nodes.error());
  OrderedJson json = run_json(*run);
  json["nodes"] = OrderedJson::array();
  for (const app::NodePicture& node : *nodes) json["nodes"].push_back(node_json(node));
  return found(json);
}

Answer Service::cancel_run(const Call& call) {
  BodyFields body(call.request.body);
  if (const auto fault = body.fault()) return failed(*fault);
  const Status cancelled = operation_.cancel(call.arguments[0], kActor);
  if (!cancelled) return failed(cancelled.error());
  const auto run = operation_.run_of(call.arguments[0]);
  return run ? found(run_json(*run), 202) : failed(run.error());
}

Answer Service::retry_run(const Call& call) {
  BodyFields body(call.request.body);
  const std::string from = body.text("from", "FAILED");
  if (from != "FAILED" && from != "BEGINNING") body.refuse("from", "FAILED or BEGINNING");
  if (const auto fault = body.fault()) return failed(*fault);
  return ticket_answer(operation_.retry(call.arguments[0], from == "BEGINNING", kActor));
}

Answer Service::events(const Call& call) {
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
  const auto rows = operation_.events(filter, count_max);
  if (!rows) return failed(rows.error());
  return found_text(json_text(Json{{"events", events_json(*rows)}}));
}

Answer Service::follow_events(const Call& call) {
  const std::string last(call.request.head.header("last-event-id"));
  return server::stream_answer(hub_.join(last));
}

}  // namespace lakemill::api
