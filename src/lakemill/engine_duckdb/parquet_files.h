#pragma once

#include <duckdb.hpp>

namespace lakemill::engine_duckdb {

/// Makes `read_parquet` and `parquet_scan` filter rightly where files differ in the
/// type of a column (`union_by_name`): DuckDB would cast a filter's constant to each
/// file's type.
void mend_parquet_filters(duckdb::ClientContext& context);

}  // namespace lakemill::engine_duckdb
