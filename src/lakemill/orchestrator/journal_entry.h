#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/base/clock.h"
#include "lakemill/base/json.h"

namespace lakemill::orchestrator {

/// What is decided about a pipeline. The list is closed.
enum class EntryKind : std::uint8_t {
  trigger_began,     ///< a trigger is new: it looks from `cursor` on
  run_requested,     ///< a run is to be made
  run_skipped,       ///< what was due is not run, and why
  run_started,       ///< an attempt of a run is made by `member`
  run_ended,         ///< that attempt has come to an end
  cancel_requested,  ///< somebody wants a run to stop
  paused,            ///< triggers make no runs from here on
  resumed,
};

/// "run_requested".
std::string_view to_text(EntryKind kind);

/// How an attempt came to its end.
enum class RunOutcome : std::uint8_t {
  succeeded,
  failed,
  cancelled,
  interrupted,  ///< its process is gone
};

/// "succeeded".
std::string_view to_text(RunOutcome outcome);

/// What a run is to do.
struct RunWish {
  std::vector<std::string> selectors;  ///< as `run --select`; empty: all nodes
  bool full_refresh = false;
  std::map<std::string, std::string> parameters;
  std::vector<std::string> without;  ///< nodes that are left out
  int priority = 0;                  ///< of those that wait the greatest starts first
  bool continuous = false;           ///< it goes on until it is stopped

  bool operator==(const RunWish&) const = default;
};

/// One decision. Who writes entry n+1 has read 1 to n, so none is made twice, whatever
/// clocks and processes do.
struct JournalEntry {
  std::int64_t number = 0;  ///< from 1, without gaps
  EntryKind kind = EntryKind::run_requested;
  std::string id;  ///< random: tells whose write it was
  Instant at{};
  std::string member;   ///< the process that decided
  std::string actor;    ///< who asked for it; empty: a trigger did
  std::string trigger;  ///< id of a trigger; empty: asked for by hand
  std::string cursor;   ///< up to where the trigger has looked
  std::string key;      ///< of a request that is made once under it; may be empty
  std::string run_id;
  int attempt = 0;  ///< of run_started and run_ended, from 1
  RunWish wish;     ///< of run_requested
  /// Of run_skipped: "overlap", "missed", "paused", "waits", "queue_full"; of
  /// run_ended: "stopped" where its process was told to go.
  std::string reason;
  std::int64_t count = 0;             ///< of run_skipped: how many
  std::optional<RunOutcome> outcome;  ///< of run_ended
  std::string message;                ///< of run_ended: what failed
  /// Of run_ended: nodes that need no further attempt.
  std::vector<std::string> done_nodes;
  std::optional<Instant> retry_at;  ///< of run_ended: when there is another attempt

  bool operator==(const JournalEntry&) const = default;
};

/// An entry that tells no more than `kind` and `at`.
JournalEntry entry_of(EntryKind kind, Instant at);

Json to_json(const JournalEntry& entry);
/// Errors: corrupt.
Result<JournalEntry> entry_from_json(const Json& json);

Json to_json(const RunWish& wish);
RunWish wish_from_json(const Json& json);
std::optional<RunOutcome> outcome_from_text(std::string_view text);

/// The strings of an array member; none where it is absent.
std::vector<std::string> strings_member(const Json& json, std::string_view key);
/// An instant that is a member, as format_instant() writes it.
std::optional<Instant> instant_member(const Json& json, std::string_view key);

}  // namespace lakemill::orchestrator
