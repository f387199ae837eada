#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lakemill/base/clock.h"

namespace lakemill::net {

/// Reads "Sun, 06 Nov 1994 08:49:37 GMT", as the headers Date and Last-Modified have
/// it; nothing for any other text.
std::optional<Instant> parse_http_date(std::string_view text);

/// The same text for an instant, whole seconds; parse_http_date() reads it.
std::string format_http_date(Instant instant);

}  // namespace lakemill::net
