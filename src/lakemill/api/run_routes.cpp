#include "lakemill/api/run_routes.h"

#include "lakemill/api/answers.h"
#include "lakemill/api/request_fields.h"
#include "lakemill/api/shapes.h"

namespace lakemill::api {

using server::Answer;

namespace {

Answer ticket_answer(const Result<orchestrator::RunTicket>& ticket) {
  if (!ticket) return failed(ticket.error());
  return found({{"run_id", ticket->run_id}, {"is_new", ticket->is_new}}, 202);
}

Answer start_run(app::Operation& operation, const Call& call) {
  BodyFields body(call.request.body);
  orchestrator::RunWish wish;
  wish.selectors = body.texts("selectors");
  wish.full_refresh = body.flag("full_refresh");
  wish.parameters = body.text_map("parameters");
  wish.priority = static_cast<int>(body.integer("priority", 0, 1'000));
  if (const auto fault = body.fault()) return failed(*fault);
  const std::string_view key = call.request.head.header("idempotency-key");
  return ticket_answer(
      operation.request(call.arguments[0], wish, call.caller.name, std::string(key)));
}

Answer runs(app::Operation& operation, const Call& call) {
  QueryFields query(call.request.target);
  app::RunFilter filter;
  filter.pipeline = query.text("pipeline");
  filter.status = query.one_of<orchestrator::RunStatus>(
      "status",
      {orchestrator::RunStatus::queued, orchestrator::RunStatus::running,
       orchestrator::RunStatus::waiting_to_retry, orchestrator::RunStatus::ended});
  const std::int64_t count_max = query.integer("limit", kListUsual, kListMax);
  if (const auto fault = query.fault()) return failed(*fault);
  return found({{"runs", runs_json(operation.runs(
                             filter, static_cast<std::size_t>(count_max)))}});
}

Answer run(app::Operation& operation, const Call& call) {
  const auto run = operation.run_of(call.arguments[0]);
  if (!run) return failed(run.error());
  const auto nodes = operation.nodes_of(*run);
  if (!nodes) return failed(nodes.error());
  OrderedJson json = run_json(*run);
  json["nodes"] = OrderedJson::array();
  for (const app::NodePicture& node : *nodes) json["nodes"].push_back(node_json(node));
  return found(json);
}

Answer cancel_run(app::Operation& operation, const Call& call) {
  BodyFields body(call.request.body);
  if (const auto fault = body.fault()) return failed(*fault);
  const Status cancelled = operation.cancel(call.arguments[0], call.caller.name);
  if (!cancelled) return failed(cancelled.error());
  const auto run = operation.run_of(call.arguments[0]);
  return run ? found(run_json(*run), 202) : failed(run.error());
}

Answer retry_run(app::Operation& operation, const Call& call) {
  BodyFields body(call.request.body);
  const std::string from = body.text("from", "FAILED");
  if (from != "FAILED" && from != "BEGINNING") body.refuse("from", "FAILED or BEGINNING");
  if (const auto fault = body.fault()) return failed(*fault);
  return ticket_answer(operation.retry(call.arguments[0], from == "BEGINNING",
                                       call.caller.name));
}

}  // namespace

std::vector<Route> run_routes(app::Operation& operation) {
  const auto own = [&operation](Answer (*handler)(app::Operation&, const Call&)) {
    return [&operation, handler](const Call& call) { return handler(operation, call); };
  };
  return {
      {"POST", "/api/v1/pipelines/{pipeline}/runs", Permit::runner(Subject::pipeline),
       "Asks for a run.", kBodyBytesMax, own(start_run)},
      {"GET", "/api/v1/runs", Permit::viewer(),
       "Runs: those that are open, then the newest.", 0, own(runs)},
      {"GET", "/api/v1/runs/{run}", Permit::viewer(Subject::run),
       "One run with its nodes.", 0, own(run)},
      {"POST", "/api/v1/runs/{run}/cancel", Permit::runner(Subject::run),
       "Stops a run.", kBodyBytesMax, own(cancel_run)},
      {"POST", "/api/v1/runs/{run}/retry", Permit::runner(Subject::run),
       "Makes a run again, from what failed or from the beginning.", kBodyBytesMax,
       own(retry_run)},
  };
}

}  // namespace lakemill::api
