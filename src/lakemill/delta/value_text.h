#pragma once

#include <compare>
#include <string_view>

#include "lakemill/data/value.h"

namespace lakemill::delta {

/// A value from the text of partitionValues or of statistics; timestamps without a zone
/// are UTC. An empty text is null, for strings too. Errors: corrupt.
/// Source: PROTOCOL.md, "Partition Value Serialization".
Result<data::Value> value_from_text(std::string_view text, const data::Type& type);

/// How two values of one column compare; unordered if that cannot be said: other kinds,
/// NaN, null. Strings and binaries compare by bytes.
std::partial_ordering compare_values(const data::Value& left, const data::Value& right);

}  // namespace lakemill::delta
