#include "lakemill/api/pipeline_routes.h"

#include "lakemill/api/answers.h"
#include "lakemill/api/request_fields.h"
#include "lakemill/api/shapes.h"
#include "lakemill/app/project_graph.h"

namespace lakemill::api {

using server::Answer;

namespace {

Answer pipelines(app::Operation& operation, const Call& /*unused*/) {
  return found({{"pipelines", pipelines_json(operation.pipelines())}});
}

Answer pipeline(app::Operation& operation, const Call& call) {
  const auto pipeline = operation.pipeline(call.arguments[0]);
  return pipeline ? found(pipeline_json(*pipeline)) : failed(pipeline.error());
}

Answer graph(app::Operation& operation, const Call& call) {
  const auto pipeline = operation.pipeline(call.arguments[0]);
  if (!pipeline) return failed(pipeline.error());
  const auto nodes = operation.nodes_of(pipeline->name);
  if (!nodes) return failed(nodes.error());
  return found({{"pipeline", pipeline->name},
                {"nodes", graph_json(*pipeline->file.pipeline, *nodes)}});
}

Answer whole_graph(app::Operation& operation, const Call& /*unused*/) {
  std::vector<std::shared_ptr<const language::Pipeline>> pipelines;
  OrderedJson nodes = OrderedJson::array();
  std::map<std::string, OrderedJson> rows;  // by "<pipeline>/<node>"
  for (const app::ServedPipeline& served : operation.pipelines()) {
    if (served.file.pipeline == nullptr) continue;
    pipelines.push_back(served.file.pipeline);
    const auto pictures = operation.nodes_of(served.name);
    if (!pictures) return failed(pictures.error());
    for (OrderedJson& node : graph_json(*served.file.pipeline, *pictures)) {
      const std::string id = served.name + "/" + node.at("name").get<std::string>();
      rows[id] = node.at("rows_written");
      nodes.push_back(std::move(node));
    }
  }
  OrderedJson edges = OrderedJson::array();
  for (const app::GraphEdge& edge :
       app::project_edges(pipelines, operation.workbench().project())) {
    edges.push_back({{"from", edge.from}, {"to", edge.to}, {"rows", rows[edge.from]}});
  }
  return found({{"nodes", std::move(nodes)}, {"edges", std::move(edges)}});
}

Answer set_paused(app::Operation& operation, const Call& call, bool paused) {
  BodyFields body(call.request.body);
  if (const auto fault = body.fault()) return failed(*fault);
  const Status set = operation.set_paused(call.arguments[0], paused, call.caller.name);
  return set ? pipeline(operation, call) : failed(set.error());
}

}  // namespace

std::vector<Route> pipeline_routes(app::Operation& operation) {
  const auto own = [&operation](Answer (*handler)(app::Operation&, const Call&)) {
    return [&operation, handler](const Call& call) { return handler(operation, call); };
  };
  return {
      {"GET", "/api/v1/pipelines", Permit::viewer(), "All pipelines.", 0,
       own(pipelines)},
      {"GET", "/api/v1/pipelines/{pipeline}", Permit::viewer(Subject::pipeline),
       "One pipeline.", 0, own(pipeline)},
      {"GET", "/api/v1/pipelines/{pipeline}/graph", Permit::viewer(Subject::pipeline),
       "Its nodes and what they did last.", 0, own(graph)},
      {"GET", "/api/v1/graph", Permit::viewer(),
       "The nodes of all pipelines and what leads where.", 0, own(whole_graph)},
      {"POST", "/api/v1/pipelines/{pipeline}/pause", Permit::runner(Subject::pipeline),
       "Triggers make no runs from now on.", kBodyBytesMax,
       [&operation](const Call& call) { return set_paused(operation, call, true); }},
      {"POST", "/api/v1/pipelines/{pipeline}/resume", Permit::runner(Subject::pipeline),
       "Triggers make runs again.", kBodyBytesMax,
       [&operation](const Call& call) { return set_paused(operation, call, false); }},
  };
}

}  // namespace lakemill::api
