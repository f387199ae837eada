#include "lakemill/app/backfill.h"

#include <algorithm>
#include <thread>

#include "lakemill/app/event_rebuild.h"
#include "lakemill/app/run_events.h"
#include "lakemill/language/graph.h"

namespace lakemill::app {

namespace {

// The nodes behind those that were filled in.
Result<std::vector<std::string>> behind(const language::Pipeline& pipeline,
                                        const std::vector<std::string>& filled) {
  std::vector<std::string> selectors;
  for (const std::string& name : filled) selectors.push_back(name + "*");
  LAKEMILL_TRY(auto names, language::select_nodes(pipeline, selectors));
  std::erase_if(names, [&](const std::string& name) {
    return std::find(filled.begin(), filled.end(), name) != filled.end();
  });
  return names;
}

}  // namespace

Result<PipelineRun> backfill(Workbench& workbench, const language::Pipeline& pipeline,
                             const BackfillRequest& request,
                             flow::RunObserver& display) {
  std::vector<std::string> nodes = {request.node};
  if (request.node.empty()) {
    LAKEMILL_TRY(nodes, flow::backfilled_nodes(pipeline));
  } else {
    LAKEMILL_TRY(nodes, language::select_nodes(pipeline, nodes));
  }
  LAKEMILL_TRY(const flow::Workspace workspace, workbench.workspace(pipeline));
  LAKEMILL_TRY(events::EventWriter * writer, workbench.event_writer());
  PipelineRun run{pipeline.name, make_uuid(workbench.random()), {}};
  LAKEMILL_TRY(const auto after, behind(pipeline, nodes));
  make_events_good(workbench, workspace);
  LAKEMILL_TRY(const auto mark, RunMark::put(workspace, run.run_id));
  tell_of_slots(workspace, *writer, run.run_id);
  RunEvents observer(*writer, pipeline.name, run.run_id, display);
  observer.on_run_started(nodes.size() + after.size());
  flow::NodeRunOptions options;
  options.run_id = run.run_id;
  options.stop = request.stop;
  for (const std::string& name : nodes) {
    const language::Node& node = *pipeline.find_node(name);
    observer.on_node_started(node);
    options.on_plan = [&](const flow::BatchPlan& plan) {
      observer.on_batch_planned(node, plan);
    };
    options.on_commit = [&](const flow::TableCommit& commit) {
      observer.on_table_committed(node, commit);
    };
    auto report = flow::run_backfill(workspace, node, request.range, options);
    if (!report) {
      flow::NodeReport failed;
      failed.node = name;
      failed.status = flow::NodeStatus::failed;
      failed.error = report.error();
      observer.on_node_finished(node, failed);
      run.report.nodes.push_back(std::move(failed));
      observer.on_run_finished(run.report);
      return std::move(report).error();
    }
    observer.on_node_finished(node, *report);
    run.report.seconds += report->seconds;
    run.report.nodes.push_back(*std::move(report));
  }
  if (run.report.succeeded() && !after.empty()) {
    flow::RunOptions rest;
    rest.run_id = run.run_id;
    rest.nodes = after;
    rest.parallel_nodes_max =
        std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    rest.stop = request.stop;
    LAKEMILL_TRY(auto report, flow::run_pipeline(workspace, rest, observer));
    for (flow::NodeReport& node : report.nodes) {
      run.report.nodes.push_back(std::move(node));
    }
    run.report.seconds += report.seconds;
  }
  observer.on_run_finished(run.report);
  if (writer->flush()) mark->remove();  // else the next run makes it good
  return run;
}

}  // namespace lakemill::app
