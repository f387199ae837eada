#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "lakemill/base/result.h"

namespace lakemill {

/// A point in time, UTC, in microseconds since 1970.
using Instant = std::chrono::sys_time<std::chrono::microseconds>;

/// Where time comes from. Nobody calls the system's clock directly, so that tests can
/// hold time still.
///
/// Thread-safety: implementations allow concurrent calls.
class Clock {
 public:
  virtual ~Clock() = default;

  /// The wall clock. May go back.
  virtual Instant now() = 0;

  /// Time since an arbitrary start; never goes back.
  virtual std::chrono::microseconds elapsed() = 0;
};

/// The machine's own clock.
class SystemClock final : public Clock {
 public:
  Instant now() override;
  std::chrono::microseconds elapsed() override;
};

/// "2026-01-31T23:59:59.123456Z".
std::string format_instant(Instant instant);

/// Reads ISO 8601: a date, or a date and a time ('T' or space), a fraction, and "Z" or
/// an offset; without an offset it is UTC. Errors: invalid.
Result<Instant> parse_instant(std::string_view text);

/// Milliseconds since 1970, as Delta counts.
std::int64_t to_epoch_ms(Instant instant);

}  // namespace lakemill
