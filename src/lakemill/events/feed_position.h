#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "lakemill/base/result.h"

namespace lakemill::events {

/// How far somebody has come in the one order of all events of a log: behind the first
/// `index` events of the log's version `version`, and all of the versions before it. An
/// event stands at the position behind it; the default is before all of them.
struct FeedPosition {
  std::int64_t version = 0;
  std::int32_t index = 0;
  auto operator<=>(const FeedPosition&) const = default;
};

/// "12.3": version and index.
std::string to_text(FeedPosition position);

/// Errors: invalid.
Result<FeedPosition> parse_feed_position(std::string_view text);

}  // namespace lakemill::events
