#pragma once

#include "lakemill/data/table_scan.h"
#include "lakemill/delta/file_statistics.h"

namespace lakemill::delta {

/// False only if no row can satisfy `comparison` in a file whose column, of that kind,
/// has these bounds. `row_count`: physical rows, where known.
///
/// What is taken care of: NaN is greater than every number and absent from many
/// writers' maxima; strings' maxima may be cut; floats are written short; long decimals
/// may have gone through a double; null counts may be stale where rows were deleted.
bool bounds_may_match(const data::Comparison& comparison, const ColumnBounds& bounds,
                      data::TypeKind kind, std::optional<std::int64_t> row_count);

/// False only if `comparison` does not hold for a column that is `value` in every row.
bool constant_may_match(const data::Comparison& comparison, const data::Value& value);

}  // namespace lakemill::delta
