#pragma once

#include <duckdb.hpp>

namespace lakemill::engine_duckdb {

/// Makes every gzip file that is read fail where its stream is broken, ends in the
/// middle, or is not what its checksum says, as `corrupt` with the file's path: DuckDB
/// takes the end of such a file for the end of its rows.
void check_gzip_files(duckdb::DatabaseInstance& database);

}  // namespace lakemill::engine_duckdb
