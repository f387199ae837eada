#pragma once

#include <map>
#include <mutex>
#include <string>

#include "lakemill/events/event_writer.h"
#include "lakemill/flow/pipeline_runner.h"

namespace lakemill::app {

/// Where a run comes from, as its events tell.
struct RunOrigin {
  std::string caused_by;     ///< id of the event but for which it would not be
  std::string actor;         ///< who asked for it
  std::int64_t attempt = 0;  ///< from 1; 0: not told
  std::string member;        ///< the process that makes it; empty: not told
};

/// Tells the event log what a run does, and passes it on. Borrows all. Events of the run
/// are caused by what it comes from, those of its nodes by its start, those of batches
/// and tables by the batch's plan.
///
/// Thread-safety: as RunObserver.
class RunEvents final : public flow::RunObserver {
 public:
  RunEvents(events::EventWriter& writer, std::string pipeline, std::string run_id,
            flow::RunObserver& next);
  RunEvents(events::EventWriter& writer, std::string pipeline, std::string run_id,
            RunOrigin origin, flow::RunObserver& next);

  void on_run_started(std::size_t node_count);
  void on_run_finished(const flow::RunReport& report);

  bool wants_progress() const override { return next_.wants_progress(); }
  void on_node_started(const language::Node& node) override;
  void on_node_progress(const language::Node& node,
                        const engine::Progress& progress) override;
  void on_node_finished(const language::Node& node,
                        const flow::NodeReport& report) override;
  void on_batch_planned(const language::Node& node,
                        const flow::BatchPlan& plan) override;
  void on_table_committed(const language::Node& node,
                          const flow::TableCommit& commit) override;
  void on_node_retry(const language::Node& node, const Error& error,
                     std::chrono::milliseconds delay) override;

 private:
  events::Event event(events::EventType type, const std::string& node) const;
  events::Event run_event(events::EventType type, Json details) const;
  events::Event batch_event(events::EventType type, const std::string& node);
  void tell_batch(const flow::NodeReport& report);
  void tell_schema_changes(const flow::NodeReport& report);
  void tell_expectations(const flow::NodeReport& report);

  events::EventWriter& writer_;
  const std::string pipeline_;
  const std::string run_id_;
  const RunOrigin origin_;
  flow::RunObserver& next_;
  std::string run_started_;  // its id; written before there are nodes
  std::mutex mutex_;
  std::map<std::string, std::string> batches_;  // node → id of the last batch_planned;
                                                // guarded by mutex_
};

/// Tells the event log, from here on, what happens to the slots that the workspace
/// reads. The writer outlives it.
void tell_of_slots(const flow::Workspace& workspace, events::EventWriter& writer,
                   const std::string& run_id);

/// A node's report as JSON: what events and `--json` show.
Json to_json(const flow::NodeReport& report);

}  // namespace lakemill::app
