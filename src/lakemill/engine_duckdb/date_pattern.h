#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lakemill/base/result.h"

namespace lakemill::engine_duckdb {

enum class DatePatternUse : std::uint8_t { write, read };

/// A pattern of Java's letters, as Spark takes it, in strftime's: "d.M.yyyy HH:mm" →
/// "%-d.%-m.%Y %H:%M". A text in quotes stands for itself. A pattern with '%' is
/// taken as strftime's own, unchanged. Errors: invalid (letters without a counterpart,
/// a quote left open).
Result<std::string> to_strftime(std::string_view pattern, DatePatternUse use);

}  // namespace lakemill::engine_duckdb
