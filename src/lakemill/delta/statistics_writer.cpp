#include "lakemill/delta/statistics_writer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "lakemill/base/guard.h"
#include "lakemill/base/text.h"
#include "lakemill/delta/json_cursor.h"
#include "lakemill/delta/protocol.h"
#include "lakemill/delta/transaction.h"
#include "lakemill/delta/written_text.h"

namespace lakemill::delta {

namespace {

constexpr std::size_t kPrefixCharacters = 32;
constexpr std::size_t kPrefixCharactersMax = 2 * kPrefixCharacters;
constexpr std::int64_t kIndexedColumnsDefault = 32;
constexpr std::string_view kLastAscii = "\x7F";
constexpr std::string_view kLastCharacter = "\xF4\x8F\xBF\xBF";  // U+10FFFF

// Bytes of the character that begins with `lead`, in valid UTF-8.
std::size_t character_size(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  if (byte < 0x80) return 1;
  if (byte < 0xE0) return 2;
  return byte < 0xF0 ? 3 : 4;
}

// Where the character `count` of `text` begins, or its end.
std::size_t prefix_size(std::string_view text, std::size_t count) {
  std::size_t size = 0;
  for (; count > 0 && size < text.size(); --count) size += character_size(text[size]);
  return std::min(size, text.size());
}

bool valid_utf8(const std::string& text) {
  return guard("text", [&] { return Json(text).dump(); }).has_value();
}

// A number as JSON has it: no "+5", ".5", "007".
bool json_number(std::string_view digits) {
  const bool starts =
      !digits.empty() && (digits[0] == '-' || (digits[0] >= '0' && digits[0] <= '9'));
  return starts && Json::accept(digits);
}

enum class Bound : std::uint8_t { minimum, maximum };

std::optional<std::string> text_bound(const std::string& text, Bound bound) {
  if (!valid_utf8(text)) return std::nullopt;
  if (bound == Bound::minimum) return json_text(Json(truncated_minimum(text)));
  const auto maximum = truncated_maximum(text);
  if (!maximum) return std::nullopt;
  return json_text(Json(*maximum));
}

// Readers that do not widen a maximum cut to milliseconds must not lose rows, so it is
// rounded up.
std::optional<std::string> timestamp_bound(std::int64_t micros, bool zone,
                                           Bound bound) {
  std::int64_t milliseconds = micros / 1000;
  const std::int64_t rest = micros % 1000;
  if (bound == Bound::minimum && rest < 0) --milliseconds;
  if (bound == Bound::maximum && rest > 0) ++milliseconds;
  const auto text = millisecond_text(milliseconds, zone);
  if (!text) return std::nullopt;
  return "\"" + *text + "\"";
}

/// A minimum or maximum as JSON text; nothing for kinds that Delta keeps none of.
struct ToBound {
  const data::Type& type;
  Bound bound;

  using Text = std::optional<std::string>;
  Text operator()(std::monostate) const { return std::nullopt; }
  Text operator()(bool) const { return std::nullopt; }
  Text operator()(std::int64_t value) const {
    switch (type.kind) {
      case data::TypeKind::int8:
      case data::TypeKind::int16:
      case data::TypeKind::int32:
      case data::TypeKind::int64:
        return std::to_string(value);
      case data::TypeKind::decimal:
        return type.scale == 0 ? Text(std::to_string(value)) : std::nullopt;
      default:
        return std::nullopt;
    }
  }
  Text operator()(double value) const {
    const bool single = type.kind == data::TypeKind::float32;
    if (!single && type.kind != data::TypeKind::float64) return std::nullopt;
    if (!std::isfinite(value)) return std::nullopt;
    // All digits of the double: a reader that takes a float for a double is right, too.
    return number_text(value, false);
  }
  Text operator()(const std::string& value) const {
    if (type.kind != data::TypeKind::string) return std::nullopt;
    return text_bound(value, bound);
  }
  Text operator()(data::Date value) const { return "\"" + date_text(value) + "\""; }
  Text operator()(data::Timestamp value) const {
    return timestamp_bound(value.micros, type.kind == data::TypeKind::timestamp, bound);
  }
  Text operator()(const data::Decimal& value) const {
    if (type.kind != data::TypeKind::decimal) return std::nullopt;
    return json_number(value.digits) ? Text(value.digits) : std::nullopt;
  }
  Text operator()(const data::Binary&) const { return std::nullopt; }
};

std::string physical_name(const data::Field& field) {
  return string_member(field.metadata, "delta.columnMapping.physicalName", field.name);
}

// `a.b`, with back quotes around names that hold dots, as its parts in lower case.
std::vector<std::string> name_parts(std::string_view name) {
  std::vector<std::string> parts(1);
  bool quoted = false;
  for (const char character : trim(name)) {
    if (character == '`') {
      quoted = !quoted;
    } else if (character == '.' && !quoted) {
      parts.emplace_back();
    } else {
      parts.back() += character;
    }
  }
  for (std::string& part : parts) part = to_lower(part);
  return parts;
}

/// Which leaf columns have statistics, and how many were seen so far.
class IndexedColumns {
 public:
  explicit IndexedColumns(const Metadata& metadata) {
    const auto& properties = metadata.configuration;
    const auto named = properties.find("delta.dataSkippingStatsColumns");
    if (named != properties.end()) {
      chosen_.emplace();
      for (const std::string& name : split(named->second, ',')) {
        chosen_->insert(name_parts(name));
      }
    }
    const auto count = properties.find("delta.dataSkippingNumIndexedCols");
    if (count == properties.end()) return;
    const std::string_view text = trim(count->second);
    std::from_chars(text.data(), text.data() + text.size(), left_);
  }

  // `path`: logical names in lower case. To be asked once a leaf, in schema order.
  bool includes(const std::vector<std::string>& path) {
    if (chosen_) {
      for (std::size_t size = 1; size <= path.size(); ++size) {
        const auto end = path.begin() + static_cast<std::ptrdiff_t>(size);
        if (chosen_->contains(std::vector<std::string>(path.begin(), end))) return true;
      }
      return false;
    }
    if (left_ < 0) return true;
    if (left_ == 0) return false;
    --left_;
    return true;
  }

 private:
  std::optional<std::set<std::vector<std::string>>> chosen_;
  std::int64_t left_ = kIndexedColumnsDefault;
};

/// Writes minValues, maxValues and nullCount side by side over one walk of the schema.
class StatisticsWriter {
 public:
  StatisticsWriter(const std::vector<ColumnStatistics>& columns,
                   const Metadata& metadata, const ClusteringColumns& always)
      : indexed_(metadata), always_(always.begin(), always.end()) {
    for (const ColumnStatistics& column : columns) by_path_[column.path] = &column;
  }

  struct Texts {
    std::string minimum;
    std::string maximum;
    std::string nulls;
  };

  Texts write(const std::vector<data::Field>& fields,
              const std::set<std::string>& left_out) {
    Texts texts;
    for (const data::Field& field : fields) {
      if (left_out.contains(field.name)) continue;
      physical_.push_back(physical_name(field));
      logical_.push_back(to_lower(field.name));
      const Texts inner = field.type.kind == data::TypeKind::structure
                              ? wrapped(write(field.type.children, {}))
                              : write_leaf(field.type);
      append(texts.minimum, inner.minimum);
      append(texts.maximum, inner.maximum);
      append(texts.nulls, inner.nulls);
      physical_.pop_back();
      logical_.pop_back();
    }
    return texts;
  }

 private:
  static Texts wrapped(const Texts& inner) {
    const auto braces = [](const std::string& text) {
      return text.empty() ? text : "{" + text + "}";
    };
    return {braces(inner.minimum), braces(inner.maximum), braces(inner.nulls)};
  }

  void append(std::string& members, const std::string& value) const {
    if (value.empty()) return;
    if (!members.empty()) members += ',';
    members += json_text(Json(physical_.back())) + ":" + value;
  }

  Texts write_leaf(const data::Type& type) {
    const bool included = indexed_.includes(logical_);  // which counts, so is asked
    if (!included && !always_.contains(physical_)) return {};
    const auto found = by_path_.find(physical_);
    if (found == by_path_.end()) return {};
    const ColumnStatistics& column = *found->second;
    // A file with one value outside of it has no bounds: none is skipped for half of
    // them.
    const bool bounded = in_calendar(column.minimum) && in_calendar(column.maximum);
    const auto bound = [&](const data::Value& value, Bound which) {
      if (!bounded) return std::string();
      return std::visit(ToBound{type, which}, value).value_or("");
    };
    return {bound(column.minimum, Bound::minimum),
            bound(column.maximum, Bound::maximum),
            column.null_count ? std::to_string(*column.null_count) : std::string()};
  }

  IndexedColumns indexed_;
  std::set<std::vector<std::string>> always_;
  std::map<std::vector<std::string>, const ColumnStatistics*> by_path_;
  std::vector<std::string> physical_;  // path of the field being written
  std::vector<std::string> logical_;
};

}  // namespace

bool keeps_statistics(const Metadata& metadata, const std::vector<std::string>& path) {
  IndexedColumns indexed(metadata);
  std::vector<std::string> physical;
  std::vector<std::string> logical;
  const std::function<bool(const std::vector<data::Field>&)> find =
      [&](const std::vector<data::Field>& fields) {
        for (const data::Field& field : fields) {
          physical.push_back(physical_name(field));
          logical.push_back(to_lower(field.name));
          const bool is_struct = field.type.kind == data::TypeKind::structure;
          const bool included =
              is_struct ? find(field.type.children) : indexed.includes(logical);
          const bool is_it = !is_struct && physical == path;
          physical.pop_back();
          logical.pop_back();
          if (is_struct ? included : is_it) return included;
        }
        return false;
      };
  return find(metadata.schema.fields);
}

std::string truncated_minimum(std::string_view text) {
  return std::string(text.substr(0, prefix_size(text, kPrefixCharacters)));
}

std::optional<std::string> truncated_maximum(std::string_view text) {
  std::size_t size = prefix_size(text, kPrefixCharacters);
  for (std::size_t count = kPrefixCharacters; count <= kPrefixCharactersMax; ++count) {
    if (size >= text.size()) return std::string(text);
    const std::string_view next = text.substr(size, character_size(text[size]));
    if (next != kLastCharacter) {
      const bool ascii = next.size() == 1 && next < kLastAscii;
      return std::string(text.substr(0, size))
          .append(ascii ? kLastAscii : kLastCharacter);
    }
    size += next.size();
  }
  return std::nullopt;
}

std::string with_wide_bounds(std::string_view statistics) {
  JsonCursor cursor(statistics);
  std::string members = "\"tightBounds\":false";
  if (statistics.empty() || !cursor.enter_object()) return "{" + members + "}";
  std::string key;
  std::string others;
  while (cursor.next_member(key)) {
    const std::string_view value = cursor.raw_value();
    if (key == "tightBounds") continue;
    others += json_text(Json(key)) + ":" + std::string(value) + ",";
  }
  return "{" + others + members + "}";
}

std::string statistics_json(std::int64_t row_count,
                            const std::vector<ColumnStatistics>& columns,
                            const Metadata& metadata) {
  return statistics_json(row_count, columns, metadata, {});
}

std::string statistics_json(std::int64_t row_count,
                            const std::vector<ColumnStatistics>& columns,
                            const Metadata& metadata, const ClusteringColumns& always) {
  const std::set<std::string> partitions(metadata.partition_columns.begin(),
                                         metadata.partition_columns.end());
  const auto texts = StatisticsWriter(columns, metadata, always)
                         .write(metadata.schema.fields, partitions);
  std::string json = "{\"numRecords\":" + std::to_string(row_count);
  json += ",\"minValues\":{" + texts.minimum + "}";
  json += ",\"maxValues\":{" + texts.maximum + "}";
  json += ",\"nullCount\":{" + texts.nulls + "}";
  if (property_is_true(metadata, "delta.enableDeletionVectors")) {
    json += ",\"tightBounds\":true";
  }
  return json + "}";
}

}  // namespace lakemill::delta
