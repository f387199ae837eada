#pragma once

#include <chrono>
#include <mutex>
#include <optional>

#include "lakemill/base/random.h"

namespace lakemill::net {

struct RetryLimits {
  int attempts_max = 8;  ///< of one request, the first included
  std::chrono::milliseconds delay_min{100};
  std::chrono::milliseconds delay_max{5'000};
  /// No attempt begins later than this after the first.
  std::chrono::milliseconds total_max{90'000};
  /// How many repetitions may be open in the budget; a success gives one tenth back.
  int tokens_max = 100;
};

/// How patient a client is with a peer, over all of its requests: each failure takes a
/// token, so that a peer which is down is not asked eight times by everybody.
///
/// Pauses double and are drawn at random between half and all of that, so that clients
/// which failed together do not come back together. Thread-safe.
class RetryBudget {
 public:
  /// Borrows `random`.
  RetryBudget(RetryLimits limits, Random& random)
      : limits_(limits), random_(random), tokens_(limits.tokens_max) {}

  /// How long to wait after `failures` failed attempts (at least 1) before the next;
  /// nothing if the request is to be given up. `elapsed`: since the first attempt;
  /// `asked`: the pause that the peer asked for.
  std::optional<std::chrono::milliseconds> next_pause(
      int failures, std::chrono::milliseconds elapsed,
      std::optional<std::chrono::milliseconds> asked);

  void note_success();

 private:
  const RetryLimits limits_;
  Random& random_;
  std::mutex mutex_;
  double tokens_;  // guarded by mutex_
};

}  // namespace lakemill::net
