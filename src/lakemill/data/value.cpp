#include "lakemill/data/value.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <limits>

#include "lakemill/base/clock.h"

namespace lakemill::data {

namespace {

struct CalendarDay {
  std::string text;  // "2024-02-29"; years have at least four digits
  std::string era;   // " (BC)" or nothing
};

// Of any day, also those whose year std::chrono has no place for.
CalendarDay calendar_day(std::int64_t days_since_1970) {
  constexpr std::int64_t kDaysOf400Years = 146'097;
  std::int64_t cycles = days_since_1970 / kDaysOf400Years;
  std::int64_t days = days_since_1970 % kDaysOf400Years;
  if (days < 0) {
    days += kDaysOf400Years;
    --cycles;
  }
  const std::chrono::year_month_day date{
      std::chrono::sys_days(std::chrono::days(days))};
  const std::int64_t year = static_cast<int>(date.year()) + cycles * 400;
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%04lld-%02u-%02u",
                static_cast<long long>(year > 0 ? year : 1 - year),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return {text.data(), year > 0 ? "" : " (BC)"};
}

struct ToText {
  std::string operator()(std::monostate) const { return "NULL"; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(std::int64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const {
    std::array<char, 40> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
    return {text.data(), end.ptr};
  }
  std::string operator()(const std::string& value) const { return value; }
  std::string operator()(Date value) const {
    const std::int32_t infinity = std::numeric_limits<std::int32_t>::max();
    if (value.days == infinity) return "infinity";
    if (value.days == -infinity) return "-infinity";
    const CalendarDay day = calendar_day(value.days);
    return day.text + day.era;
  }
  std::string operator()(Timestamp value) const {
    const std::int64_t infinity = std::numeric_limits<std::int64_t>::max();
    if (value.micros == infinity) return "infinity";
    if (value.micros == -infinity) return "-infinity";
    const std::chrono::microseconds since(value.micros);
    const auto days = std::chrono::floor<std::chrono::days>(since);
    // Any day has the same clock: one that an instant can show.
    const std::string clock =
        format_instant(Instant(since - days)).substr(11);  // "10:00:00.000000Z"
    const CalendarDay day = calendar_day(days.count());
    std::string text = day.text + " " + clock.substr(0, clock.size() - 1);
    if (text.ends_with(".000000")) text.resize(text.size() - 7);
    return text + day.era;
  }
  std::string operator()(const Decimal& value) const { return value.digits; }
  std::string operator()(const Binary& value) const {
    std::string text;
    for (const char byte : value.bytes) {
      std::array<char, 8> hex{};
      std::snprintf(hex.data(), hex.size(), "\\x%02X",
                    static_cast<unsigned>(static_cast<unsigned char>(byte)));
      text += hex.data();
    }
    return text;
  }
};

}  // namespace

std::string to_text(const Value& value) { return std::visit(ToText{}, value); }

}  // namespace lakemill::data
