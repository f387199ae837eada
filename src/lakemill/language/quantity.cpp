#include "lakemill/language/quantity.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "lakemill/base/cron.h"
#include "lakemill/base/text.h"
#include "lakemill/base/time_zone.h"

namespace lakemill::language {

namespace {

constexpr double kMicrosMax = 9e18;

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array kDurationUnits{
    Unit{"us", 1.0},     Unit{"ms", 1e3},        Unit{"s", 1e6},
    Unit{"sec", 1e6},    Unit{"second", 1e6},    Unit{"m", 6e7},
    Unit{"min", 6e7},    Unit{"minute", 6e7},    Unit{"h", 3.6e9},
    Unit{"hour", 3.6e9}, Unit{"d", 8.64e10},     Unit{"day", 8.64e10},
    Unit{"w", 6.048e11}, Unit{"week", 6.048e11},
};
constexpr std::array kSizeUnits{
    Unit{"b", 1.0},
    Unit{"byte", 1.0},
    Unit{"k", 1024.0},
    Unit{"kb", 1024.0},
    Unit{"kib", 1024.0},
    Unit{"m", 1048576.0},
    Unit{"mb", 1048576.0},
    Unit{"mib", 1048576.0},
    Unit{"g", 1073741824.0},
    Unit{"gb", 1073741824.0},
    Unit{"gib", 1073741824.0},
    Unit{"t", 1099511627776.0},
    Unit{"tb", 1099511627776.0},
    Unit{"tib", 1099511627776.0},
};

template <std::size_t N>
std::optional<double> factor_of(const std::array<Unit, N>& units,
                                std::string_view name) {
  std::string lower = to_lower(name);
  for (int attempt = 0; attempt < 2; ++attempt) {
    for (const Unit& unit : units) {
      if (unit.name == lower) return unit.factor;
    }
    if (lower.size() < 4 || lower.back() != 's') break;
    lower.pop_back();
  }
  return std::nullopt;
}

// The sum of all "number unit" in `text`; nothing when it is something else.
template <std::size_t N>
std::optional<double> sum_of(std::string_view text, const std::array<Unit, N>& units,
                             double bare_factor) {
  text = trim(text);
  if (text.empty()) return std::nullopt;
  double sum = 0;
  while (!text.empty()) {
    double number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number,
                                      std::chars_format::fixed);
    if (read.ec != std::errc() || number < 0 || !std::isfinite(number)) {
      return std::nullopt;
    }
    text = trim(text.substr(static_cast<std::size_t>(read.ptr - text.data())));
    std::size_t letters = 0;
    while (letters < text.size() && ((text[letters] >= 'a' && text[letters] <= 'z') ||
                                     (text[letters] >= 'A' && text[letters] <= 'Z'))) {
      ++letters;
    }
    if (letters == 0) {
      if (!text.empty() || sum != 0) return std::nullopt;
      return number * bare_factor;
    }
    const auto factor = factor_of(units, text.substr(0, letters));
    if (!factor) return std::nullopt;
    sum += number * *factor;
    text = trim(text.substr(letters));
  }
  return sum;
}

}  // namespace

Result<std::chrono::microseconds> parse_duration(std::string_view text) {
  const auto micros = sum_of(text, kDurationUnits, 1e6);
  if (!micros || *micros > kMicrosMax) {
    return Error(ErrorCode::invalid,
                 "'" + std::string(text) + "' is not a duration like 5m, 1h 30m or 7d");
  }
  return std::chrono::microseconds(static_cast<std::int64_t>(std::llround(*micros)));
}

Result<std::int64_t> parse_size(std::string_view text) {
  const auto bytes = sum_of(text, kSizeUnits, 1);
  if (!bytes || *bytes > kMicrosMax) {
    return Error(ErrorCode::invalid,
                 "'" + std::string(text) + "' is not a size like 512MB or 4GB");
  }
  return static_cast<std::int64_t>(std::llround(*bytes));
}

Status check_cron(std::string_view text) {
  LAKEMILL_TRY(const Cron cron, Cron::parse(text));
  LAKEMILL_TRY(const Instant next, cron.next_after(Instant()));
  static_cast<void>(next);
  return {};
}

Status check_time_zone(std::string_view text) {
  const auto zone = TimeZone::find(text);
  if (zone || zone.error().code() == ErrorCode::unsupported) return {};
  return zone.error();
}

}  // namespace lakemill::language
