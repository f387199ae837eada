#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/base/clock.h"
#include "lakemill/base/random.h"

namespace lakemill::access {

/// Holds back who tries passwords: kAttemptsMax failures a minute for one name, and for
/// one address; the next attempt closes it for a minute, then for two, four, eight, and
/// at last kClosedMax each time, until there was no attempt for kForgottenAfter.
///
/// Names and addresses share kPlaces places each, by a hash that nobody outside can
/// foresee: memory is bounded, nothing is forgotten because there is much, and two that
/// fall together share their failures. Of this process alone; by the clock that never
/// goes back. An IPv6 address counts as its /64.
///
/// Thread-safe; waits for nothing.
class LoginThrottle {
 public:
  static constexpr int kAttemptsMax = 5;
  static constexpr std::chrono::minutes kWindow{1};
  static constexpr std::chrono::minutes kClosedMax{15};
  static constexpr std::chrono::hours kForgottenAfter{1};
  static constexpr std::size_t kPlaces = 16'384;

  /// `clock` outlives it.
  LoginThrottle(Clock& clock, Random& random);

  /// Counts an attempt, before the password is looked at: it is taken for a failure
  /// until succeeded(). Gives how long to wait, in whole seconds from 1 on; nothing: go
  /// on. An empty name (setup has none) counts for the address alone.
  std::optional<std::chrono::seconds> begin(std::string_view name,
                                            std::string_view address);
  /// The attempt of begin() was none to hold back.
  void succeeded(std::string_view name, std::string_view address);

 private:
  struct Place {
    std::chrono::microseconds window_began{};
    std::chrono::microseconds closed_until{};
    std::chrono::microseconds last{};
    std::int32_t failures = 0;
    std::int32_t closings = 0;
  };

  std::size_t index_of(char kind, std::string_view text) const;
  void refresh(Place& place, std::chrono::microseconds now) const;
  void close_if_full(Place& place, std::chrono::microseconds now) const;

  Clock& clock_;
  const std::string key_;
  std::mutex mutex_;
  std::vector<Place> names_;      // guarded by mutex_
  std::vector<Place> addresses_;  // guarded by mutex_
};

}  // namespace lakemill::access
