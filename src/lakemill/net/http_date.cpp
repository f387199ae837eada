#include "lakemill/net/http_date.h"

#include <array>
#include <charconv>
#include <cstdio>

namespace lakemill::net {

namespace {

constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
constexpr std::size_t kDateSize = 29;

std::optional<int> number_at(std::string_view text, std::size_t at, std::size_t size) {
  int number = 0;
  const char* begin = text.data() + at;
  const auto [end, fault] = std::from_chars(begin, begin + size, number);
  if (fault != std::errc() || end != begin + size || number < 0) return std::nullopt;
  return number;
}

}  // namespace

std::optional<Instant> parse_http_date(std::string_view text) {
  if (text.size() != kDateSize || !text.ends_with(" GMT")) return std::nullopt;
  const auto day = number_at(text, 5, 2);
  const std::size_t month = kMonths.find(text.substr(8, 3));
  const auto year = number_at(text, 12, 4);
  const auto hour = number_at(text, 17, 2);
  const auto minute = number_at(text, 20, 2);
  const auto second = number_at(text, 23, 2);
  if (!day || !year || !hour || !minute || !second || month % 3 != 0 ||
      month == std::string_view::npos || *hour > 23 || *minute > 59 || *second > 60) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{
      std::chrono::year(*year),
      std::chrono::month(static_cast<unsigned>(month / 3 + 1)),
      std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return Instant(std::chrono::sys_days(date)) + std::chrono::hours(*hour) +
         std::chrono::minutes(*minute) + std::chrono::seconds(*second);
}

std::string format_http_date(Instant instant) {
  constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
  const auto seconds = std::chrono::floor<std::chrono::seconds>(instant);
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(seconds - day);
  const std::size_t weekday = std::chrono::weekday(day).c_encoding();
  const std::size_t month = static_cast<unsigned>(date.month()) - 1;
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.3s, %02u %.3s %04d %02d:%02d:%02d GMT",
                kDays.data() + 3 * weekday, static_cast<unsigned>(date.day()),
                kMonths.data() + 3 * month, static_cast<int>(date.year()),
                static_cast<int>(time.hours().count()),
                static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return text.data();
}

}  // namespace lakemill::net
