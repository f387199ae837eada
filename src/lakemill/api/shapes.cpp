#include "lakemill/api/shapes.h"

#include "lakemill/language/graph.h"

namespace lakemill::api {

namespace {

OrderedJson text_or_null(const std::string& text) {
  return text.empty() ? OrderedJson() : OrderedJson(text);
}

OrderedJson instant_or_null(const std::optional<Instant>& instant) {
  return instant ? OrderedJson(format_instant(*instant)) : OrderedJson();
}

OrderedJson number_or_null(const std::optional<std::int64_t>& number) {
  return number ? OrderedJson(*number) : OrderedJson();
}

const char* state_of(const app::ServedPipeline& served) {
  if (served.file.pipeline == nullptr) return "invalid";
  if (served.state.running() > 0) return "running";
  if (!served.state.open.empty()) return "queued";
  if (served.state.paused) return "paused";
  return served.file.fault.empty() ? "idle" : "invalid";
}

// Where the rows of a node are, for people.
OrderedJson target_json(const language::Node& node) {
  const language::Sink* sink = node.primary_sink();
  if (sink == nullptr) return nullptr;
  if (sink->kind == language::SinkKind::table) return sink->table.to_text();
  return text_or_null(sink->path);
}

}  // namespace

OrderedJson run_json(const app::ServedRun& served) {
  const orchestrator::RunState& run = served.run;
  return {{"run_id", run.run_id},
          {"pipeline", served.pipeline},
          {"status", std::string(to_text(run.status))},
          {"outcome", run.outcome ? OrderedJson(std::string(to_text(*run.outcome)))
                                  : OrderedJson()},
          {"actor", text_or_null(run.actor)},
          {"trigger", text_or_null(run.trigger)},
          {"requested_at", format_instant(run.requested_at)},
          {"started_at", instant_or_null(run.started_at)},
          {"ended_at", instant_or_null(run.ended_at)},
          {"retry_at", instant_or_null(run.retry_at)},
          {"attempt", run.attempt},
          {"failures", run.failures},
          {"cancel_requested", run.cancel_requested},
          {"message", text_or_null(run.message)},
          {"selectors", run.wish.selectors},
          {"full_refresh", run.wish.full_refresh},
          {"parameters", run.wish.parameters}};
}

OrderedJson runs_json(const std::vector<app::ServedRun>& runs) {
  OrderedJson list = OrderedJson::array();
  for (const app::ServedRun& run : runs) list.push_back(run_json(run));
  return list;
}

OrderedJson pipeline_json(const app::ServedPipeline& served) {
  OrderedJson triggers = OrderedJson::array();
  for (const app::ServedTrigger& trigger : served.triggers) {
    triggers.push_back({{"kind", trigger.kind},
                        {"text", trigger.text},
                        {"next", instant_or_null(trigger.next)}});
  }
  OrderedJson open = OrderedJson::array();
  for (const orchestrator::RunState& run : served.state.open) {
    open.push_back(run_json({served.name, run}));
  }
  const language::Pipeline* pipeline = served.file.pipeline.get();
  return {{"name", text_or_null(served.name)},
          {"file", served.file.file},
          {"tags", pipeline == nullptr ? std::vector<std::string>() : pipeline->tags},
          {"state", state_of(served)},
          {"paused", served.state.paused},
          {"error", text_or_null(served.file.fault)},
          {"trigger_errors", served.faults},
          {"triggers", std::move(triggers)},
          {"nodes", pipeline == nullptr ? 0 : pipeline->nodes.size()},
          {"open_runs", std::move(open)},
          {"last_run", served.state.ended.empty()
                           ? OrderedJson()
                           : run_json({served.name, served.state.ended.back()})}};
}

OrderedJson pipelines_json(const std::vector<app::ServedPipeline>& pipelines) {
  OrderedJson list = OrderedJson::array();
  for (const app::ServedPipeline& pipeline : pipelines) {
    list.push_back(pipeline_json(pipeline));
  }
  return list;
}

OrderedJson node_json(const app::NodePicture& node) {
  return {{"node", node.node},
          {"status", node.status},
          {"run_id", node.run_id},
          {"started_at", instant_or_null(node.started_at)},
          {"ended_at", instant_or_null(node.ended_at)},
          {"rows_written", number_or_null(node.rows_written)},
          {"message", text_or_null(node.message)}};
}

Json events_json(const data::Rows& rows) {
  Json list = Json::array();
  for (const auto& row : rows.rows) {
    const auto event =
        events::event_from_columns(events::columns_of_row(rows.schema, row));
    if (event) list.push_back(events::event_json(*event));
  }
  return list;
}

OrderedJson graph_json(const language::Pipeline& pipeline,
                       const std::map<std::string, app::NodePicture>& nodes) {
  OrderedJson list = OrderedJson::array();
  for (const language::Node& node : pipeline.nodes) {
    const auto found = nodes.find(node.name);
    app::NodePicture last;
    last.status = "none";
    if (found != nodes.end()) last = found->second;
    list.push_back({{"name", node.name},
                    {"pipeline", pipeline.name},
                    {"layer", text_or_null(std::string(to_text(node.layer)))},
                    {"owner", text_or_null(node.owner)},
                    {"tags", node.tags},
                    {"description", text_or_null(node.description)},
                    {"table", target_json(node)},
                    {"upstream", language::upstream_of(node)},
                    {"state", last.status},
                    {"run_id", text_or_null(last.run_id)},
                    {"rows_written", number_or_null(last.rows_written)},
                    {"at", instant_or_null(last.ended_at ? last.ended_at
                                                         : last.started_at)},
                    {"message", text_or_null(last.message)}});
  }
  return list;
}

}  // namespace lakemill::api
