#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "lakemill/events/event_log.h"
#include "lakemill/events/feed_position.h"
#include "lakemill/events/ports.h"

namespace lakemill::events {

/// An event at its place in the order of all.
struct FedEvent {
  FeedPosition at;
  std::shared_ptr<const Event> event;
};

/// Events in their order, and where to go on: behind the last of them, or behind what
/// held none.
struct FeedPage {
  std::vector<FedEvent> events;
  FeedPosition end;
};

struct EventFeedOptions {
  /// Told when reading the log begins to fail, from the feed's thread. May be empty.
  std::function<void(const Error&)> on_problem;
  /// Called by the feed's thread before each look at the log. May be empty.
  std::function<void()> before_look;
  /// How often the log is looked at for what other processes wrote, unless nudge() says
  /// that there is something.
  std::chrono::milliseconds look_period{1'000};
  /// What is kept in memory: the newest events, whose rows are at most so large
  /// together. Older ones are read from the log.
  std::size_t events_max = 10'000;
  std::size_t bytes_max = 16U << 20U;
};

/// Every event of a log, by whichever process, once and in one order that is the same
/// for all who ask and each time: that of the log's versions, and in a version that of
/// writer and sequence. Events of one writer keep their order. Consumers keep their own
/// position and may begin anywhere.
///
/// What this process appends comes from memory; what others append from the log. Commits
/// that only rearrange files are passed over. One thread of its own.
///
/// Borrows log and rows, which must outlive it; a log has one feed at a time.
/// Thread-safety: concurrent calls are allowed.
class EventFeed {
 public:
  /// Errors: those of the log.
  static Result<std::unique_ptr<EventFeed>> open(EventLog& log, EventRows& rows,
                                                 EventFeedOptions options);
  ~EventFeed();
  EventFeed(const EventFeed&) = delete;
  EventFeed& operator=(const EventFeed&) = delete;

  /// Behind the newest event that is known: where one begins who wants what comes.
  FeedPosition end() const;

  /// At most `count_max` (> 0) events behind `position`. None: there are none yet; then
  /// go on from the page's end all the same. Rows that are no events are passed over.
  /// Errors: not_found (the log was cleaned: what comes next is gone), those of the
  /// log.
  Result<FeedPage> read_after(FeedPosition position, std::size_t count_max);

  /// Waits until end() is behind `position`: true; false after `timeout` or a stop.
  bool wait_beyond(FeedPosition position, const std::stop_token& stop,
                   std::chrono::milliseconds timeout);

  /// Says that the log may have grown. Returns at once.
  void nudge();

 private:
  struct Kept {
    FedEvent fed;
    std::size_t size_bytes;
  };
  struct Batch {
    std::vector<Kept> events;  ///< without rows that are none
    std::int64_t row_count = 0;
    FeedPosition end;  ///< of the last row
  };

  EventFeed(EventLog& log, EventRows& rows, EventFeedOptions options);
  void hear(delta::Version version, const EventGroup& group);
  void run(const std::stop_token& stop);
  Status look(bool at_store);
  static Batch events_in(const std::string& rows, delta::Version version);
  Result<Batch> read(delta::Version from, delta::Version to, std::int64_t rows_max);
  void keep(Batch batch, delta::Version next);
  void skip_to(delta::Version next);
  // With mutex_ held; what is kept begins at or before `position`.
  FeedPage page_of_kept(FeedPosition position, std::size_t count_max) const;

  EventLog& log_;
  EventRows& rows_;
  const EventFeedOptions options_;

  mutable std::mutex mutex_;
  std::condition_variable_any grown_;   // end_ has moved
  std::condition_variable_any wanted_;  // there is something to look at
  std::deque<Kept> kept_;               // guarded by mutex_
  std::size_t kept_bytes_ = 0;          // guarded by mutex_
  FeedPosition begin_;  // kept_ has all behind it; guarded by mutex_
  FeedPosition end_;    // guarded by mutex_
  /// Rows of groups that this process appended, by version; guarded by mutex_.
  std::map<delta::Version, std::string> own_;
  bool nudged_ = false;          // guarded by mutex_
  delta::Version next_ = 0;      // to look at; only the feed's thread
  bool problem_told_ = false;    // only the feed's thread
  std::jthread thread_;          // last: it uses all of the above
};

}  // namespace lakemill::events
