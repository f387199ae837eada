#pragma once

#include <string_view>

#include <duckdb.hpp>

#include "lakemill/engine/relation.h"
#include "lakemill/engine_duckdb/duckdb_session.h"

namespace lakemill::engine_duckdb {

/// Makes the rows a table of the session. Nothing is read before a statement runs.
Status bind_text_rows(DuckdbSession& session, std::string_view name,
                      engine::TextRowsRelation rows);

/// Adds the table function `lakemill_text_rows`; a transaction is open on `connection`.
void register_text_rows(duckdb::Connection& connection);

}  // namespace lakemill::engine_duckdb
