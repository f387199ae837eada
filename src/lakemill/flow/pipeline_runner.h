#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "lakemill/flow/node_runner.h"

namespace lakemill::flow {

/// Hears what a run does.
///
/// Thread-safety: called by several threads at once.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  /// False spares the measuring.
  virtual bool wants_progress() const = 0;
  virtual void on_node_started(const language::Node& node) = 0;
  virtual void on_node_progress(const language::Node& node,
                                const engine::Progress& progress) = 0;
  virtual void on_node_finished(const language::Node& node,
                                const NodeReport& report) = 0;
  /// A batch is about to be computed; nothing of it is in a table yet.
  virtual void on_batch_planned(const language::Node& node, const BatchPlan& plan) {
    (void)node, (void)plan;
  }
  /// A commit stands. Never waits for storage.
  virtual void on_table_committed(const language::Node& node,
                                  const TableCommit& commit) {
    (void)node, (void)commit;
  }
  /// A batch failed, and is tried again after `delay`.
  virtual void on_node_retry(const language::Node& node, const Error& error,
                             std::chrono::milliseconds delay) {
    (void)node, (void)error, (void)delay;
  }
};

struct RunOptions {
  std::string run_id;
  std::vector<std::string> nodes;  ///< selected names, in document order
  bool full_refresh = false;
  /// Nodes that were named on the command line: a full refresh reloads them even if
  /// they are BRONZE.
  std::vector<std::string> named_nodes;
  std::string adopt_node;  ///< `--adopt OLD`: the flow of this node is taken over
  int parallel_nodes_max = 2;
  std::stop_token stop;
};

struct RunReport {
  std::vector<NodeReport> nodes;  ///< in the order of the selection
  double seconds = 0;

  bool succeeded() const;
  bool expectation_failed() const;
  bool cancelled() const;
};

/// What of a run's options holds for one node, whose commits `observer` hears of; both
/// outlive it. Without progress.
NodeRunOptions options_for(const RunOptions& run, const language::Node& node,
                           RunObserver& observer);

/// Runs the selected nodes, each after all that it needs; those that need nothing of
/// each other side by side. A node that fails blocks what depends on it and nothing
/// else. Errors: invalid (a circle).
Result<RunReport> run_pipeline(const Workspace& workspace, const RunOptions& options,
                               RunObserver& observer);

}  // namespace lakemill::flow
