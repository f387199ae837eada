#include "lakemill/delta/table_properties.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

#include "lakemill/base/text.h"

namespace lakemill::delta {

namespace {

constexpr std::int64_t kDayMs = 24LL * 60 * 60 * 1000;
constexpr std::int64_t kDeletedFileRetentionDefaultMs = 7 * kDayMs;
constexpr std::int64_t kLogRetentionDefaultMs = 30 * kDayMs;
constexpr std::int64_t kDurationMaxMs = 1000LL * 365 * kDayMs;
constexpr std::int64_t kCheckpointIntervalDefault = 10;

struct Unit {
  std::string_view name;
  std::int64_t size;
};
constexpr std::array kTimeUnits = {
    Unit{"week", 604'800'000}, Unit{"day", 86'400'000}, Unit{"hour", 3'600'000},
    Unit{"minute", 60'000},    Unit{"second", 1'000},   Unit{"millisecond", 1},
    Unit{"microsecond", 0},
};
constexpr std::array kSizeUnits = {
    Unit{"", 1},           Unit{"b", 1},          Unit{"k", 1LL << 10},
    Unit{"kb", 1LL << 10}, Unit{"m", 1LL << 20},  Unit{"mb", 1LL << 20},
    Unit{"g", 1LL << 30},  Unit{"gb", 1LL << 30}, Unit{"t", 1LL << 40},
    Unit{"tb", 1LL << 40},
};

const std::string* find_property(const Metadata& metadata, const char* name) {
  const auto found = metadata.configuration.find(name);
  return found == metadata.configuration.end() ? nullptr : &found->second;
}

// A number that is not negative, and what stands behind it.
std::optional<std::pair<std::int64_t, std::string_view>> leading_number(
    std::string_view text) {
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc() || number < 0) return std::nullopt;
  return std::pair(number,
                   text.substr(static_cast<std::size_t>(read.ptr - text.data())));
}

// "interval 1 week", "7 days", "interval 36 hours 30 minutes".
std::optional<std::int64_t> duration_ms(std::string_view text) {
  std::vector<std::string> words = split(to_lower(text), ' ');
  std::erase_if(words,
                [](const auto& word) { return word.empty() || word == "interval"; });
  if (words.empty() || words.size() % 2 != 0) return std::nullopt;
  std::int64_t total = 0;
  for (std::size_t i = 0; i < words.size(); i += 2) {
    const auto count = leading_number(words[i]);
    std::string_view name = words[i + 1];
    if (name.ends_with('s')) name.remove_suffix(1);
    const auto* unit = std::ranges::find(kTimeUnits, name, &Unit::name);
    if (!count || !count->second.empty() || unit == kTimeUnits.end()) {
      return std::nullopt;
    }
    total +=
        std::min(count->first, kDurationMaxMs / std::max<std::int64_t>(unit->size, 1)) *
        unit->size;
  }
  return total;
}

std::int64_t duration_property(const Metadata& metadata, const char* name,
                               std::int64_t fallback) {
  const std::string* text = find_property(metadata, name);
  return text == nullptr ? fallback : duration_ms(*text).value_or(fallback);
}

}  // namespace

std::int64_t deleted_file_retention_ms(const Metadata& metadata) {
  return duration_property(metadata, "delta.deletedFileRetentionDuration",
                           kDeletedFileRetentionDefaultMs);
}

std::int64_t log_retention_ms(const Metadata& metadata) {
  return duration_property(metadata, "delta.logRetentionDuration",
                           kLogRetentionDefaultMs);
}

bool log_cleanup_enabled(const Metadata& metadata) {
  const std::string* text = find_property(metadata, "delta.enableExpiredLogCleanup");
  return text == nullptr || !equals_ignoring_case(*text, "false");
}

std::int64_t checkpoint_interval(const Metadata& metadata) {
  const std::string* text = find_property(metadata, "delta.checkpointInterval");
  if (text == nullptr) return kCheckpointIntervalDefault;
  const auto number = leading_number(*text);
  return number && number->first > 0 ? number->first : kCheckpointIntervalDefault;
}

std::int64_t target_file_bytes(const Metadata& metadata, std::int64_t fallback) {
  const std::string* text = find_property(metadata, "delta.targetFileSize");
  if (text == nullptr) return fallback;
  const auto number = leading_number(*text);
  if (!number || number->first == 0) return fallback;
  const std::string name = to_lower(trim(number->second));
  const auto* unit = std::ranges::find(kSizeUnits, name, &Unit::name);
  if (unit == kSizeUnits.end() || number->first > (1LL << 50) / unit->size) {
    return fallback;
  }
  return number->first * unit->size;
}

}  // namespace lakemill::delta
