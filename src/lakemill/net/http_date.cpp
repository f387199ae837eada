#include "lakemill/net/http_date.h"

#include <charconv>
#include <string>

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

}  // namespace lakemill::net
