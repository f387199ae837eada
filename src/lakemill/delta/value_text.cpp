#include "lakemill/delta/value_text.h"

#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>

#include "lakemill/base/clock.h"
#include "lakemill/base/text.h"

namespace lakemill::delta {

using data::Binary;
using data::Date;
using data::Decimal;
using data::Timestamp;
using data::TypeKind;
using data::Value;

namespace {

template <typename Number>
std::optional<Number> number_from(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  Number value{};
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return value;
}

std::optional<Value> integer_value(std::string_view text) {
  const auto number = number_from<std::int64_t>(text);
  if (!number) return std::nullopt;
  return Value(*number);
}

template <typename Float>
std::optional<Value> float_value(std::string_view text) {
  if (text == "Infinity") return Value(std::numeric_limits<double>::infinity());
  if (text == "-Infinity") return Value(-std::numeric_limits<double>::infinity());
  const auto number = number_from<Float>(text);
  if (!number) return std::nullopt;
  return Value(static_cast<double>(*number));
}

std::optional<Value> boolean_value(std::string_view text) {
  if (equals_ignoring_case(text, "true")) return Value(true);
  if (equals_ignoring_case(text, "false")) return Value(false);
  return std::nullopt;
}

// "2020-01-31", with a sign and more digits for far years.
std::optional<Value> date_value(std::string_view text) {
  const std::size_t first = text.find('-', 1);
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = text.find('-', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const auto year = number_from<int>(text.substr(0, first));
  const auto month = number_from<unsigned>(text.substr(first + 1, second - first - 1));
  const auto day = number_from<unsigned>(text.substr(second + 1));
  if (!year || !month || !day || std::abs(*year) > 32767) return std::nullopt;
  const std::chrono::year_month_day date{
      std::chrono::year(*year), std::chrono::month(*month), std::chrono::day(*day)};
  if (!date.ok()) return std::nullopt;
  const auto days = std::chrono::sys_days(date).time_since_epoch().count();
  return Value(Date{static_cast<std::int32_t>(days)});
}

std::optional<Value> timestamp_value(std::string_view text) {
  const Result<Instant> instant = parse_instant(text);
  if (!instant) return std::nullopt;
  return Value(Timestamp{instant->time_since_epoch().count()});
}

// A number without its exponent: "1.2E+3" becomes "1200".
struct PlainDecimal {
  bool negative = false;
  std::string whole;     // without leading zeros
  std::string fraction;  // without trailing zeros
};

constexpr int kExponentMax = 100;

std::optional<PlainDecimal> plain_decimal(std::string_view text) {
  PlainDecimal plain;
  if (text.starts_with('-') || text.starts_with('+')) {
    plain.negative = text.starts_with('-');
    text.remove_prefix(1);
  }
  int exponent = 0;
  if (const std::size_t e = text.find_first_of("eE"); e != std::string_view::npos) {
    const auto number = number_from<int>(text.substr(e + 1));
    if (!number || std::abs(*number) > kExponentMax) return std::nullopt;
    exponent = *number;
    text = text.substr(0, e);
  }
  const std::size_t point = std::min(text.find('.'), text.size());
  std::string digits(text.substr(0, point));
  const std::string_view behind = text.substr(std::min(point + 1, text.size()));
  digits += behind;
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string::npos) {
    return std::nullopt;
  }
  int scale = static_cast<int>(behind.size()) - exponent;
  if (scale < 0) {
    digits.append(static_cast<std::size_t>(-scale), '0');
    scale = 0;
  }
  const auto width = static_cast<std::size_t>(scale);
  if (digits.size() < width) digits.insert(0, width - digits.size(), '0');
  plain.whole = digits.substr(0, digits.size() - width);
  plain.fraction = digits.substr(digits.size() - width);
  plain.whole.erase(0,
                    std::min(plain.whole.find_first_not_of('0'), plain.whole.size()));
  plain.fraction.erase(plain.fraction.find_last_not_of('0') + 1);
  if (plain.whole.empty() && plain.fraction.empty()) plain.negative = false;
  return plain;
}

std::optional<Value> decimal_value(std::string_view text, const data::Type& type) {
  std::optional<PlainDecimal> plain = plain_decimal(text);
  if (!plain) return std::nullopt;
  const auto scale = static_cast<std::size_t>(type.scale);
  if (plain->fraction.size() > scale) return std::nullopt;
  plain->fraction.append(scale - plain->fraction.size(), '0');
  std::string digits = plain->negative ? "-" : "";
  digits += plain->whole.empty() ? "0" : plain->whole;
  if (scale > 0) digits += "." + plain->fraction;
  return Value(Decimal{std::move(digits)});
}

std::optional<Value> parsed_value(std::string_view text, const data::Type& type) {
  switch (type.kind) {
    case TypeKind::string:
      return Value(std::string(text));
    case TypeKind::binary:
      return Value(Binary{std::string(text)});
    case TypeKind::boolean:
      return boolean_value(text);
    case TypeKind::int8:
    case TypeKind::int16:
    case TypeKind::int32:
    case TypeKind::int64:
      return integer_value(text);
    case TypeKind::float32:
      return float_value<float>(text);
    case TypeKind::float64:
      return float_value<double>(text);
    case TypeKind::decimal:
      return decimal_value(text, type);
    case TypeKind::date:
      return date_value(text);
    case TypeKind::timestamp:
    case TypeKind::timestamp_ntz:
      return timestamp_value(text);
    default:
      return std::nullopt;
  }
}

std::strong_ordering compare_plain(const PlainDecimal& left,
                                   const PlainDecimal& right) {
  if (left.negative != right.negative) {
    return left.negative ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  auto order = left.whole.size() <=> right.whole.size();
  if (order == 0) order = left.whole.compare(right.whole) <=> 0;
  if (order == 0) order = left.fraction.compare(right.fraction) <=> 0;
  if (!left.negative) return order;
  return 0 <=> order;
}

std::optional<PlainDecimal> as_decimal(const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    return plain_decimal(std::to_string(*number));
  }
  if (const auto* decimal = std::get_if<Decimal>(&value)) {
    return plain_decimal(decimal->digits);
  }
  return std::nullopt;
}

// Exact on 64-bit integers as well as on doubles.
std::optional<long double> as_float(const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    return static_cast<long double>(*number);
  }
  if (const auto* number = std::get_if<double>(&value)) return *number;
  return std::nullopt;
}

}  // namespace

Result<Value> value_from_text(std::string_view text, const data::Type& type) {
  if (text.empty()) return Value();
  std::optional<Value> value = parsed_value(text, type);
  if (value) return std::move(*value);
  return Error(ErrorCode::corrupt,
               "not a " + data::to_text(type) + ": '" + std::string(text) + "'");
}

std::partial_ordering compare_values(const Value& left, const Value& right) {
  if (left.index() == right.index() && !std::holds_alternative<Decimal>(left)) {
    return std::visit(
        [&](const auto& value) -> std::partial_ordering {
          using Kind = std::decay_t<decltype(value)>;
          if constexpr (std::is_same_v<Kind, std::monostate> ||
                        std::is_same_v<Kind, Decimal>) {
            return std::partial_ordering::unordered;
          } else {
            return value <=> std::get<Kind>(right);
          }
        },
        left);
  }
  if (std::holds_alternative<double>(left) || std::holds_alternative<double>(right)) {
    const auto one = as_float(left);
    const auto other = as_float(right);
    if (one && other) return *one <=> *other;
    return std::partial_ordering::unordered;
  }
  const auto one = as_decimal(left);
  const auto other = as_decimal(right);
  if (one && other) return compare_plain(*one, *other);
  return std::partial_ordering::unordered;
}

}  // namespace lakemill::delta
