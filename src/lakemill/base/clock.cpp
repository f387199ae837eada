#include "lakemill/base/clock.h"

#include <array>
#include <cstdio>
#include <cstdlib>

namespace lakemill {

namespace {

// Reads digits of a fixed width; false if there are too few.
bool read_digits(std::string_view& text, std::size_t width, int& value) {
  if (text.size() < width) return false;
  value = 0;
  for (std::size_t i = 0; i < width; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(width);
  return true;
}

bool read_char(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// "Z", "+hh", "+hhmm", "+hh:mm" or nothing; minutes east of Greenwich.
bool read_offset(std::string_view& text, int& minutes) {
  minutes = 0;
  if (text.empty() || read_char(text, "Zz")) return true;
  const bool west = text.front() == '-';
  if (!read_char(text, "+-")) return false;
  int hour = 0;
  int minute = 0;
  if (!read_digits(text, 2, hour)) return false;
  read_char(text, ":");
  if (!text.empty() && !read_digits(text, 2, minute)) return false;
  minutes = (hour * 60 + minute) * (west ? -1 : 1);
  return hour <= 18 && minute < 60;
}

bool read_time(std::string_view& text, std::chrono::microseconds& time) {
  int hour = 0;
  int minute = 0;
  int second = 0;
  if (!read_digits(text, 2, hour) || !read_char(text, ":")) return false;
  if (!read_digits(text, 2, minute)) return false;
  if (read_char(text, ":") && !read_digits(text, 2, second)) return false;
  std::int64_t fraction = 0;
  if (read_char(text, ".")) {
    std::int64_t unit = 100'000;
    if (text.empty() || text.front() < '0' || text.front() > '9') return false;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
      fraction += (text.front() - '0') * unit;
      unit /= 10;
      text.remove_prefix(1);
    }
  }
  time = std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second) + std::chrono::microseconds(fraction);
  return hour < 24 && minute < 60 && second < 60;
}

}  // namespace

Instant SystemClock::now() {
  return std::chrono::floor<std::chrono::microseconds>(
      std::chrono::system_clock::now());
}

std::chrono::microseconds SystemClock::elapsed() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now().time_since_epoch());
}

std::string format_instant(Instant instant) {
  const auto day = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(instant - day);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()),
                static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()),
                static_cast<int>(time.subseconds().count()));
  return text.data();
}

Result<Instant> parse_instant(std::string_view text) {
  const std::string original(text);
  const auto wrong = [&] {
    return Error(ErrorCode::invalid,
                 "not an ISO 8601 time (such as 2026-01-31T10:00:00Z): " + original);
  };
  int year = 0;
  int month = 0;
  int day = 0;
  if (!read_digits(text, 4, year) || !read_char(text, "-") ||
      !read_digits(text, 2, month) || !read_char(text, "-") ||
      !read_digits(text, 2, day)) {
    return wrong();
  }
  const std::chrono::year_month_day date{
      std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
      std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return wrong();
  std::chrono::microseconds time{0};
  int offset_minutes = 0;
  if (!text.empty()) {
    if (!read_char(text, "Tt ") || !read_time(text, time)) return wrong();
    read_char(text, " ");
    if (!read_offset(text, offset_minutes) || !text.empty()) return wrong();
  }
  return Instant(std::chrono::sys_days(date)) + time -
         std::chrono::minutes(offset_minutes);
}

std::int64_t to_epoch_ms(Instant instant) {
  return std::chrono::floor<std::chrono::milliseconds>(instant)
      .time_since_epoch()
      .count();
}

}  // namespace lakemill
