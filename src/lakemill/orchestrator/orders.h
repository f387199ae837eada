#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "lakemill/base/cron_in_zone.h"

namespace lakemill::orchestrator {

/// At the instants of a schedule.
struct CronTrigger {
  CronInZone schedule;
};

/// At regular intervals since it began.
struct IntervalTrigger {
  std::chrono::microseconds interval{};
};

/// After each success of another pipeline.
struct AfterTrigger {
  std::string pipeline;
};

/// When something outside is another than before: a table has a new version, files have
/// come or changed. `watch` names it to the WatchPort.
struct ChangeTrigger {
  std::string watch;
};

/// Always: a run that has no end, begun again when it failed.
struct ContinuousTrigger {};

/// Which missed instants are made up for: those that passed while nobody was there.
enum class Catchup : std::uint8_t {
  last,  ///< the newest
  all,   ///< each, the oldest first, at most kCatchupMax
  skip,  ///< none
};

/// What makes runs of a pipeline.
struct Trigger {
  /// What it is, as text: one that is edited is another one, and begins anew.
  std::string id;
  std::variant<CronTrigger, IntervalTrigger, AfterTrigger, ChangeTrigger,
               ContinuousTrigger>
      what;
  Catchup catchup = Catchup::last;
  std::map<std::string, std::string> parameters;
  int priority = 0;
};

/// What becomes of a run that would begin while another one goes on.
enum class Overlap : std::uint8_t { skip, queue, cancel_running };

/// When an attempt that failed is made again.
struct Retries {
  int attempts_max = 1;  ///< 1: no retry
  std::chrono::microseconds delay = std::chrono::seconds(10);
  double backoff = 2;  ///< each delay is that many times the one before
  double jitter = 0;   ///< of a delay at random: 0.2 is up to 20 % more or less
};

/// What is to be done for a pipeline, as its file says.
struct PipelineOrders {
  std::string pipeline;
  std::vector<Trigger> triggers;
  Overlap overlap = Overlap::skip;
  int runs_max = 1;  ///< at least 1
  Retries retries;
  /// How often a run whose process went is made again before it fails.
  int interruptions_max = 3;
};

/// A run without end that failed or was cancelled begins again so much later.
inline constexpr std::chrono::seconds kContinuousDelay{10};
/// An instant that is later than this is missed.
inline constexpr std::chrono::seconds kLateMax{60};
/// How many missed instants are made up for at once.
inline constexpr int kCatchupMax = 1'000;
/// How many runs of a pipeline wait; what comes beyond is skipped.
inline constexpr std::size_t kQueueMax = 100;

}  // namespace lakemill::orchestrator
