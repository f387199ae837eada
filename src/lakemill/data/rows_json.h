#pragma once

#include "lakemill/base/json.h"
#include "lakemill/data/value.h"

namespace lakemill::data {

/// Rows as a JSON array of objects, keys in the order of the columns. Nested values are
/// JSON too; numbers that JSON does not have are the words NaN, Infinity and -Infinity.
OrderedJson to_json(const Rows& rows);

}  // namespace lakemill::data
