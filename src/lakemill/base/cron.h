#pragma once

#include <array>
#include <bitset>
#include <string_view>

#include "lakemill/base/clock.h"
#include "lakemill/base/wall_time.h"

namespace lakemill {

/// Within so many years every expression that can fit has fitted: the 29th of February
/// comes back on the same day of the week within 40 years.
constexpr std::chrono::years kCronYearsMax{41};

/// A schedule in cron's five fields: minute, hour, day of month, month, day of week.
/// Fields take `*`, numbers, names (JAN, MON), ranges, lists and steps; where both days
/// are restricted, either will do, as in cron. `@hourly`, `@daily`, `@weekly`,
/// `@monthly` and `@yearly` are known. What the fields mean is a time on clocks; which
/// instant that is, CronInZone tells.
class Cron {
 public:
  /// Errors: invalid, naming the field.
  static Result<Cron> parse(std::string_view text);

  /// The first time after `time` that fits. Errors: invalid (no day ever fits, as the
  /// 30th of February).
  Result<WallTime> next_after(WallTime time) const;

  /// The same for clocks that show UTC.
  Result<Instant> next_after(Instant instant) const;

  /// Whether it means times of day: neither minute nor hour begins with a star.
  bool has_fixed_time() const { return has_fixed_time_; }

 private:
  bool fits_day(std::chrono::local_days day) const;

  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;
  std::bitset<13> months_;
  std::bitset<7> weekdays_;
  bool any_day_ = true;
  bool any_weekday_ = true;
  bool has_fixed_time_ = false;
};

}  // namespace lakemill
