#include "lakemill/app/replay.h"

#include <algorithm>
#include <thread>

#include "lakemill/app/run_events.h"
#include "lakemill/flow/replay_start.h"
#include "lakemill/flow/side_flows.h"

namespace lakemill::app {

namespace {

// One replay on its way.
class ReplayRunner {
 public:
  ReplayRunner(const ReplayRequest& request, const flow::Workspace& live,
               const flow::Workspace& workspace, RunEvents& observer,
               std::string run_id)
      : request_(request),
        live_(live),
        workspace_(workspace),
        observer_(observer),
        run_id_(std::move(run_id)) {}

  Result<flow::RunReport> run(const std::vector<std::string>& nodes) {
    LAKEMILL_TRY(const bool seeded, begin_in_the_middle());
    observer_.on_run_started(nodes.size());
    flow::RunReport report;
    if (!seeded) {
      LAKEMILL_TRY(report, run_nodes(nodes, true));
    } else if (request_.into.empty()) {
      LAKEMILL_TRY(report, run_nodes(nodes, false));  // the others notice by themselves
    } else {
      LAKEMILL_TRY(report, run_nodes({request_.node}, false));
      std::vector<std::string> rest = nodes;
      std::erase(rest, request_.node);
      if (report.succeeded() && !rest.empty()) {
        LAKEMILL_TRY(auto after, run_nodes(rest, true));
        for (flow::NodeReport& node : after.nodes) {
          report.nodes.push_back(std::move(node));
        }
        report.seconds += after.seconds;
      }
    }
    observer_.on_run_finished(report);
    return report;
  }

 private:
  // True if the replay begins behind the first batch.
  Result<bool> begin_in_the_middle() {
    LAKEMILL_TRY(const auto start, flow::parse_replay_start(request_.from));
    if (start.kind == flow::ReplayStart::Kind::beginning) return false;
    if (request_.node.empty()) {
      return Error(
          ErrorCode::invalid,
          "--from " + request_.from +
              " needs --node: each node has a log of its own; the nodes behind "
              "it are made anew as a whole");
    }
    const language::Node& node = *live_.pipeline.find_node(request_.node);
    LAKEMILL_TRY(const auto last, flow::batch_before(live_, node, start));
    if (!last) return false;
    const language::Node& made = *workspace_.pipeline.find_node(request_.node);
    LAKEMILL_TRY_OK(
        flow::begin_with_rows_after(live_, *last, workspace_, made, run_id_));
    return true;
  }

  Result<flow::RunReport> run_nodes(const std::vector<std::string>& nodes, bool anew) {
    flow::RunOptions options;
    options.run_id = run_id_;
    options.nodes = nodes;
    options.full_refresh = anew;
    options.parallel_nodes_max =
        std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    options.stop = request_.stop;
    return flow::run_pipeline(workspace_, options, observer_);
  }

  const ReplayRequest& request_;
  const flow::Workspace& live_;
  const flow::Workspace& workspace_;
  RunEvents& observer_;
  const std::string run_id_;
};

// In place a table is swapped in by one batch too: nothing bounds what it reads.
language::Pipeline without_bounds(language::Pipeline pipeline,
                                  const std::vector<std::string>& nodes) {
  for (language::Node& node : pipeline.nodes) {
    if (std::find(nodes.begin(), nodes.end(), node.name) == nodes.end()) continue;
    for (language::Source& source : node.sources) source.limits = {};
  }
  return pipeline;
}

Result<std::vector<ReplayedTable>> compare(Workbench& workbench,
                                           const flow::SidePipeline& side) {
  std::vector<ReplayedTable> tables;
  for (const flow::SideTable& table : side.tables) {
    LAKEMILL_TRY(const auto name, workbench.catalog().resolve(table.side_name));
    LAKEMILL_TRY(const bool made, workbench.catalog().table_exists(name));
    LAKEMILL_TRY(const auto store, workbench.stores().open(table.live_url));
    LAKEMILL_TRY(const bool lives, delta::table_exists(*store));
    if (!made || !lives) continue;  // a view, or a quarantine that nothing came to
    ReplayedTable compared{table.live_name, table.side_name, {}};
    DiffRequest request;
    request.left = table.live_url;
    request.right = table.side_name;
    LAKEMILL_TRY(compared.difference, table_diff(workbench, request));
    tables.push_back(std::move(compared));
  }
  return tables;
}

}  // namespace

Result<Replay> replay(Workbench& workbench, const language::Pipeline& pipeline,
                      const ReplayRequest& request, flow::RunObserver& display) {
  LAKEMILL_TRY(const auto nodes, flow::replayed_nodes(pipeline, request.node));
  LAKEMILL_TRY(const flow::Workspace live, workbench.workspace(pipeline));
  flow::SidePipeline side;
  std::string name = pipeline.name;
  if (request.into.empty()) {
    side.pipeline = without_bounds(pipeline, nodes);
  } else {
    LAKEMILL_TRY(side, flow::make_side_pipeline(live, nodes, request.into));
    name += "@" + request.into;
  }
  LAKEMILL_TRY(flow::Workspace workspace, workbench.workspace(side.pipeline));
  if (!request.into.empty()) workspace.side = &side.flows;
  LAKEMILL_TRY(events::EventWriter * writer, workbench.event_writer());
  Replay done;
  done.run.pipeline = name;
  done.run.run_id = make_uuid(workbench.random());
  RunEvents observer(*writer, name, done.run.run_id, display);
  ReplayRunner runner(request, live, workspace, observer, done.run.run_id);
  LAKEMILL_TRY(done.run.report, runner.run(nodes));
  if (!request.into.empty() && done.run.report.succeeded()) {
    LAKEMILL_TRY(done.tables, compare(workbench, side));
  }
  return done;
}

}  // namespace lakemill::app
