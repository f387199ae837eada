// A log in memory, a receiver and a store for the tests of subscriptions.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "lakemill/notify/subscription.h"
#include "lakemill/testing/manual_clock.h"
#include "lakemill/testing/matchers.h"
#include "lakemill/testing/memory_store.h"

namespace lakemill::notify {

inline constexpr const char* kPositionPath =
    "_lakemill/subscriptions/ops/position.json";

/// Events that are made when they are read, and counted while anybody holds them.
/// Version v has the events 2v and 2v + 1. Thread-safe.
class FakeLog final : public EventSource {
 public:
  using Make = std::function<events::Event(std::int64_t number)>;
  explicit FakeLog(Make make) : make_(std::move(make)) {}

  static events::FeedPosition position_of(std::int64_t number) {
    return {number / 2, static_cast<std::int32_t>(number % 2) + 1};
  }

  void grow(std::int64_t count) {
    const std::lock_guard lock(mutex_);
    count_ += count;
    grown_.notify_all();
  }
  /// Versions before `version` are cleaned away.
  void clean(std::int64_t version) {
    const std::lock_guard lock(mutex_);
    oldest_ = version;
  }
  std::int64_t held() const { return *held_; }
  std::int64_t most_held() const { return *most_held_; }

  events::FeedPosition end() const override {
    const std::lock_guard lock(mutex_);
    return end_of(count_);
  }
  Result<events::FeedPage> read_after(events::FeedPosition position,
                                      std::size_t count_max) override {
    const std::lock_guard lock(mutex_);
    if (fails) return Error(ErrorCode::unavailable, "no engine");
    if (position.version < oldest_) {
      return Error(ErrorCode::not_found, "version was cleaned away");
    }
    events::FeedPage page;
    for (std::int64_t number = number_behind(position); number < count_; ++number) {
      if (page.events.size() == count_max) {
        page.end = page.events.back().at;
        return page;
      }
      page.events.push_back({position_of(number), counted(number)});
    }
    page.end = std::max(position, end_of(count_));
    return page;
  }
  bool wait_beyond(events::FeedPosition position, const std::stop_token& stop,
                   std::chrono::milliseconds timeout) override {
    std::unique_lock lock(mutex_);
    return grown_.wait_for(lock, stop, timeout,
                           [&] { return position < end_of(count_); });
  }
  Result<events::FeedPosition> oldest_beyond(events::FeedPosition) override {
    const std::lock_guard lock(mutex_);
    return events::FeedPosition{oldest_, 0};
  }

  std::atomic<bool> fails = false;

 private:
  static events::FeedPosition end_of(std::int64_t count) {
    return count == 0 ? events::FeedPosition{} : position_of(count - 1);
  }
  static std::int64_t number_behind(events::FeedPosition position) {
    return position.version * 2 + position.index;
  }
  std::shared_ptr<const events::Event> counted(std::int64_t number) {
    events::Event made = make_(number);
    made.writer = "w";
    made.sequence = number;
    const auto held = held_;
    const auto now_held = ++*held;
    if (now_held > *most_held_) *most_held_ = now_held;
    return {new events::Event(events::stored_form(std::move(made))),
            [held](const events::Event* gone) {
              delete gone;
              --*held;
            }};
  }

  const Make make_;
  mutable std::mutex mutex_;
  std::condition_variable_any grown_;
  std::int64_t count_ = 0;   // guarded by mutex_
  std::int64_t oldest_ = 0;  // guarded by mutex_
  // Events may outlive the log.
  std::shared_ptr<std::atomic<std::int64_t>> held_ =
      std::make_shared<std::atomic<std::int64_t>>(0);
  std::shared_ptr<std::atomic<std::int64_t>> most_held_ =
      std::make_shared<std::atomic<std::int64_t>>(0);
};

/// What has come, and how it is answered. Thread-safe.
class FakeReceiver final : public Target {
 public:
  DeliveryOutcome deliver(const Delivery& delivery, std::stop_token stop) override {
    {
      const std::lock_guard lock(mutex_);
      came.push_back(delivery.event.event->sequence);
      attempts.push_back(delivery.attempt);
    }
    return answer ? answer(delivery, stop) : DeliveryOutcome{};
  }
  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return came.size();
  }

  std::function<DeliveryOutcome(const Delivery&, const std::stop_token&)> answer;
  std::mutex mutex_;
  std::vector<std::int64_t> came;      // numbers of events; guarded by mutex_
  std::vector<std::int64_t> attempts;  // of those; guarded by mutex_
};

class FakeObserver final : public SubscriptionObserver {
 public:
  void on_dead_letter(const std::string& name, const DeadLetter& letter) override {
    const std::lock_guard lock(mutex_);
    told.push_back(name + " dead " + events::id_of(*letter.event.event) + " " +
                   std::to_string(letter.attempts) + " " + letter.error);
  }
  void on_reset(const std::string& name, events::FeedPosition from,
                events::FeedPosition to) override {
    const std::lock_guard lock(mutex_);
    told.push_back(name + " reset " + events::to_text(from) + " " +
                   events::to_text(to));
  }
  void on_problem(const std::string& name, const Error& error) override {
    const std::lock_guard lock(mutex_);
    told.push_back(name + " problem " + error.message());
  }

  std::mutex mutex_;
  std::vector<std::string> told;  // guarded by mutex_
};

}  // namespace lakemill::notify
