#pragma once

#include "lakemill/engine_duckdb/duckdb_session.h"
#include "lakemill/engine_duckdb/files_plan.h"

namespace lakemill::engine_duckdb {

/// The columns of JSON files, and how they are read: by DuckDB's own reader, or, where
/// that would lose digits of some number, through json_exactness.h.
/// Errors: invalid, naming the file and what is wrong in it.
Status plan_json(DuckdbSession& session, FilesPlan& plan);

/// The call that reads the records of some of the files as they are.
std::string records_sql(const FilesPlan& plan, std::size_t first, std::size_t count);

}  // namespace lakemill::engine_duckdb
