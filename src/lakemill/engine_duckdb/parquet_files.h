#pragma once

#include <duckdb.hpp>

namespace lakemill::engine_duckdb {

/// Of COPY to Parquet. DuckDB hashes the bytes of a double: in its filters 0.0 is not
/// where -0.0 is, and a filter `= 0` loses rows.
inline constexpr const char* kNoBloomFilter = "WRITE_BLOOM_FILTER false";

/// Makes `read_parquet` and `parquet_scan` filter rightly where files differ in the
/// type of a column (`union_by_name`): DuckDB would cast a filter's constant to each
/// file's type.
void mend_parquet_filters(duckdb::ClientContext& context);

}  // namespace lakemill::engine_duckdb
