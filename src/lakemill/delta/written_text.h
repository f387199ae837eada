#pragma once

#include <optional>
#include <string>

#include "lakemill/data/value.h"

namespace lakemill::delta {

/// "2026-01-31"; years outside of 0 to 9999 as they are, with a sign.
std::string date_text(data::Date date);

/// False for dates and timestamps outside of the years 1 to 9999 (infinite ones are),
/// whose text other readers cannot parse; true for all else.
bool in_calendar(const data::Value& value);

/// "2026-01-31T10:00:00.123Z", without the zone for a wall clock. Nothing outside of
/// the years 0 to 9999, which other readers cannot parse.
std::optional<std::string> millisecond_text(std::int64_t milliseconds, bool zone);

/// The shortest digits that give the same number, as a float where `single`; "NaN",
/// "Infinity", "-Infinity".
std::string number_text(double value, bool single);

}  // namespace lakemill::delta
