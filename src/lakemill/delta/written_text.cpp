#include "lakemill/delta/written_text.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace lakemill::delta {

std::string date_text(data::Date date) {
  const std::chrono::year_month_day day{
      std::chrono::sys_days(std::chrono::days(date.days))};
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u",
                static_cast<int>(day.year()), static_cast<unsigned>(day.month()),
                static_cast<unsigned>(day.day()));
  return text.data();
}

std::optional<std::string> millisecond_text(std::int64_t milliseconds, bool zone) {
  constexpr std::int64_t kFirst = -62'167'219'200'000;  // 0000-01-01
  constexpr std::int64_t kLast = 253'402'300'799'999;   // 9999-12-31
  if (milliseconds < kFirst || milliseconds > kLast) return std::nullopt;
  const std::chrono::sys_time<std::chrono::milliseconds> instant{
      std::chrono::milliseconds(milliseconds)};
  const auto day = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::hh_mm_ss time(instant - day);
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "T%02d:%02d:%02d.%03d%s",
                static_cast<int>(time.hours().count()),
                static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()),
                static_cast<int>(time.subseconds().count()), zone ? "Z" : "");
  const auto days = static_cast<std::int32_t>(day.time_since_epoch().count());
  return date_text(data::Date{days}) + text.data();
}

std::string number_text(double value, bool single) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  std::array<char, 40> text{};
  char* const end = text.data() + text.size();
  const auto written = single
                           ? std::to_chars(text.data(), end, static_cast<float>(value))
                           : std::to_chars(text.data(), end, value);
  return {text.data(), written.ptr};
}

}  // namespace lakemill::delta
