#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "lakemill/orchestrator/journal_entry.h"
#include "lakemill/orchestrator/pipeline_state.h"

namespace lakemill::orchestrator {

/// One attempt that is to be made.
struct RunOrder {
  std::string pipeline;
  std::string run_id;
  int attempt = 1;
  RunWish wish;
  std::string actor;  ///< who asked for it; empty: a trigger did
  std::vector<std::string> done_nodes;  ///< of the attempts before: left out
};

/// How it came out.
struct AttemptReport {
  RunOutcome outcome = RunOutcome::failed;
  std::string message;
  std::vector<std::string> done_nodes;
  bool can_pass = false;  ///< all that failed may work the next time
};

/// Who makes runs.
///
/// Thread-safety: called by several threads at once.
class RunPort {
 public:
  virtual ~RunPort() = default;
  /// Makes the attempt; ends soon after `stop` is requested.
  virtual AttemptReport run(const RunOrder& order, std::stop_token stop) = 0;
};

/// Hears what is decided, here and elsewhere.
///
/// Thread-safety: called by several threads, for one pipeline in the order of its
/// journal. Quick: decisions wait meanwhile.
class DecisionObserver {
 public:
  virtual ~DecisionObserver() = default;
  /// `own`: this process wrote it.
  virtual void on_entry(const std::string& pipeline, const PipelineState& state,
                        const JournalEntry& entry, bool own) = 0;
  /// Decisions cannot be written or read; told when it begins.
  virtual void on_problem(const std::string& pipeline, const Error& error) = 0;
};

/// Tells where things outside stand: tables, files.
///
/// Thread-safety: concurrent calls are allowed.
class WatchPort {
 public:
  virtual ~WatchPort() = default;
  /// A text, never empty, that is another one when what is watched has changed, or has
  /// come or gone. As it was when it was last looked at, quickly, or with `now` as it is. From
  /// the first question on it is looked at now and then. Nothing: not known (yet).
  virtual std::optional<std::string> position(const std::string& watch, bool now) = 0;
};

/// Whether other processes that decide are gone.
///
/// Thread-safety: concurrent calls are allowed.
class MemberPort {
 public:
  virtual ~MemberPort() = default;
  virtual bool is_gone(const std::string& member) = 0;
};

}  // namespace lakemill::orchestrator
