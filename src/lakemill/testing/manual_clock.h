#pragma once

#include <mutex>

#include "lakemill/base/clock.h"

namespace lakemill::testkit {

/// A clock that stands still until told to move. Thread-safe.
class ManualClock final : public Clock {
 public:
  /// Stands at 2026-01-01T00:00:00Z.
  ManualClock();
  explicit ManualClock(Instant now) : now_(now) {}

  Instant now() override;
  std::chrono::microseconds elapsed() override;

  /// Both clocks go on.
  void advance(std::chrono::microseconds step);
  /// Only the wall clock is changed; it may go back.
  void set(Instant now);

 private:
  std::mutex mutex_;
  Instant now_;                           // guarded by mutex_
  std::chrono::microseconds elapsed_{0};  // guarded by mutex_
};

}  // namespace lakemill::testkit
