#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "lakemill/data/type.h"

namespace lakemill::data {

/// Days since 1970.
struct Date {
  std::int32_t days = 0;
  auto operator<=>(const Date&) const = default;
};

/// Microseconds since 1970; of an instant, or of a wall clock where the type is
/// timestamp_ntz.
struct Timestamp {
  std::int64_t micros = 0;
  auto operator<=>(const Timestamp&) const = default;
};

/// A decimal as its digits: "-12.30". Compared by number, not by text.
struct Decimal {
  std::string digits;
  bool operator==(const Decimal&) const = default;
};

struct Binary {
  std::string bytes;
  auto operator<=>(const Binary&) const = default;
};

/// One scalar; the empty state is null. Nested values are held as their JSON text.
using Value = std::variant<std::monostate, bool, std::int64_t, double, std::string,
                           Date, Timestamp, Decimal, Binary>;

inline bool is_null(const Value& value) {
  return std::holds_alternative<std::monostate>(value);
}

/// As people read it; null is "NULL".
std::string to_text(const Value& value);

/// A small table in memory: the answer of a bounded query.
struct Rows {
  Schema schema;
  std::vector<std::vector<Value>> rows;  ///< each as wide as the schema
};

}  // namespace lakemill::data
