#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "lakemill/app/attempts.h"
#include "lakemill/app/decision_events.h"
#include "lakemill/app/event_feed.h"
#include "lakemill/app/live_picture.h"
#include "lakemill/app/pipeline_orders.h"
#include "lakemill/app/pipeline_set.h"
#include "lakemill/app/process_members.h"
#include "lakemill/app/watches.h"
#include "lakemill/events/event_query.h"
#include "lakemill/orchestrator/orchestrator.h"

namespace lakemill::app {

/// Hears what changes while a project is served.
///
/// Thread-safety: called by several threads at once. Quick.
class OperationObserver {
 public:
  virtual ~OperationObserver() = default;
  virtual void on_run_changed(const std::string& pipeline,
                              const orchestrator::RunState& run) = 0;
  /// The set of pipelines is another one, or one of them.
  virtual void on_pipelines_changed() = 0;
  /// An event of any process that is in the log, in the one order of all.
  virtual void on_event(const events::FedEvent& event) = 0;
  /// Something that keeps the process from its work; told once, when it begins.
  virtual void on_problem(const std::string& subject, const Error& error) = 0;
};

/// A trigger as people see it.
struct ServedTrigger {
  std::string kind;
  std::string text;
  std::optional<Instant> next;  ///< when it fires; nothing: unknown, or never
};

/// A pipeline file with what its journal comes to.
struct ServedPipeline {
  ServedFile file;
  std::string name;  ///< of a file that was never valid: empty
  std::vector<ServedTrigger> triggers;
  std::vector<std::string> faults;  ///< of triggers that are left out
  orchestrator::PipelineState state;
};

/// A run and whose it is.
struct ServedRun {
  std::string pipeline;
  orchestrator::RunState run;
};

/// Which runs; what is empty lets all pass.
struct RunFilter {
  std::string pipeline;
  std::optional<orchestrator::RunStatus> status;
};

/// A project while it is served: its pipelines, who decides what runs, who runs it, and
/// one function for each thing that a user can see or do.
///
/// Thread-safety: run() by one thread; all else by any.
class Operation {
 public:
  /// Borrows both. Errors: those of the store.
  static Result<std::unique_ptr<Operation>> open(Workbench& workbench,
                                                 OperationObserver& observer);
  ~Operation();

  /// Loads the pipelines and works until `stop`; then ends what runs, and returns.
  void run(const std::stop_token& stop);
  /// True once all pipelines were loaded and their journals read.
  bool is_ready() const { return is_ready_; }

  Workbench& workbench() { return workbench_; }
  const std::string& member() const { return members_->id(); }
  Instant started_at() const { return started_at_; }

  std::vector<ServedPipeline> pipelines() const;
  /// Errors: not_found, with the name that was meant.
  Result<ServedPipeline> pipeline(const std::string& name) const;
  /// The newest `count_max` runs: those that are open, then by the time of their request.
  std::vector<ServedRun> runs(const RunFilter& filter, std::size_t count_max) const;
  Result<ServedRun> run_of(const std::string& run_id) const;
  /// What the nodes did in all attempts of a run. Errors: those of the event log.
  Result<RunPicture> nodes_of(const ServedRun& run);
  /// What each node of a pipeline did when it last ran. Errors: likewise.
  Result<std::map<std::string, NodePicture>> nodes_of(const std::string& pipeline);
  /// Errors: those of the event log.
  Result<data::Rows> events(const events::EventFilter& filter, std::int64_t count_max);

  // As Orchestrator.
  Result<orchestrator::RunTicket> request(const std::string& pipeline,
                                          const orchestrator::RunWish& wish,
                                          const std::string& actor,
                                          const std::string& key);
  Status cancel(const std::string& run_id, const std::string& actor);
  Result<orchestrator::RunTicket> retry(const std::string& run_id, bool from_beginning,
                                        const std::string& actor);
  Status set_paused(const std::string& pipeline, bool paused, const std::string& actor);

 private:
  class Decisions;

  Operation(Workbench& workbench, OperationObserver& observer);
  void follow_events(const std::stop_token& stop);
  void refresh();
  void tell_changes(const std::vector<ServedFile>& before,
                    const std::vector<ServedFile>& now, bool is_first);
  std::vector<ServedTrigger> triggers_of(const language::Pipeline& pipeline,
                                         const orchestrator::PipelineView& view) const;
  ServedPipeline served(const ServedFile& file) const;

  Workbench& workbench_;
  OperationObserver& observer_;
  Instant started_at_;
  std::shared_ptr<storage::ObjectStore> store_;
  std::unique_ptr<ProcessMembers> members_;
  PipelineSet pipelines_;
  LivePicture picture_;
  std::unique_ptr<DecisionEvents> told_;
  std::unique_ptr<Attempts> attempts_;
  std::unique_ptr<Decisions> decisions_;
  std::unique_ptr<Watches> watches_;
  std::unique_ptr<orchestrator::Orchestrator> orchestrator_;
  std::unique_ptr<ProjectFeed> feed_;
  events::EventBus::Subscription subscription_;
  std::atomic<bool> is_ready_ = false;
  bool problem_told_ = false;  // only run()

  mutable std::mutex mutex_;
  std::map<std::string, std::vector<std::string>> faults_;  // by pipeline; by mutex_
  std::set<std::string> past_known_;  // pipelines whose past was read; by mutex_
};

}  // namespace lakemill::app
