#pragma once

#include <array>
#include <bitset>
#include <string_view>

#include "lakemill/base/clock.h"

namespace lakemill {

/// A schedule in cron's five fields: minute, hour, day of month, month, day of week.
/// Fields take `*`, numbers, names (JAN, MON), ranges, lists and steps; where both days
/// are restricted, either will do, as in cron. `@hourly`, `@daily`, `@weekly`,
/// `@monthly` and `@yearly` are known. UTC.
class Cron {
 public:
  /// Errors: invalid, naming the field.
  static Result<Cron> parse(std::string_view text);

  /// The first instant after `instant` that fits. Errors: invalid (no day ever fits,
  /// as the 30th of February).
  Result<Instant> next_after(Instant instant) const;

 private:
  bool fits_day(std::chrono::sys_days day) const;

  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;
  std::bitset<13> months_;
  std::bitset<7> weekdays_;
  bool any_day_ = true;
  bool any_weekday_ = true;
};

}  // namespace lakemill
