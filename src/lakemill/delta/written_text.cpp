#include "lakemill/delta/written_text.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace lakemill::delta {

std::string date_text(data::Date date) {
  // std::chrono holds years to 32767 only: whole cycles of 400 years are put aside.
  constexpr std::int32_t kCycleDays = 146'097;
  constexpr std::int32_t kCycleYears = 400;
  const std::int32_t cycles = date.days / kCycleDays;
  const std::chrono::year_month_day day{
      std::chrono::sys_days(std::chrono::days(date.days % kCycleDays))};
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u",
                static_cast<int>(day.year()) + cycles * kCycleYears,
                static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
  return text.data();
}

bool in_calendar(const data::Value& value) {
  constexpr std::int32_t kFirstDay = -719'162;  // 0001-01-01
  constexpr std::int32_t kLastDay = 2'932'896;  // 9999-12-31
  constexpr std::int64_t kDayMicros = 86'400'000'000;
  if (const auto* date = std::get_if<data::Date>(&value)) {
    return date->days >= kFirstDay && date->days <= kLastDay;
  }
  if (const auto* timestamp = std::get_if<data::Timestamp>(&value)) {
    return timestamp->micros >= kFirstDay * kDayMicros &&
           timestamp->micros < (kLastDay + 1) * kDayMicros;
  }
  return true;
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
