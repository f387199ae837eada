#pragma once

#include <chrono>
#include <cstddef>
#include <stop_token>

#include "lakemill/events/event_feed.h"

namespace lakemill::notify {

/// What a subscription reads: the events of a log in their order.
///
/// Thread-safety: implementations allow concurrent calls.
class EventSource {
 public:
  virtual ~EventSource() = default;

  /// As of EventFeed.
  virtual events::FeedPosition end() const = 0;
  virtual Result<events::FeedPage> read_after(events::FeedPosition position,
                                              std::size_t count_max) = 0;
  virtual bool wait_beyond(events::FeedPosition position, const std::stop_token& stop,
                           std::chrono::milliseconds timeout) = 0;

  /// The oldest position that can be read from, where `lost` cannot any more
  /// (not_found). Errors: those of the log.
  virtual Result<events::FeedPosition> oldest_beyond(events::FeedPosition lost) = 0;
};

/// A feed, which is borrowed.
class FeedSource final : public EventSource {
 public:
  explicit FeedSource(events::EventFeed& feed) : feed_(feed) {}

  events::FeedPosition end() const override { return feed_.end(); }
  Result<events::FeedPage> read_after(events::FeedPosition position,
                                      std::size_t count_max) override {
    return feed_.read_after(position, count_max);
  }
  bool wait_beyond(events::FeedPosition position, const std::stop_token& stop,
                   std::chrono::milliseconds timeout) override {
    return feed_.wait_beyond(position, stop, timeout);
  }
  /// Logs are cleaned from their beginning on: it is looked for by halving.
  Result<events::FeedPosition> oldest_beyond(events::FeedPosition lost) override;

 private:
  events::EventFeed& feed_;
};

}  // namespace lakemill::notify
