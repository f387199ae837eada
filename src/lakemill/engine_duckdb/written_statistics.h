#pragma once

#include <vector>

#include <duckdb.hpp>

#include "lakemill/engine/write_spec.h"
#include "lakemill/engine_duckdb/column_conformance.h"

namespace lakemill::engine_duckdb {

/// The statistics of one file, as `COPY … (RETURN_STATS)` gives them: a map from a
/// quoted path ("a"."b") to a map of texts (min, max, null_count, has_nan).
///
/// Minimum and maximum are typed by the column's type. A maximum is left out where the
/// column holds NaN, which is greater than any number; both are left out for binary and
/// inside lists and maps, where Delta keeps none.
std::vector<engine::WrittenColumn> parse_statistics(
    const duckdb::Value& statistics, const std::vector<FileColumn>& columns);

}  // namespace lakemill::engine_duckdb
