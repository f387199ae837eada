#include "lakemill/notify/event_source.h"

#include <algorithm>

namespace lakemill::notify {

Result<events::FeedPosition> FeedSource::oldest_beyond(events::FeedPosition lost) {
  std::int64_t gone = lost.version;
  std::int64_t there = std::max(feed_.end().version, gone + 1);
  while (there - gone > 1) {
    const std::int64_t middle = gone + (there - gone) / 2;
    auto page = feed_.read_after({middle, 0}, 1);
    if (page) {
      there = middle;
    } else if (page.error().code() == ErrorCode::not_found) {
      gone = middle;
    } else {
      return std::move(page).error();
    }
  }
  return events::FeedPosition{there, 0};
}

}  // namespace lakemill::notify
