#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string_view>

#include "lakemill/base/result.h"

namespace lakemill {

/// From `at` on clocks are ahead of UTC by `offset`.
struct OffsetChange {
  std::chrono::sys_seconds at;
  std::chrono::seconds offset;
};

/// When clocks change in every year, as a POSIX TZ string tells it: standard time east
/// of Greenwich is negative there, "CET-1CEST,M3.5.0,M10.5.0/3". With the extensions of
/// RFC 8536, section 3.3.1: names in <>, and times of day from -167 to 167 hours.
class TimeZoneRule {
 public:
  /// A year's two changes, for three years, in order of time.
  using Changes = std::array<OffsetChange, 6>;

  /// Errors: corrupt.
  static Result<TimeZoneRule> parse(std::string_view text);

  std::chrono::seconds standard_offset() const { return standard_; }

  /// The changes of the year of `at` and of the years beside it; nothing if clocks
  /// never change, and outside of the years -9999 to 9999.
  std::optional<Changes> changes_around(std::chrono::sys_seconds at) const;

 private:
  enum class DayKind : std::uint8_t {
    weekday_of_month,      // M3.5.0
    day_without_leap_day,  // J60: always the 1st of March
    day_from_zero          // 59: the 29th of February, or the 1st of March
  };
  struct Moment {
    DayKind kind = DayKind::day_from_zero;
    unsigned month = 0;
    unsigned week = 0;  // 5: the last
    unsigned weekday = 0;
    int day = 0;
    std::chrono::seconds time{0};  // after midnight, by the clocks before the change

    std::chrono::sys_days day_in(std::chrono::year year) const;
  };
  class Reader;

  std::chrono::seconds standard_{0};
  std::chrono::seconds daylight_{0};
  std::optional<Moment> begin_;  // of daylight saving; without it there is none
  Moment end_;
};

}  // namespace lakemill
