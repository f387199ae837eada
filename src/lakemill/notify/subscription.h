// Delivers the events of a log that a selector passes to one target, each at least once,
// those of one subject in their order.
//
// One thread (that of run()) reads events into a window of bounded size and keeps the
// position; a lane whose subjects have open events has a thread that attempts its oldest
// until it is done, and ends when there is none. An event is done once it is delivered
// or lies with the dead letters, and only then may the kept position pass it: whatever
// dies, an event is at worst delivered again.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "lakemill/base/clock.h"
#include "lakemill/base/random.h"
#include "lakemill/notify/dead_letters.h"
#include "lakemill/notify/delivery_window.h"
#include "lakemill/notify/event_source.h"
#include "lakemill/notify/selector.h"
#include "lakemill/notify/target.h"
#include "lakemill/storage/object_store.h"

namespace lakemill::notify {

/// Attempt k + 1 follows delay_min * 2^(k - 1), at most delay_max, give or take half of
/// it, and no sooner than the receiver asked for. An event is given up where that would
/// be later than total_max after its first attempt.
struct DeliveryRetries {
  std::chrono::milliseconds delay_min{1'000};
  std::chrono::milliseconds delay_max{300'000};
  std::chrono::milliseconds total_max{24 * 3'600'000};
  std::optional<std::int64_t> attempts_max = {};  ///< 1 or more; nothing: no bound
};

struct SubscriptionSpec {
  std::string name;  ///< that of a folder
  Selector selector = {};
  /// Where one begins that has no position yet; nothing: with what comes next.
  std::optional<events::FeedPosition> begin = {};
  DeliveryRetries retries = {};
  WindowLimits limits = {};
};

/// Hears what a subscription cannot do.
///
/// Thread-safety: called by several threads at once. Quick: deliveries wait meanwhile.
class SubscriptionObserver {
 public:
  virtual ~SubscriptionObserver() = default;
  /// An event lies with the dead letters; delivery_failed() is the event to tell. Not
  /// called for events that are `delivery_failed` themselves: two subscriptions that
  /// fail would tell each other without end. May come again after a crash.
  virtual void on_dead_letter(const std::string& subscription,
                              const DeadLetter& letter) = 0;
  /// The log's events behind `from` are gone up to `to`; subscription_reset() is the
  /// event to tell.
  virtual void on_reset(const std::string& subscription, events::FeedPosition from,
                        events::FeedPosition to) = 0;
  /// Events cannot be read or judged, or a position not be kept; told when it begins.
  virtual void on_problem(const std::string& subscription, const Error& error) = 0;
};

/// What a subscription borrows; all outlive it.
struct SubscriptionServices {
  EventSource& source;
  EventPredicates* predicates;  ///< may be null where the selector has no `where`
  storage::ObjectStore& store;  ///< of the project's root
  Target& target;
  Clock& clock;
  Random& random;
  SubscriptionObserver& observer;
};

struct SubscriptionStatus {
  events::FeedPosition position;  ///< all up to it is done
  std::size_t waiting = 0;        ///< read, not done
  bool is_full = false;           ///< no more is read until the oldest is done
  std::int64_t delivered = 0;     ///< since it was opened
  std::int64_t dead_letters = 0;  ///< since it was opened
  std::int64_t failures = 0;      ///< attempts that failed since one succeeded
  std::string last_error;         ///< of an attempt, or a problem; empty: none
  std::optional<Instant> last_error_at;
  std::optional<Instant> last_delivery_at;
};

/// See the top of this file. Its state is `position.json` in subscription_folder(), put
/// at most once a second. Several at one name (in several processes, by mistake or in
/// passing) deliver everything, some of it twice.
///
/// Events about itself (subject "subscription/<name>") are never delivered to it.
///
/// Thread-safety: run() and step() by one thread at a time; all else by any.
class Subscription {
 public:
  /// Reads the position, or writes the one where it begins. Errors: invalid (the name,
  /// or no predicates), corrupt (the position), those of the store.
  static Result<std::unique_ptr<Subscription>> open(SubscriptionSpec spec,
                                                    SubscriptionServices services);
  ~Subscription();
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

  /// Delivers until `stop`; then gives up the attempts that are under way, keeps the
  /// position and returns. May be called again.
  void run(const std::stop_token& stop);

  /// One step on the calling thread, without waiting: reads what has room, makes one
  /// attempt that is due, keeps the position if that is due. For who has one thread for
  /// many. False: there was nothing to read and nothing due.
  bool step(const std::stop_token& stop);

  /// The clock was moved: what is due now is looked at again.
  void wake();

  SubscriptionStatus status() const;

  /// The oldest dead letters behind `after`. Errors: those of DeadLetters.
  Result<std::vector<DeadLetter>> dead_letters(
      std::optional<events::FeedPosition> after, std::size_t count_max);

  /// One more attempt with a dead letter, now, on the calling thread and beside what
  /// is delivered in order; a letter that was delivered is removed. Errors: not_found,
  /// corrupt, unavailable (not delivered; the letter stays), those of the store.
  Status redeliver(events::FeedPosition at, const std::stop_token& stop);

 private:
  /// What can fail for a while.
  enum class Trouble : std::uint8_t { reading, keeping, writing_letters };
  struct Lane {
    std::jthread thread;
    bool is_running = false;  // guarded by mutex_
  };

  Subscription(SubscriptionSpec spec, SubscriptionServices services,
               const Progress& progress);

  // By the thread of run() or step().
  bool read();
  Result<std::vector<events::FedEvent>> selected(
      const std::vector<events::FedEvent>& events);
  Result<std::vector<bool>> judge(std::span<const events::FedEvent> events);
  bool reset(events::FeedPosition lost);
  void start_lanes(std::vector<Lane>& lanes, const std::stop_token& stop);
  void keep_progress(bool at_once);

  // By the thread of a lane.
  void run_lane(Lane& lane, std::size_t index, const std::stop_token& stop);
  void attempt(DeliveryWindow::Entry& entry, const std::stop_token& stop);
  bool deliver(DeliveryWindow::Entry& entry, const std::stop_token& stop);
  void put_dead_letter(DeliveryWindow::Entry& entry);
  // With mutex_ held.
  void note_failure(DeliveryWindow::Entry& entry, DeliveryOutcome outcome);
  void note_error(std::string error);
  std::chrono::microseconds pause_after(std::int64_t attempts);

  void tell(Trouble trouble, const Error& error);
  bool& is_told(Trouble trouble) {  // with mutex_ held
    return told_.at(static_cast<std::size_t>(trouble));
  }

  const SubscriptionSpec spec_;
  const std::string own_subject_;
  SubscriptionServices services_;
  DeadLetters letters_;

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;  // something is done, or the clock was moved
  DeliveryWindow window_;                // guarded by mutex_
  SubscriptionStatus status_;            // guarded by mutex_
  std::int64_t finished_ = 0;            // entries; guarded by mutex_
  std::int64_t wakes_ = 0;               // guarded by mutex_
  std::array<bool, 3> told_{};           // by Trouble; guarded by mutex_

  // Only the thread of run() or step().
  Progress kept_;
  std::int64_t kept_finished_ = 0;
  std::optional<std::chrono::microseconds> kept_at_;
  std::size_t next_lane_ = 0;
};

}  // namespace lakemill::notify
