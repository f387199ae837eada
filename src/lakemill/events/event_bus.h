#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "lakemill/events/event.h"

namespace lakemill::events {

/// Tells events to followers in this process, in order, as they happen.
///
/// Thread-safe. Callbacks run one at a time, on the thread that brings the event: they
/// are quick, and neither publish nor subscribe nor give up a subscription.
class EventBus {
 public:
  using Callback = std::function<void(const Event&)>;

  EventBus();
  ~EventBus();

  /// Ends a subscription when it goes; after that the callback is not called, nor
  /// running. May outlive the bus.
  class Subscription {
   public:
    Subscription() = default;
    Subscription(Subscription&& other) noexcept;
    Subscription& operator=(Subscription&& other) noexcept;
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;
    ~Subscription();

   private:
    friend class EventBus;
    struct Followers;
    Subscription(std::weak_ptr<Followers> followers, std::uint64_t key);
    void end();

    std::weak_ptr<Followers> followers_;
    std::uint64_t key_ = 0;
  };

  [[nodiscard]] Subscription subscribe(Callback callback);

  /// `prepare` completes the event under the bus's lock, so that events reach followers
  /// in the order in which it ran.
  void publish(Event& event, const std::function<void(Event&)>& prepare);

 private:
  std::shared_ptr<Subscription::Followers> followers_;
};

}  // namespace lakemill::events
