#include <limits>

#include "lakemill/delta/transaction.h"
#include "lakemill/delta/written_text.h"

namespace lakemill::delta {

namespace {

struct ToPartitionText {
  const data::Type& type;

  using Text = std::optional<std::string>;
  Text operator()(std::monostate) const { return std::nullopt; }
  Text operator()(bool value) const { return value ? "true" : "false"; }
  Text operator()(std::int64_t value) const { return std::to_string(value); }
  Text operator()(double value) const {
    return number_text(value, type.kind == data::TypeKind::float32);
  }
  Text operator()(const std::string& value) const {
    if (value.empty()) return std::nullopt;  // every reader takes "" for null
    return value;
  }
  Text operator()(data::Date value) const { return date_text(value); }
  Text operator()(data::Timestamp value) const {
    // "2026-01-31 10:00:00", with microseconds where there are any.
    if (type.kind == data::TypeKind::timestamp_ntz) return data::to_text(value);
    return format_instant(Instant(std::chrono::microseconds(value.micros)));
  }
  Text operator()(const data::Decimal& value) const { return value.digits; }
  Text operator()(const data::Binary& value) const {
    if (value.bytes.empty()) return std::nullopt;
    return value.bytes;
  }
};

std::string far_text(const data::Value& value) {
  // How DuckDB and Postgres hold the infinite ones.
  if (const auto* date = std::get_if<data::Date>(&value)) {
    constexpr std::int32_t kInfinite = std::numeric_limits<std::int32_t>::max();
    if (date->days == kInfinite) return "infinity";
    if (date->days <= -kInfinite) return "-infinity";
    return date_text(*date);
  }
  const auto micros = std::get<data::Timestamp>(value).micros;
  constexpr std::int64_t kInfinite = std::numeric_limits<std::int64_t>::max();
  if (micros == kInfinite) return "infinity";
  if (micros <= -kInfinite) return "-infinity";
  return micros < 0 ? "a timestamp before the year 1"
                    : "a timestamp after the year 9999";
}

}  // namespace

Status check_partition_value(const std::string& column, const data::Value& value) {
  if (in_calendar(value)) return {};
  return Error(ErrorCode::unsupported,
               "the partition column '" + column + "' holds " + far_text(value) +
                   ": only the years 1 to 9999 have a text that every reader knows; "
                   "write null in its place (such as nullif(" +
                   column + ", 'infinity')), or partition by another column");
}

std::optional<std::string> partition_text(const data::Value& value,
                                          const data::Type& type) {
  return std::visit(ToPartitionText{type}, value);
}

}  // namespace lakemill::delta
