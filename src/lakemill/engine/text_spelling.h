#pragma once

#include <string>

namespace lakemill::engine {

/// SQL: true for a text that a cast takes for a boolean, but that a boolean is not
/// written as: "yes", 1; null for null.
std::string unlike_boolean_sql(const std::string& text);

/// SQL: true for a text that a cast takes for a number, but that the number does not
/// give back: one with zeros in front is an identifier ("07"); null for null.
std::string unlike_number_sql(const std::string& text);

/// What the text of an instant has that one in microseconds cannot hold: a digit other
/// than 0 behind the sixth. A regular expression of SQL.
inline constexpr const char* kBelowMicroseconds = "[.][0-9]{6}[0-9]*[1-9]";

}  // namespace lakemill::engine
