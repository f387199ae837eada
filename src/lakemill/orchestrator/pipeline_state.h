#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lakemill/orchestrator/journal_entry.h"

namespace lakemill::orchestrator {

enum class RunStatus : std::uint8_t { queued, running, waiting_to_retry, ended };

/// "queued".
std::string_view to_text(RunStatus status);

/// A run, as far as the journal tells.
struct RunState {
  std::string run_id;
  RunStatus status = RunStatus::queued;
  RunWish wish;
  std::string actor;
  std::string trigger;
  std::string key;
  Instant requested_at{};
  int attempt = 0;                    ///< the newest; 0: none was made yet
  std::string member;                 ///< that makes it, or made it
  std::optional<Instant> started_at;  ///< of the first attempt
  std::optional<Instant> ended_at;    ///< of the newest that ended
  std::optional<RunOutcome> outcome;  ///< likewise
  std::string message;                ///< likewise
  int failures = 0;                   ///< attempts that failed
  int interruptions = 0;              ///< attempts whose process went unasked
  bool cancel_requested = false;
  std::vector<std::string> done_nodes;  ///< of all attempts
  std::optional<Instant> retry_at;

  bool operator==(const RunState&) const = default;
};

/// What the entries of a pipeline's journal come to.
struct PipelineState {
  std::int64_t entries = 0;                    ///< number of the newest
  std::map<std::string, std::string> cursors;  ///< by trigger
  std::vector<RunState> open;                  ///< as requested; not ended
  std::deque<RunState> ended;     ///< the newest last, at most kEndedRunsMax
  std::int64_t last_success = 0;  ///< number of the entry; 0: none
  bool paused = false;

  const RunState* find_run(std::string_view run_id) const;
  /// The run that was asked for under `key`, which is not empty; null: none.
  const RunState* run_of_key(std::string_view key) const;
  /// How many runs are being made.
  int running() const;

  bool operator==(const PipelineState&) const = default;
};

inline constexpr std::size_t kEndedRunsMax = 100;

/// `state` with what the entry behind it says. An entry that speaks of a run that is
/// not open changes nothing else. `entry.number` is `state.entries` + 1.
void apply(PipelineState& state, const JournalEntry& entry);

Json to_json(const PipelineState& state);
/// Errors: corrupt.
Result<PipelineState> state_from_json(const Json& json);

}  // namespace lakemill::orchestrator
