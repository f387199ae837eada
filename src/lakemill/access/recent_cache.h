#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "lakemill/base/clock.h"

namespace lakemill::access {

/// What was read from the store a short while ago: so many at most, and none that is
/// older than `age_max` counted from before it was read, by the clock that never goes
/// back. So what another process changes counts no later than that.
///
/// Thread-safe; no call waits for anything but the others.
template <typename Value>
class RecentCache {
 public:
  /// `clock` outlives it.
  RecentCache(Clock& clock, std::size_t count_max, std::chrono::microseconds age_max)
      : clock_(clock), count_max_(count_max), age_max_(age_max) {}

  /// The moment before something is read.
  struct Moment {
    std::chrono::microseconds at{};
    std::uint64_t drops = 0;
  };
  Moment begin() const {
    const std::lock_guard lock(mutex_);
    return {clock_.elapsed(), drops_};
  }

  /// Keeps what was read since `moment`, unless something was dropped meanwhile: it may
  /// have been this.
  void keep(const std::string& key, Value value, const Moment& moment) {
    const std::lock_guard lock(mutex_);
    if (drops_ != moment.drops) return;
    if (entries_.size() >= count_max_ && !entries_.contains(key)) make_room();
    entries_.insert_or_assign(key, Entry{std::move(value), moment.at});
  }

  /// Replaces what is kept under `key`, and makes it no newer, unless something was
  /// dropped since `moment`.
  void amend(const std::string& key, Value value, const Moment& moment) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (drops_ != moment.drops || found == entries_.end()) return;
    found->second.value = std::move(value);
  }

  std::optional<Value> find(const std::string& key) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end()) return std::nullopt;
    if (clock_.elapsed() - found->second.at >= age_max_) return std::nullopt;
    return found->second.value;
  }

  void drop(const std::string& key) {
    const std::lock_guard lock(mutex_);
    ++drops_;
    entries_.erase(key);
  }

  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
  }

 private:
  struct Entry {
    Value value;
    std::chrono::microseconds at;
  };

  // Removes what is too old, or else the oldest.
  void make_room() {
    const auto now = clock_.elapsed();
    std::erase_if(entries_,
                  [&](const auto& entry) { return now - entry.second.at >= age_max_; });
    if (entries_.size() < count_max_) return;
    entries_.erase(std::min_element(
        entries_.begin(), entries_.end(), [](const auto& left, const auto& right) {
          return left.second.at < right.second.at;
        }));
  }

  Clock& clock_;
  const std::size_t count_max_;
  const std::chrono::microseconds age_max_;
  mutable std::mutex mutex_;
  std::uint64_t drops_ = 0;               // guarded by mutex_
  std::map<std::string, Entry> entries_;  // guarded by mutex_
};

}  // namespace lakemill::access
