// The events of a subscription that are read and not all done: in the order of the log,
// and in lanes by their subjects, each of which is worked on from its oldest on. The
// window goes from the oldest open event to the newest that was read, so its bound is
// also that of what is done beyond the oldest.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lakemill/events/event_feed.h"
#include "lakemill/notify/progress.h"

namespace lakemill::notify {

struct WindowLimits {
  std::size_t lanes = 8;                ///< 1 or more
  std::size_t events_max = 1'000;       ///< from the oldest open to the newest read
  std::size_t bytes_max = 16U << 20U;   ///< of open events; one may go beyond it
};

/// Not thread-safe.
class DeliveryWindow {
 public:
  /// An open event. Stays where it is until it is done.
  struct Entry {
    events::FedEvent fed;         ///< without an event once it is done
    events::FeedPosition before;  ///< the event that was read before it
    std::size_t lane = 0;
    std::size_t size_bytes = 0;
    std::int64_t attempts = 0;  ///< that failed
    /// By processes before this one, since their first attempt.
    std::chrono::microseconds spent_before{0};
    /// Of this process; by Clock::elapsed().
    std::optional<std::chrono::microseconds> first_attempt = {};
    std::chrono::microseconds due{0};  ///< not to be tried before; by Clock::elapsed()
    std::string refusal = {};          ///< not empty: no attempt is left

    std::chrono::microseconds spent(std::chrono::microseconds elapsed) const;
  };

  /// Goes on where somebody was.
  DeliveryWindow(WindowLimits limits, const Progress& begin);

  std::size_t lanes() const { return lanes_.size(); }
  events::FeedPosition read_to() const { return read_to_; }
  /// How many more events may be read; 0 where the bytes are used up.
  std::size_t room() const;
  /// How many are open.
  std::size_t open_count() const;

  /// The next event, which is to be delivered; unless that was done before.
  void add(events::FedEvent fed);
  /// All up to `position` was read, and what was not added is not to be delivered.
  void pass(events::FeedPosition position);

  /// The oldest open event of a lane; null: there is none.
  Entry* head(std::size_t lane);
  /// Takes the head of its lane out.
  void finish(Entry& entry);

  /// `elapsed`: of the clock, now.
  Progress progress(std::chrono::microseconds elapsed) const;
  events::FeedPosition position() const;

 private:
  void trim();

  const WindowLimits limits_;
  events::FeedPosition read_to_;
  std::map<events::FeedPosition, Entry> entries_;  // the first is open
  std::vector<std::deque<Entry*>> lanes_;          // the open ones
  std::size_t open_bytes_ = 0;
  // Of who was there before, of events that are not read yet.
  std::set<events::FeedPosition> done_before_;
  std::map<events::FeedPosition, Progress::Failing> failing_before_;
};

}  // namespace lakemill::notify
