#include "lakemill/api/project_routes.h"

#include "lakemill/api/answers.h"
#include "lakemill/api/shapes.h"

namespace lakemill::api {

using server::Answer;

namespace {

constexpr std::size_t kOverviewRuns = 20;

Answer readiness(app::Operation& operation) {
  const bool ready = operation.is_ready();
  return found({{"status", ready ? "ready" : "loading"}}, ready ? 200 : 503);
}

Answer overview(app::Operation& operation, const std::string& version) {
  const auto pipelines = operation.pipelines();
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
  app::Workbench& workbench = operation.workbench();
  return found({{"project", workbench.project().name},
                {"member", operation.member()},
                {"version", version},
                {"now", format_instant(workbench.clock().now())},
                {"started_at", format_instant(operation.started_at())},
                {"counts",
                 {{"pipelines", pipelines.size()},
                  {"invalid", invalid},
                  {"paused", paused},
                  {"running", running},
                  {"queued", queued},
                  {"failing", failing}}},
                {"pipelines", pipelines_json(pipelines)},
                {"runs", runs_json(operation.runs({}, kOverviewRuns))}});
}

}  // namespace

std::vector<Route> project_routes(app::Operation& operation, std::string version) {
  return {
      {"GET", "/healthz", Permit::open(), "The process answers.", 0,
       [](const Call&) { return found({{"status", "ok"}}); }},
      {"GET", "/readyz", Permit::open(), "All pipelines are loaded.", 0,
       [&operation](const Call&) { return readiness(operation); }},
      {"GET", "/api/v1/overview", Permit::viewer(), "What is going on, in all.", 0,
       [&operation, version = std::move(version)](const Call&) {
         return overview(operation, version);
       }},
  };
}

}  // namespace lakemill::api
