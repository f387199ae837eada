#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "lakemill/base/result.h"

namespace lakemill::language {

/// "5m", "1h 30m", "1.5 days", "250ms", or a number of seconds. Errors: invalid.
Result<std::chrono::microseconds> parse_duration(std::string_view text);

/// "512MB", "1.5 GiB", or a number of bytes; KB and KiB are both 1,024. Errors:
/// invalid.
Result<std::int64_t> parse_size(std::string_view text);

/// Whether it is a cron expression that some day fits. Errors: invalid.
Status check_cron(std::string_view text);

/// Whether it is the name of a time zone: "Europe/Berlin", "UTC". Any name will do
/// where no time zone database is installed. Errors: invalid, corrupt.
Status check_time_zone(std::string_view text);

}  // namespace lakemill::language
