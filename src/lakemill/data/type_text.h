#pragma once

#include <string_view>

#include "lakemill/data/type.h"

namespace lakemill::data {

/// A type as people write it, in any case: Delta's and SQL's names ("long", "bigint",
/// "varchar", "decimal(10,2)", "array<string>", "map<string,long>",
/// "struct<a:long,b string>"), and those of dataframes ("nw.Int64", "pl.String()",
/// "Float32"). Errors: invalid, with a guess.
Result<Type> type_from_text(std::string_view text);

}  // namespace lakemill::data
