#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "lakemill/base/clock.h"
#include "lakemill/base/random.h"
#include "lakemill/orchestrator/decide.h"
#include "lakemill/orchestrator/journal.h"
#include "lakemill/orchestrator/orders.h"
#include "lakemill/orchestrator/ports.h"
#include "lakemill/storage/object_store.h"

namespace lakemill::orchestrator {

/// What the orchestrator borrows; all outlive it.
struct OrchestratorServices {
  storage::ObjectStore& store;  ///< journals are below `_lakemill/orchestrator/`
  Clock& clock;
  Random& random;
  RunPort& runs;
  MemberPort& members;
  WatchPort& watches;
  DecisionObserver& observer;
};

struct OrchestratorOptions {
  std::string member;  ///< the id of this process
  int runs_max = 8;    ///< attempts that this process makes at a time
  int continuous_max = 32;  ///< attempts without end, beside them
  /// How often journals are looked at for what other processes wrote.
  std::chrono::milliseconds look_period{1'000};
};

/// A request that was taken.
struct RunTicket {
  std::string run_id;
  bool is_new = true;  ///< false: there was one under the same key
};

/// A pipeline with its orders as they are and what its journal comes to.
struct PipelineView {
  PipelineOrders orders;
  PipelineState state;
};

/// Decides what runs when, and has it run: reads the clock and journals, writes
/// decisions, makes attempts on threads of its own. Several processes on one storage
/// may do so at once; each decision is made once (Journal).
///
/// Thread-safety: run() by one thread; all else by any.
class Orchestrator {
 public:
  Orchestrator(OrchestratorOptions options, OrchestratorServices services);
  ~Orchestrator();

  /// What is to be done from here on, for all pipelines. One that is not among them
  /// makes no more runs; those that go on end. Errors: those of the store, of the first
  /// pipeline whose journal cannot be opened; the others are taken.
  Status set_orders(std::vector<PipelineOrders> orders);

  /// Works until `stop`; then stops all attempts, and returns when they have ended and
  /// that is written.
  void run(const std::stop_token& stop);

  /// Asks for a run. The same `key` (may be empty) within the last kEndedRunsMax runs
  /// gives the run that it gave before. Errors: not_found (the pipeline), unavailable
  /// (too many wait, or those of the store).
  Result<RunTicket> request(const std::string& pipeline, const RunWish& wish,
                            const std::string& actor, const std::string& key);
  /// Errors: not_found (no such run), invalid (it has ended).
  Status cancel(const std::string& run_id, const std::string& actor);
  /// Makes a run again that has ended without success: the nodes that did not succeed,
  /// or all of them. Errors: not_found, invalid.
  Result<RunTicket> retry(const std::string& run_id, bool from_beginning,
                          const std::string& actor);
  Status set_paused(const std::string& pipeline, bool paused, const std::string& actor);

  /// Errors: not_found.
  Result<PipelineView> view(const std::string& pipeline) const;
  std::vector<PipelineView> views() const;  ///< by name

  /// Has what runs of a pipeline without end begin anew, where it was, with what its
  /// file says now.
  void restart_continuous(const std::string& pipeline);

  /// Looks again at once: something may be due.
  void wake();

 private:
  struct Flight;    // an attempt of this process
  struct Pipeline;  // orders and journal

  std::shared_ptr<Pipeline> find(const std::string& pipeline) const;
  Result<std::shared_ptr<Pipeline>> pipeline_named(const std::string& name) const;
  Result<std::shared_ptr<Pipeline>> pipeline_of(const std::string& run_id) const;
  std::vector<std::shared_ptr<Pipeline>> pipelines() const;
  Result<std::shared_ptr<Pipeline>> open(const std::string& pipeline);
  World world();
  void work_on(Pipeline& pipeline, bool look);
  Status decide_on(Pipeline& pipeline);
  void hear(Pipeline& pipeline, const PipelineState& state, const JournalEntry& entry,
            bool own);
  Result<std::optional<JournalEntry>> append(Pipeline& pipeline,
                                             const Journal::Decide& decide);
  void take_off(Pipeline& pipeline, const JournalEntry& started);
  void fly(Flight& flight);
  Status land(Pipeline& pipeline);
  std::optional<JournalEntry> end_of(const Pipeline& pipeline,
                                     const PipelineState& state, const Flight& flight);
  void stop_flight(const std::string& run_id);
  bool stop_all_flights();
  std::chrono::milliseconds until_next() const;

  const OrchestratorOptions options_;
  OrchestratorServices services_;

  mutable std::mutex pipelines_mutex_;
  std::map<std::string, std::shared_ptr<Pipeline>> pipelines_;  // guarded by it

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  bool woken_ = false;                             // guarded by mutex_
  std::vector<std::shared_ptr<Flight>> flights_;   // guarded by mutex_
  std::map<std::string, std::int64_t> successes_;  // by pipeline; guarded by mutex_
};

}  // namespace lakemill::orchestrator
