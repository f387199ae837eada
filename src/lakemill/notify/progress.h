#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/events/feed_position.h"

namespace lakemill::notify {

/// How far a subscription has come, as it is kept: each event at or before `position`,
/// and each of `done_beyond`, was delivered, went to the dead letters or is not for it.
struct Progress {
  /// An event that was tried and is still open: so that a restart gives it no more time.
  struct Failing {
    events::FeedPosition at;
    std::int64_t attempts = 0;
    std::chrono::milliseconds spent{0};  ///< since the first attempt, while somebody ran
    bool operator==(const Failing&) const = default;
  };

  events::FeedPosition position;
  std::vector<events::FeedPosition> done_beyond;  ///< ascending
  std::vector<Failing> failing;                   ///< ascending
  bool operator==(const Progress&) const = default;
};

/// {"position": "12.3", "done_beyond": ["12.5"], "failing": [{"at", "attempts",
/// "spent_ms"}]}.
std::string text_of(const Progress& progress);

/// Errors: corrupt.
Result<Progress> parse_progress(std::string_view text);

}  // namespace lakemill::notify
