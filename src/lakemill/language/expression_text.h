#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lakemill/base/result.h"

namespace lakemill::language {

/// `text` as a regular expression that matches just it.
std::string escape_pattern(std::string_view text);

/// `text` as a replacement that stands for just it.
std::string escape_replacement(std::string_view text);

/// A replacement as Polars writes it ("<$1>", "${1}x", "$$") as the engine does
/// ("<\1>"). Errors: invalid for named groups.
Result<std::string> convert_replacement(std::string_view text);

enum class TimeFormatUse : std::uint8_t { parse, print };

/// A format of Polars (chrono) as one of the engine: "%Y-%m-%d %H:%M:%S%.f". Errors:
/// invalid for what the engine cannot do alike.
Result<std::string> convert_time_format(std::string_view format, TimeFormatUse use);

/// "15m", "1mo": a count and a unit ("us ms s m h d w mo q y").
struct Every {
  std::int64_t count = 1;
  std::string unit;
};
Result<Every> parse_every(std::string_view text);

/// The engine's word for a unit of Every: "minute".
std::string_view unit_word(std::string_view unit);

}  // namespace lakemill::language
