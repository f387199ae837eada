#include "lakemill/base/cron.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>
#include <string>

#include "lakemill/base/text.h"

namespace lakemill {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kWeekdays = {"sun", "mon", "tue", "wed",
                                                       "thu", "fri", "sat"};

struct Alias {
  std::string_view name, fields;
};
constexpr std::array kAliases = {
    Alias{"@hourly", "0 * * * *"},   Alias{"@daily", "0 0 * * *"},
    Alias{"@midnight", "0 0 * * *"}, Alias{"@weekly", "0 0 * * 0"},
    Alias{"@monthly", "0 0 1 * *"},  Alias{"@yearly", "0 0 1 1 *"},
    Alias{"@annually", "0 0 1 1 *"}};

/// A field: what it is called, its bounds, and names for its numbers from `low` on.
struct Field {
  std::string_view what;
  int low, high;
  std::span<const std::string_view> names;
};

std::optional<int> number_of(std::string_view text, const Field& field) {
  for (std::size_t i = 0; i < field.names.size(); ++i) {
    if (equals_ignoring_case(text, field.names[i])) {
      return field.low + static_cast<int>(i);
    }
  }
  int number = 0;
  const auto [end, fault] = std::from_chars(text.begin(), text.end(), number);
  if (fault != std::errc() || end != text.end()) return std::nullopt;
  return number;
}

Error wrong(const Field& field, std::string_view text) {
  return {ErrorCode::invalid, "'" + std::string(text) + "' is no " +
                                  std::string(field.what) + " of a cron expression (" +
                                  std::to_string(field.low) + " to " +
                                  std::to_string(field.high) + ")"};
}

// One part of a list: `*`, `5`, `1-5`, each with `/step`.
template <std::size_t N>
Status add_part(std::string_view part, const Field& field, std::bitset<N>& set) {
  int step = 1;
  std::string_view range = part;
  const auto slash = part.find('/');
  if (slash != std::string_view::npos) {
    const auto given = number_of(part.substr(slash + 1), {field.what, 0, 0, {}});
    if (!given || *given < 1) return wrong(field, part);
    step = std::min(*given, field.high + 1);  // no sum overflows
    range = part.substr(0, slash);
  }
  int first = field.low;
  int last = field.high;
  if (range != "*") {
    const auto dash = range.find('-');
    const auto from = number_of(range.substr(0, dash), field);
    const auto to = dash == std::string_view::npos
                        ? (slash == std::string_view::npos ? from : field.high)
                        : number_of(range.substr(dash + 1), field);
    if (!from || !to || *from < field.low || *to > field.high || *from > *to) {
      return wrong(field, part);
    }
    first = *from;
    last = *to;
  }
  for (int i = first; i <= last; i += step) set.set(static_cast<std::size_t>(i) % N);
  return {};
}

template <std::size_t N>
Status fill(std::string_view text, const Field& field, std::bitset<N>& set) {
  for (const std::string& part : split(text, ',')) {
    LAKEMILL_TRY_OK(add_part(part, field, set));
  }
  return {};
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (const std::string& word : split(text, ' ')) {
    if (!word.empty()) words.push_back(word);
  }
  return words;
}

}  // namespace

Result<Cron> Cron::parse(std::string_view text) {
  std::string_view fields = trim(text);
  for (const Alias& alias : kAliases) {
    if (equals_ignoring_case(fields, alias.name)) fields = alias.fields;
  }
  const std::vector<std::string> words = words_of(fields);
  if (words.size() != 5) {
    return Error(ErrorCode::invalid,
                 "'" + std::string(text) +
                     "' is no cron expression: it has five fields (minute, hour, day "
                     "of month, month, day of week), as in \"0 6 * * MON-FRI\"");
  }
  Cron cron;
  LAKEMILL_TRY_OK(fill(words[0], Field{"minute", 0, 59, {}}, cron.minutes_));
  LAKEMILL_TRY_OK(fill(words[1], Field{"hour", 0, 23, {}}, cron.hours_));
  LAKEMILL_TRY_OK(fill(words[2], Field{"day of month", 1, 31, {}}, cron.days_));
  LAKEMILL_TRY_OK(fill(words[3], Field{"month", 1, 12, kMonths}, cron.months_));
  LAKEMILL_TRY_OK(
      fill(words[4], Field{"day of week", 0, 7, kWeekdays}, cron.weekdays_));
  cron.any_day_ = words[2].starts_with('*');
  cron.any_weekday_ = words[4].starts_with('*');
  cron.has_fixed_time_ = !words[0].starts_with('*') && !words[1].starts_with('*');
  return cron;
}

bool Cron::fits_day(std::chrono::local_days day) const {
  const std::chrono::year_month_day date(day);
  if (!months_.test(static_cast<unsigned>(date.month()))) return false;
  const bool by_day = days_.test(static_cast<unsigned>(date.day()));
  const bool by_weekday = weekdays_.test(std::chrono::weekday(day).c_encoding());
  if (any_day_ || any_weekday_) return by_day && by_weekday;
  return by_day || by_weekday;
}

Result<WallTime> Cron::next_after(WallTime time) const {
  using std::chrono::days, std::chrono::hours, std::chrono::minutes;
  const auto first = std::chrono::floor<minutes>(time) + minutes(1);
  auto day = std::chrono::floor<days>(first);
  for (const auto end = day + kCronYearsMax; day < end; day += days(1)) {
    if (!fits_day(day)) continue;
    for (std::size_t hour = 0; hour < hours_.size(); ++hour) {
      if (!hours_.test(hour) || day + hours(hour + 1) <= first) continue;
      for (std::size_t minute = 0; minute < minutes_.size(); ++minute) {
        const auto found = day + hours(hour) + minutes(minute);
        if (minutes_.test(minute) && found >= first) return WallTime(found);
      }
    }
  }
  return Error(ErrorCode::invalid, "no day ever fits the cron expression");
}

Result<Instant> Cron::next_after(Instant instant) const {
  LAKEMILL_TRY(const WallTime found, next_after(WallTime(instant.time_since_epoch())));
  return Instant(found.time_since_epoch());
}

}  // namespace lakemill
