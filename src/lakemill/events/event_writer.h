#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "lakemill/events/event_bus.h"
#include "lakemill/events/event_log.h"

namespace lakemill::events {

struct EventWriterOptions {
  /// Told once when writing begins to fail, and at the end if events are lost.
  /// May be called from another thread. May be empty.
  std::function<void(const Error&)> on_problem;
  /// An event waits at most this long for others to be written with.
  std::chrono::milliseconds group_delay{1'000};
  std::size_t group_events_max = 1'000;
  /// Beyond it the oldest of the least level are left out, and counted in an event
  /// `notices_dropped`.
  std::size_t queue_events_max = 50'000;
};

/// What a process tells: takes events at once, and writes them in groups from a thread
/// of its own. One per process; its id is a UUID. That storage fails never fails who
/// brings events: groups are tried again until the writer goes.
///
/// Borrows the log, which must outlive it.
/// Thread-safety: concurrent calls are allowed.
class EventWriter {
 public:
  EventWriter(EventLog& log, EventWriterOptions options);
  /// Writes what is left; tries once.
  ~EventWriter();
  EventWriter(const EventWriter&) = delete;
  EventWriter& operator=(const EventWriter&) = delete;

  const std::string& id() const { return id_; }

  /// Gives the event its identity and time, tells followers (in its stored_form()), and
  /// returns its id, for others to name as their cause. Never waits for storage.
  std::string add(Event event);

  /// Returns when all that was added before is written, or at the first attempt that
  /// fails, with its error.
  Status flush();

  /// Follows events of this process; see EventBus for the rules of callbacks.
  [[nodiscard]] EventBus::Subscription subscribe(EventBus::Callback callback);

 private:
  static constexpr std::size_t kLevels = 4;

  void enqueue(Event& event);              // with mutex_ held
  void make_room();                        // with mutex_ held
  std::size_t queued() const;              // with mutex_ held
  std::optional<EventGroup> take_group();  // with mutex_ held
  void tell_dropped();                     // with mutex_ held
  void run(const std::stop_token& stop);
  void try_to_write(EventGroup& group);
  void finish();

  EventLog& log_;
  const EventWriterOptions options_;
  const std::string id_;
  EventBus bus_;

  std::mutex mutex_;
  std::condition_variable_any work_;      // there is something to write, or a flush
  std::condition_variable_any answered_;  // an attempt has ended
  std::array<std::deque<Event>, kLevels> queues_;  // by level; guarded by mutex_
  std::int64_t next_sequence_ = 0;                 // guarded by mutex_
  std::int64_t dropped_ = 0;                       // not told yet; guarded by mutex_
  std::int64_t settled_ = 0;      // all events before it are written; guarded by mutex_
  std::int64_t flush_to_ = 0;     // as settled_, wanted by flush(); guarded by mutex_
  std::int64_t flushes_ = 0;      // asked for; guarded by mutex_
  std::int64_t attempts_ = 0;     // ended; guarded by mutex_
  std::optional<Error> failure_;  // of the last attempt; guarded by mutex_

  // Only the writing thread, and the destructor after it; whether there is a pending_
  // is guarded by mutex_.
  std::string chain_{kChainBegin};
  std::optional<EventGroup> pending_;  // taken from the queues, not written yet
  bool problem_told_ = false;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace lakemill::events
