#include "lakemill/testing/manual_clock.h"

namespace lakemill::testkit {

ManualClock::ManualClock()
    : now_(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)) {}

Instant ManualClock::now() {
  const std::lock_guard lock(mutex_);
  return now_;
}

std::chrono::microseconds ManualClock::elapsed() {
  const std::lock_guard lock(mutex_);
  return elapsed_;
}

void ManualClock::advance(std::chrono::microseconds step) {
  const std::lock_guard lock(mutex_);
  now_ += step;
  elapsed_ += step;
}

void ManualClock::set(Instant now) {
  const std::lock_guard lock(mutex_);
  now_ = now;
}

}  // namespace lakemill::testkit
