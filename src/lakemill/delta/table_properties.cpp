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

enum class PropertyKind : std::uint8_t { flag, count, duration, size, choice, text };

/// A property with a meaning in Delta tables, and what it may be.
struct KnownProperty {
  std::string_view name;
  PropertyKind kind;
  std::string_view choices = "";  ///< "a|b"
};

// Source: DeltaConfigs of Delta for Spark, and PROTOCOL.md.
constexpr std::array kKnownProperties = {
    KnownProperty{"delta.appendOnly", PropertyKind::flag},
    KnownProperty{"delta.autoOptimize", PropertyKind::flag},
    KnownProperty{"delta.autoOptimize.autoCompact", PropertyKind::text},
    KnownProperty{"delta.autoOptimize.optimizeWrite", PropertyKind::flag},
    KnownProperty{"delta.checkpoint.writeStatsAsJson", PropertyKind::flag},
    KnownProperty{"delta.checkpoint.writeStatsAsStruct", PropertyKind::flag},
    KnownProperty{"delta.checkpointInterval", PropertyKind::count},
    KnownProperty{"delta.checkpointPolicy", PropertyKind::choice, "classic"},
    KnownProperty{"delta.columnMapping.mode", PropertyKind::choice, "none|name|id"},
    KnownProperty{"delta.compatibility.symlinkFormatManifest.enabled",
                  PropertyKind::flag},
    KnownProperty{"delta.dataSkippingNumIndexedCols", PropertyKind::text},
    KnownProperty{"delta.dataSkippingStatsColumns", PropertyKind::text},
    KnownProperty{"delta.deletedFileRetentionDuration", PropertyKind::duration},
    KnownProperty{"delta.enableChangeDataFeed", PropertyKind::flag},
    KnownProperty{"delta.enableDeletionVectors", PropertyKind::flag},
    KnownProperty{"delta.enableExpiredLogCleanup", PropertyKind::flag},
    KnownProperty{"delta.enableFullRetentionRollback", PropertyKind::flag},
    KnownProperty{"delta.enableIcebergCompatV1", PropertyKind::flag},
    KnownProperty{"delta.enableIcebergCompatV2", PropertyKind::flag},
    KnownProperty{"delta.enableInCommitTimestamps", PropertyKind::flag},
    KnownProperty{"delta.enableRowTracking", PropertyKind::flag},
    KnownProperty{"delta.enableTypeWidening", PropertyKind::flag},
    KnownProperty{"delta.isolationLevel", PropertyKind::choice,
                  "Serializable|WriteSerializable|SnapshotIsolation"},
    KnownProperty{"delta.logRetentionDuration", PropertyKind::duration},
    KnownProperty{"delta.parquet.compression.codec", PropertyKind::text},
    KnownProperty{"delta.randomizeFilePrefixes", PropertyKind::flag},
    KnownProperty{"delta.randomPrefixLength", PropertyKind::count},
    KnownProperty{"delta.sampleRetentionDuration", PropertyKind::duration},
    KnownProperty{"delta.setTransactionRetentionDuration", PropertyKind::duration},
    KnownProperty{"delta.targetFileSize", PropertyKind::size},
    KnownProperty{"delta.tuneFileSizesForRewrites", PropertyKind::flag},
    KnownProperty{"delta.universalFormat.enabledFormats", PropertyKind::text},
};

// What such a property may be; empty if `value` is.
std::string wanted_value(const KnownProperty& property, const std::string& value) {
  switch (property.kind) {
    case PropertyKind::flag:
      if (equals_ignoring_case(value, "true") || equals_ignoring_case(value, "false")) {
        return "";
      }
      return "true or false";
    case PropertyKind::count: {
      const auto number = leading_number(value);
      if (number && number->first > 0 && number->second.empty()) return "";
      return "a whole number above 0";
    }
    case PropertyKind::duration:
      return duration_ms(value) ? "" : "a duration such as \"interval 7 days\"";
    case PropertyKind::size: {
      const auto number = leading_number(value);
      const std::string unit = number ? to_lower(trim(number->second)) : "?";
      const bool is_size =
          number && number->first > 0 &&
          std::ranges::find(kSizeUnits, unit, &Unit::name) != kSizeUnits.end();
      return is_size ? "" : "a size such as 128mb";
    }
    case PropertyKind::choice: {
      const auto choices = split(property.choices, '|');
      const bool is_one = std::ranges::any_of(choices, [&](const auto& choice) {
        return equals_ignoring_case(choice, value);
      });
      return is_one ? "" : "one of " + join(choices, ", ");
    }
    case PropertyKind::text:
      break;
  }
  return "";
}

Error unknown_property(const std::string& name) {
  std::string text = "property " + name + " is not known to Delta tables";
  if (name.starts_with("delta.feature.") || name == "delta.minReaderVersion" ||
      name == "delta.minWriterVersion") {
    text = "property " + name +
           " is not taken: the protocol follows from the properties that need it "
           "(delta.enableTypeWidening, say)";
  } else {
    std::vector<std::string> names;
    for (const KnownProperty& known : kKnownProperties) names.emplace_back(known.name);
    const auto guess = nearest(name, names);
    text += guess ? "; did you mean " + *guess + "?"
                  : "; names of your own do not begin with delta.";
  }
  return {ErrorCode::invalid, text};
}

}  // namespace

Status check_properties(const std::map<std::string, std::string>& properties) {
  for (const auto& [name, value] : properties) {
    if (!name.starts_with("delta.") || name.starts_with("delta.constraints.")) continue;
    const auto* known = std::ranges::find(kKnownProperties, name, &KnownProperty::name);
    if (known == kKnownProperties.end()) return unknown_property(name);
    const std::string wanted = wanted_value(*known, value);
    if (wanted.empty()) continue;
    return Error(ErrorCode::invalid,
                 "property " + name + " is \"" + value + "\"; it must be " + wanted);
  }
  return {};
}

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
