#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "lakemill/app/decision_events.h"
#include "lakemill/app/pipeline_set.h"
#include "lakemill/app/run.h"
#include "lakemill/orchestrator/ports.h"

namespace lakemill::app {

/// Makes the runs that the orchestrator decides on, of the pipelines as they are when an
/// attempt begins. Attempt k > 1 of run R is told as the run "R.k".
///
/// Thread-safe.
class Attempts final : public orchestrator::RunPort {
 public:
  /// All are borrowed. `member`: the id of this process.
  Attempts(Workbench& workbench, const PipelineSet& pipelines,
           const DecisionEvents& decisions, std::string member);
  ~Attempts() override;

  orchestrator::AttemptReport run(const orchestrator::RunOrder& order,
                                  std::stop_token stop) override;

 private:
  Result<PipelineRun> make(const orchestrator::RunOrder& order, std::stop_token stop);
  RunOrigin origin_of(const orchestrator::RunOrder& order) const;
  void tell_failure(const orchestrator::RunOrder& order, const Error& error);
  void settle(const std::stop_token& stop);

  Workbench& workbench_;
  const PipelineSet& pipelines_;
  const DecisionEvents& decisions_;
  const std::string member_;
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::vector<std::unique_ptr<RunMark>> marks_;  // of what has ended; guarded by mutex_
  std::jthread thread_;                          // settles them
};

/// The id under which events and tables know an attempt.
std::string flow_run_id(const std::string& run_id, int attempt);

}  // namespace lakemill::app
