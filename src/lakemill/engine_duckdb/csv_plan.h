#pragma once

#include "lakemill/base/result.h"
#include "lakemill/engine_duckdb/duckdb_session.h"
#include "lakemill/engine_duckdb/files_plan.h"

namespace lakemill::engine_duckdb {

/// Errors: invalid, where the last line of a file is too long for DuckDB's reader,
/// which leaves it out without a word.
Status check_last_lines(DuckdbSession& session, const FilesPlan& plan);

/// Fills in the columns and groups of CSV files. Errors: those of plan_files.
Status plan_csv(DuckdbSession& session, FilesPlan& plan);

}  // namespace lakemill::engine_duckdb
