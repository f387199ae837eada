#include "lakemill/app/run.h"

#include <algorithm>
#include <thread>

#include "lakemill/app/event_rebuild.h"
#include "lakemill/app/run_events.h"
#include "lakemill/base/text.h"
#include "lakemill/flow/continuous_runner.h"
#include "lakemill/flow/failure_place.h"
#include "lakemill/flow/node_engine.h"
#include "lakemill/language/graph.h"

namespace lakemill::app {

Result<PipelineRun> run(Workbench& workbench, const language::Pipeline& pipeline,
                        const RunRequest& request, flow::RunObserver& display) {
  LAKEMILL_TRY(const flow::Workspace workspace, workbench.workspace(pipeline));
  LAKEMILL_TRY(auto nodes, language::select_nodes(pipeline, request.selectors));
  std::erase_if(nodes, [&](const std::string& node) {
    return std::find(request.without.begin(), request.without.end(), node) !=
           request.without.end();
  });
  LAKEMILL_TRY(events::EventWriter * writer, workbench.event_writer());
  PipelineRun run{pipeline.name, request.run_id, {}};
  if (run.run_id.empty()) run.run_id = make_uuid(workbench.random());
  flow::RunOptions options;
  options.run_id = run.run_id;
  options.nodes = nodes;
  options.full_refresh = request.full_refresh;
  if (!request.selectors.empty()) options.named_nodes = nodes;
  options.adopt_node = request.adopt;
  for (const std::string& prefix : {std::string("lakemill:"), pipeline.name + "/"}) {
    if (options.adopt_node.starts_with(prefix)) {  // as errors name it
      options.adopt_node.erase(0, prefix.size());
    }
  }
  options.parallel_nodes_max =
      std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  options.stop = request.stop;
  make_events_good(workbench, workspace);
  LAKEMILL_TRY(auto mark, RunMark::put(workspace, run.run_id));
  tell_of_slots(workspace, *writer, run.run_id);
  RunEvents observer(*writer, pipeline.name, run.run_id, request.origin, display);
  observer.on_run_started(nodes.size());
  LAKEMILL_TRY(run.report, request.continuous
                               ? flow::run_continuously(workspace, options, observer)
                               : flow::run_pipeline(workspace, options, observer));
  observer.on_run_finished(run.report);
  if (request.settle) {
    request.settle(std::move(mark));
  } else if (writer->flush()) {
    mark->remove();  // else the next run makes it good
  }
  return run;
}

Result<data::Rows> preview(Workbench& workbench, const language::Pipeline& pipeline,
                           const std::string& node_name, std::int64_t rows_max) {
  LAKEMILL_TRY(const flow::Workspace of_all, workbench.workspace(pipeline));
  const language::Node* node = pipeline.find_node(node_name);
  if (node == nullptr) {
    std::vector<std::string> names;
    for (const language::Node& known : pipeline.nodes) names.push_back(known.name);
    const auto guess = nearest(node_name, names);
    return Error(ErrorCode::not_found,
                 "no node '" + node_name + "' in pipeline " + pipeline.name +
                     (guess ? "; did you mean '" + *guess + "'?" : ""));
  }
  const flow::Workspace workspace = flow::workspace_of(of_all, *node);
  flow::FlowState state = flow::flow_state(workspace, *node);
  LAKEMILL_TRY(const auto query, flow::NodeQuery::open(workspace, *node, state,
                                                       flow::Reading::whole, {}));
  flow::BatchPlan batch;
  batch.now = workbench.clock().now();
  batch.run_id = "preview";
  for (flow::Leaf& leaf : query->leaves()) {
    if (leaf.source == nullptr) continue;
    LAKEMILL_TRY(auto to, leaf.source->latest(sources::Offset()));
    batch.slices.push_back({leaf.id, {}, std::move(to), false});
  }
  LAKEMILL_TRY(const auto session, workspace.engine.open_session(flow::session_options(
                                       workspace, batch, {}, {})));
  LAKEMILL_TRY(const std::string rows, query->bind(*session, batch, {}));
  const std::string from = " FROM " + quote_identifier(rows);
  LAKEMILL_TRY(const auto shape,
               session->describe("SELECT *" + from, engine::Origin::lakemill));
  std::vector<std::string> columns;
  for (const data::Field& field : shape.schema.fields) {
    if (field.name == flow::kSequenceColumn) continue;  // its sinks', not the node's
    columns.push_back(quote_identifier(field.name));
  }
  auto found = session->query(
      "SELECT " + join(columns, ", ") + from + " LIMIT " + std::to_string(rows_max),
      engine::Origin::lakemill, rows_max);
  if (found) return found;
  return flow::with_failing_step(*session, *query, std::move(found).error());
}

namespace {

// A test that has variables looks at the pipeline that they make.
flow::TestResult run_with_variables(Workbench& workbench,
                                    const language::Pipeline& pipeline,
                                    const language::PipelineTest& test) {
  flow::TestResult result{test.name, test.node, false, "", ""};
  const auto changed = workbench.with_variables(pipeline, test.variables);
  if (!changed) {
    result.message = changed.error().message();
    return result;
  }
  const auto workspace = workbench.workspace(*changed);
  if (!workspace) {
    result.message = workspace.error().message();
    return result;
  }
  return flow::run_test(*workspace, test);
}

}  // namespace

Result<std::vector<flow::TestResult>> run_tests(Workbench& workbench,
                                                const language::Pipeline& pipeline,
                                                const std::vector<std::string>& names) {
  LAKEMILL_TRY(const flow::Workspace workspace, workbench.workspace(pipeline));
  std::vector<flow::TestResult> results;
  for (const language::PipelineTest& test : pipeline.tests) {
    const bool chosen = names.empty() ||
                        std::find(names.begin(), names.end(), test.name) != names.end();
    if (!chosen) continue;
    results.push_back(test.variables.empty()
                          ? flow::run_test(workspace, test)
                          : run_with_variables(workbench, pipeline, test));
  }
  return results;
}

}  // namespace lakemill::app
