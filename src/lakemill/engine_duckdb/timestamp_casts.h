#pragma once

#include <duckdb.hpp>

namespace lakemill::engine_duckdb {

/// Makes casts of text and JSON text to TIMESTAMP heed an offset: the answer is the
/// wall clock of UTC, where DuckDB's own casts drop the offset. Casts of text to
/// TIMESTAMP WITH TIME ZONE take a named zone for its own row only. Must be called
/// before the JSON and ICU extensions are loaded: the first cast that is registered
/// stays.
void register_timestamp_casts(duckdb::DatabaseInstance& database);

}  // namespace lakemill::engine_duckdb
