#include "lakemill/delta/file_skipping.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "lakemill/delta/value_text.h"

namespace lakemill::delta {

using data::Comparison;
using data::TypeKind;
using data::Value;

namespace {

using Op = Comparison::Op;

// Writers cut strings to 32 characters or more; a shorter maximum is whole.
constexpr std::size_t kCutStringSize = 32;
// Digits that a double holds for certain.
constexpr std::size_t kExactDigits = 15;
constexpr long double kDoubleTolerance = 1e-15L;

bool is_floating(TypeKind kind) {
  return kind == TypeKind::float32 || kind == TypeKind::float64;
}

Value rounded_to_float(const Value& value) {
  const auto* number = std::get_if<double>(&value);
  if (number == nullptr) return value;
  return static_cast<double>(static_cast<float>(*number));
}

bool is_long_decimal(const Value& value) {
  const auto* decimal = std::get_if<data::Decimal>(&value);
  return decimal != nullptr &&
         static_cast<std::size_t>(
             std::count_if(decimal->digits.begin(), decimal->digits.end(),
                           [](char c) { return c >= '0' && c <= '9'; })) > kExactDigits;
}

bool nearly_equal_decimals(const Value& left, const Value& right) {
  const auto* one = std::get_if<data::Decimal>(&left);
  const auto* other = std::get_if<data::Decimal>(&right);
  if (one == nullptr || other == nullptr) return false;
  const long double a = std::strtold(one->digits.c_str(), nullptr);
  const long double b = std::strtold(other->digits.c_str(), nullptr);
  return std::fabs(a - b) <= kDoubleTolerance * std::max(std::fabs(a), std::fabs(b));
}

// How `value` compares to a bound: unordered wherever the bound is not sharp enough to
// prove anything.
std::partial_ordering compare_to_bound(const Value& value, const Value& bound,
                                       TypeKind kind) {
  if (kind == TypeKind::float32) {
    const auto order = compare_values(rounded_to_float(value), rounded_to_float(bound));
    return order == 0 ? std::partial_ordering::unordered : order;
  }
  const auto order = compare_values(value, bound);
  if ((is_long_decimal(value) || is_long_decimal(bound)) &&
      nearly_equal_decimals(value, bound)) {
    return std::partial_ordering::unordered;
  }
  return order;
}

bool above_maximum(const Value& value, const ColumnBounds& bounds, TypeKind kind) {
  if (!(compare_to_bound(value, bounds.maximum, kind) > 0)) return false;
  const auto* maximum = std::get_if<std::string>(&bounds.maximum);
  const auto* text = std::get_if<std::string>(&value);
  return maximum == nullptr || text == nullptr || maximum->size() < kCutStringSize ||
         !text->starts_with(*maximum);
}

bool below_minimum(const Value& value, const ColumnBounds& bounds, TypeKind kind) {
  return compare_to_bound(value, bounds.minimum, kind) < 0;
}

bool at_least_maximum(const Value& value, const ColumnBounds& bounds, TypeKind kind) {
  if (above_maximum(value, bounds, kind)) return true;
  const auto* maximum = std::get_if<std::string>(&bounds.maximum);
  if (maximum != nullptr && maximum->size() >= kCutStringSize) return false;
  return compare_to_bound(value, bounds.maximum, kind) == 0;
}

bool at_most_minimum(const Value& value, const ColumnBounds& bounds, TypeKind kind) {
  return compare_to_bound(value, bounds.minimum, kind) <= 0;
}

bool value_may_match(Op op, const Value& value, const ColumnBounds& bounds,
                     TypeKind kind) {
  switch (op) {
    case Op::eq:
    case Op::in:
      return !below_minimum(value, bounds, kind) && !above_maximum(value, bounds, kind);
    case Op::lt:
      return !at_most_minimum(value, bounds, kind);
    case Op::le:
      return !below_minimum(value, bounds, kind);
    case Op::gt:
      return is_floating(kind) || !at_least_maximum(value, bounds, kind);
    case Op::ge:
      return is_floating(kind) || !above_maximum(value, bounds, kind);
    default:
      return true;
  }
}

bool holds_for_constant(Op op, const Value& constant, const Value& value) {
  const auto order = compare_values(constant, value);
  if (order == std::partial_ordering::unordered) return true;
  switch (op) {
    case Op::eq:
    case Op::in:
      return order == 0;
    case Op::lt:
      return order < 0;
    case Op::le:
      return order <= 0;
    case Op::gt:
      return order > 0;
    case Op::ge:
      return order >= 0;
    default:
      return true;
  }
}

// True if one of the comparison's values passes; a null proves nothing.
template <typename Test>
bool any_value(const Comparison& comparison, Test test) {
  if (comparison.values.empty()) return comparison.op != Op::in;
  return std::any_of(
      comparison.values.begin(), comparison.values.end(),
      [&](const Value& value) { return data::is_null(value) || test(value); });
}

}  // namespace

bool bounds_may_match(const Comparison& comparison, const ColumnBounds& bounds,
                      TypeKind kind, std::optional<std::int64_t> row_count) {
  if (comparison.op == Op::is_null) return bounds.null_count != 0;
  const bool all_null = row_count && bounds.null_count == row_count;
  if (all_null) return false;
  if (comparison.op == Op::is_not_null) return true;
  return any_value(comparison, [&](const Value& value) {
    return value_may_match(comparison.op, value, bounds, kind);
  });
}

bool constant_may_match(const Comparison& comparison, const Value& value) {
  if (comparison.op == Op::is_null) return data::is_null(value);
  if (data::is_null(value)) return false;
  if (comparison.op == Op::is_not_null) return true;
  return any_value(comparison, [&](const Value& wanted) {
    return holds_for_constant(comparison.op, value, wanted);
  });
}

}  // namespace lakemill::delta
