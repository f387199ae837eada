#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lakemill/orchestrator/orders.h"
#include "lakemill/orchestrator/pipeline_state.h"

namespace lakemill::orchestrator {

/// What decisions look at beside journal and orders.
struct World {
  Instant now{};
  bool may_start = true;  ///< this process has room for another run
  bool may_start_continuous = true;  ///< the same of one without end
  /// True of a process that is known to be gone.
  std::function<bool(const std::string& member)> is_gone;
  /// The number of the newest success of a pipeline; 0: none.
  std::function<std::int64_t(const std::string& pipeline)> last_success;
  /// Where a watched thing stands (WatchPort).
  std::function<std::optional<std::string>(const std::string& watch, bool now)>
      position;
  /// For ids of runs.
  std::function<std::string()> new_id;
};

/// The next thing to decide, without number, id and member; nothing where all is done
/// for now. A function of its arguments alone: the same decision twice is the same.
std::optional<JournalEntry> decide(const PipelineState& state,
                                   const PipelineOrders& orders, const World& world);

/// When decide() is to be asked again at the latest, if nothing else happens; nothing:
/// never.
std::optional<Instant> next_instant(const PipelineState& state,
                                    const PipelineOrders& orders, Instant now);

/// That the newest attempt of `run` has come to its end.
JournalEntry end_of_attempt(const RunState& run, RunOutcome outcome, Instant at);

/// The next instants of a trigger behind its cursor, at most `count_max`; none of one
/// that does not look at the clock.
std::vector<Instant> instants_after(const Trigger& trigger, Instant cursor,
                                    int count_max);

/// How long after a failed attempt the next one comes. `chance` in [0, 1) places it
/// within the jitter.
std::chrono::milliseconds retry_delay(const Retries& retries, int attempt,
                                      double chance);

}  // namespace lakemill::orchestrator
