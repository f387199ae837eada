#pragma once

#include <string>
#include <string_view>

#include "lakemill/engine/write_spec.h"
#include "lakemill/engine_duckdb/column_conformance.h"
#include "lakemill/engine_duckdb/duckdb_session.h"

namespace lakemill::engine_duckdb {

/// The names and types of a query of ours, without running it.
Result<QueryColumns> columns_of(DuckdbSession& session, std::string_view sql);

/// The query of `spec` and, after its columns, one BOOLEAN per check: what a gate binds
/// to see what the predicates read.
std::string checked_query_sql(const engine::WriteSpec& spec);

}  // namespace lakemill::engine_duckdb
