#include "lakemill/base/wall_time.h"

#include <array>
#include <cstdio>

namespace lakemill {

std::string format_wall_time(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time) -
                                    day);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text.data();
}

std::string format_offset(std::chrono::seconds offset) {
  const std::chrono::hh_mm_ss clock(offset);
  const auto seconds = static_cast<int>(clock.seconds().count());
  std::array<char, 64> text{};
  std::snprintf(
      text.data(), text.size(), seconds == 0 ? "%c%02d:%02d" : "%c%02d:%02d:%02d",
      clock.is_negative() ? '-' : '+', static_cast<int>(clock.hours().count()),
      static_cast<int>(clock.minutes().count()), seconds);
  return text.data();
}

}  // namespace lakemill
