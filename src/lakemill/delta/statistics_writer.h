#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/delta/action.h"

namespace lakemill::delta {

/// The first 32 characters of valid UTF-8 text, which is not above it.
std::string truncated_minimum(std::string_view text);

/// A short text that is not below `text` in the order of UTF-8 bytes: its beginning and
/// a last character that is above what was cut; nothing where none is short enough.
/// Rules of Delta for Spark, so that both give the same.
std::optional<std::string> truncated_maximum(std::string_view text);

/// True if the table's properties have its files keep statistics of the leaf column at
/// `path` (physical names): it is among the first 32, or those that they name.
bool keeps_statistics(const Metadata& metadata, const std::vector<std::string>& path);

/// The same statistics with tightBounds false: minimum and maximum may now be those of
/// deleted rows. Numbers keep their digits.
std::string with_wide_bounds(std::string_view statistics);

}  // namespace lakemill::delta
