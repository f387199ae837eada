#include "lakemill/base/time_zone_rule.h"

#include <algorithm>
#include <string>

namespace lakemill {

namespace {

using std::chrono::hours, std::chrono::minutes, std::chrono::seconds;

constexpr int kYearMax = 9999;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

/// Reads a TZ string from left to right; each function is false if it cannot.
class TimeZoneRule::Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }

  bool character(char wanted) {
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // "CET" or "<+0530>".
  bool name() {
    const bool quoted = character('<');
    std::size_t length = 0;
    while (length < rest_.size() &&
           (is_letter(rest_[length]) ||
            (quoted && (is_digit(rest_[length]) || rest_[length] == '+' ||
                        rest_[length] == '-')))) {
      ++length;
    }
    rest_.remove_prefix(length);
    return length >= 3 && (!quoted || character('>'));
  }

  bool number(int most, int& value) {
    std::size_t length = 0;
    value = 0;
    while (length < rest_.size() && length < 3 && is_digit(rest_[length])) {
      value = value * 10 + (rest_[length] - '0');
      ++length;
    }
    rest_.remove_prefix(length);
    return length > 0 && value <= most;
  }

  // "5", "-5:30", "+10:30:15".
  bool time(int hours_max, seconds& value) {
    const bool is_negative = character('-');
    if (!is_negative) character('+');
    int hour = 0;
    int minute = 0;
    int second = 0;
    if (!number(hours_max, hour)) return false;
    if (character(':')) {
      if (!number(59, minute)) return false;
      if (character(':') && !number(59, second)) return false;
    }
    value = hours(hour) + minutes(minute) + seconds(second);
    if (is_negative) value = -value;
    return true;
  }

  // "M3.5.0/1", "J60", "59/24".
  bool moment(Moment& moment) {
    if (character('M')) {
      int month = 0;
      int week = 0;
      int weekday = 0;
      if (!number(12, month) || !character('.') || !number(5, week) ||
          !character('.') || !number(6, weekday) || month < 1 || week < 1) {
        return false;
      }
      moment.kind = DayKind::weekday_of_month;
      moment.month = static_cast<unsigned>(month);
      moment.week = static_cast<unsigned>(week);
      moment.weekday = static_cast<unsigned>(weekday);
    } else {
      const bool without_leap_day = character('J');
      moment.kind =
          without_leap_day ? DayKind::day_without_leap_day : DayKind::day_from_zero;
      if (!number(365, moment.day)) return false;
      if (without_leap_day && moment.day < 1) return false;
    }
    moment.time = hours(2);
    return !character('/') || time(167, moment.time);
  }

 private:
  std::string_view rest_;
};

Result<TimeZoneRule> TimeZoneRule::parse(std::string_view text) {
  const Error wrong(ErrorCode::corrupt,
                    "'" + std::string(text) + "' is no rule of a time zone");
  TimeZoneRule rule;
  Reader reader(text);
  seconds west{0};
  if (!reader.name() || !reader.time(24, west)) return wrong;
  rule.standard_ = -west;
  if (reader.at_end()) return rule;
  if (!reader.name()) return wrong;
  rule.daylight_ = rule.standard_ + hours(1);
  if (!reader.character(',')) {
    if (!reader.time(24, west) || !reader.character(',')) return wrong;
    rule.daylight_ = -west;
  }
  rule.begin_.emplace();
  if (!reader.moment(*rule.begin_) || !reader.character(',') ||
      !reader.moment(rule.end_) || !reader.at_end()) {
    return wrong;
  }
  return rule;
}

std::chrono::sys_days TimeZoneRule::Moment::day_in(std::chrono::year year) const {
  using std::chrono::days, std::chrono::January, std::chrono::sys_days;
  const sys_days first(year / January / 1);
  switch (kind) {
    case DayKind::weekday_of_month: {
      const std::chrono::weekday wanted(weekday);
      const auto of = year / std::chrono::month(month);
      return week == 5 ? sys_days(of / wanted[std::chrono::last])
                       : sys_days(of / wanted[week]);
    }
    case DayKind::day_without_leap_day:
      return first + days(day - 1 + (year.is_leap() && day >= 60 ? 1 : 0));
    case DayKind::day_from_zero:
      break;
  }
  return first + days(day);
}

std::optional<TimeZoneRule::Changes> TimeZoneRule::changes_around(
    std::chrono::sys_seconds at) const {
  using std::chrono::year, std::chrono::years;
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::sys_days earliest(year(-kYearMax) / 1 / 1);
  const std::chrono::sys_days latest(year(kYearMax) / 12 / 31);
  if (!begin_ || day < earliest || day > latest) return std::nullopt;
  const year middle = std::chrono::year_month_day(day).year();
  Changes changes{};
  std::size_t count = 0;
  for (year each = middle - years(1); each <= middle + years(1); each += years(1)) {
    changes[count++] = {begin_->day_in(each) + begin_->time - standard_, daylight_};
    changes[count++] = {end_.day_in(each) + end_.time - daylight_, standard_};
  }
  // Where one year's daylight saving ends as the next one's begins, the later counts.
  std::ranges::stable_sort(changes, {}, &OffsetChange::at);
  return changes;
}

}  // namespace lakemill
