#include "lakemill/flow/pipeline_runner.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "lakemill/flow/run_graph.h"
#include "lakemill/flow/shared_views.h"

namespace lakemill::flow {

namespace {

bool holds(NodeStatus status) {
  return status == NodeStatus::succeeded || status == NodeStatus::skipped;
}

// Hands nodes to worker threads as what they need gets done.
class PipelineRun {
 public:
  PipelineRun(const Workspace& workspace, const RunOptions& options,
              RunObserver& observer, RunGraph graph)
      : workspace_(workspace),
        options_(options),
        observer_(observer),
        graph_(std::move(graph)) {}

  RunReport run() {
    const auto begin = workspace_.clock.elapsed();
    for (const std::string& name : graph_.order) waiting_.push_back(name);
    const int workers = std::max(1, std::min<int>(options_.parallel_nodes_max,
                                                  static_cast<int>(waiting_.size())));
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < workers; ++i) {
        threads.emplace_back([this] { work(); });
      }
    }
    RunReport report;
    for (const std::string& name : options_.nodes) {
      report.nodes.push_back(std::move(done_.at(name)));
    }
    report.seconds =
        std::chrono::duration<double>(workspace_.clock.elapsed() - begin).count();
    return report;
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (!waiting_.empty()) {
      const auto ready = std::find_if(
          waiting_.begin(), waiting_.end(),
          [this](const std::string& name) { return all_done(graph_.needs.at(name)); });
      if (ready == waiting_.end()) {
        changed_.wait(lock);
        continue;
      }
      const std::string name = *ready;
      waiting_.erase(ready);
      const std::string blocker = failed_need(name);
      lock.unlock();
      NodeReport report = run_or_block(name, blocker);
      lock.lock();
      done_.emplace(name, std::move(report));
      changed_.notify_all();
    }
  }

  bool all_done(const std::vector<std::string>& names) const {
    return std::all_of(names.begin(), names.end(), [this](const std::string& name) {
      return done_.contains(name);
    });
  }

  std::string failed_need(const std::string& name) const {
    for (const std::string& need : graph_.needs.at(name)) {
      if (!holds(done_.at(need).status)) return need;
    }
    return "";
  }

  NodeReport run_or_block(const std::string& name, const std::string& blocker) {
    const language::Node& node = *workspace_.pipeline.find_node(name);
    NodeReport report;
    if (options_.stop.stop_requested()) {
      report.node = name;
      report.status = NodeStatus::cancelled;
    } else if (!blocker.empty()) {
      report.node = name;
      report.status = NodeStatus::blocked;
      report.error = Error(ErrorCode::cancelled,
                           "not run, because node " + blocker + " did not succeed");
    } else {
      observer_.on_node_started(node);
      FlowState state = flow_state(workspace_, node);
      report = run_node(workspace_, node, state, node_options(node));
    }
    observer_.on_node_finished(node, report);
    return report;
  }

  NodeRunOptions node_options(const language::Node& node) {
    NodeRunOptions options = options_for(options_, node, observer_);
    if (observer_.wants_progress()) {
      options.on_progress = [this, &node](const engine::Progress& progress) {
        observer_.on_node_progress(node, progress);
      };
    }
    return options;
  }

  const Workspace& workspace_;
  const RunOptions& options_;
  RunObserver& observer_;
  const RunGraph graph_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> waiting_;        // guarded by mutex_
  std::map<std::string, NodeReport> done_;  // guarded by mutex_
};

bool any_of_status(const RunReport& report, NodeStatus status) {
  return std::any_of(
      report.nodes.begin(), report.nodes.end(),
      [status](const NodeReport& node) { return node.status == status; });
}

}  // namespace

bool RunReport::succeeded() const {
  return std::all_of(nodes.begin(), nodes.end(),
                     [](const NodeReport& node) { return holds(node.status); });
}

bool RunReport::expectation_failed() const {
  return any_of_status(*this, NodeStatus::expectation_failed);
}

bool RunReport::cancelled() const {
  return any_of_status(*this, NodeStatus::cancelled);
}

NodeRunOptions options_for(const RunOptions& run, const language::Node& node,
                           RunObserver& observer) {
  NodeRunOptions options;
  options.on_plan = [&node, &observer](const BatchPlan& plan) {
    observer.on_batch_planned(node, plan);
  };
  options.on_commit = [&node, &observer](const TableCommit& commit) {
    observer.on_table_committed(node, commit);
  };
  options.run_id = run.run_id;
  const bool named = std::find(run.named_nodes.begin(), run.named_nodes.end(),
                               node.name) != run.named_nodes.end();
  options.full_refresh =
      run.full_refresh && (named || node.layer != language::Layer::bronze);
  options.adopt_node = run.adopt_node;
  options.stop = run.stop;
  return options;
}

Result<RunReport> run_pipeline(const Workspace& workspace, const RunOptions& options,
                               RunObserver& observer) {
  if (workspace.postgres != nullptr) workspace.postgres->stop_on(options.stop);
  LAKEMILL_TRY(RunGraph graph, make_run_graph(workspace.pipeline, options.nodes));
  SharedViews views(workspace, options.run_id,
                    views_of_several(workspace.pipeline, options.nodes));
  Workspace shared = workspace;
  shared.views = &views;
  return PipelineRun(shared, options, observer, std::move(graph)).run();
}

}  // namespace lakemill::flow
