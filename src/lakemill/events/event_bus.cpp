#include "lakemill/events/event_bus.h"

#include <utility>

namespace lakemill::events {

struct EventBus::Subscription::Followers {
  std::mutex mutex;
  std::map<std::uint64_t, Callback> callbacks;  // guarded by mutex
  std::uint64_t next_key = 1;                   // guarded by mutex
};

EventBus::EventBus() : followers_(std::make_shared<Subscription::Followers>()) {}

EventBus::~EventBus() = default;

EventBus::Subscription EventBus::subscribe(Callback callback) {
  const std::lock_guard lock(followers_->mutex);
  const auto key = followers_->next_key++;
  followers_->callbacks.emplace(key, std::move(callback));
  return {followers_, key};
}

void EventBus::publish(Event& event, const std::function<void(Event&)>& prepare) {
  const std::lock_guard lock(followers_->mutex);
  prepare(event);
  for (const auto& [key, callback] : followers_->callbacks) callback(event);
}

EventBus::Subscription::Subscription(std::weak_ptr<Followers> followers,
                                     std::uint64_t key)
    : followers_(std::move(followers)), key_(key) {}

EventBus::Subscription::Subscription(Subscription&& other) noexcept
    : followers_(std::move(other.followers_)), key_(std::exchange(other.key_, 0)) {}

EventBus::Subscription& EventBus::Subscription::operator=(
    Subscription&& other) noexcept {
  if (this != &other) {
    end();
    followers_ = std::move(other.followers_);
    key_ = std::exchange(other.key_, 0);
  }
  return *this;
}

EventBus::Subscription::~Subscription() { end(); }

void EventBus::Subscription::end() {
  if (const auto followers = followers_.lock()) {
    const std::lock_guard lock(followers->mutex);
    followers->callbacks.erase(key_);
  }
  followers_.reset();
}

}  // namespace lakemill::events
