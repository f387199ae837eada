#pragma once

#include <string_view>

#include <duckdb.hpp>

#include "lakemill/base/result.h"
#include "lakemill/engine/query_shape.h"

namespace lakemill::engine_duckdb {

/// Binds a parsed query without running it, and tells what it is from its bound plan:
/// schema, lineage, and whether it is row-wise. `sql` is its text, for places in
/// messages. Errors: invalid, denied.
Result<engine::QueryShape> describe_statement(
    duckdb::ClientContext& context, duckdb::unique_ptr<duckdb::SQLStatement> statement,
    std::string_view sql);

/// Fails where describe_statement() fails, but for columns that no table can hold.
Status check_statement(duckdb::ClientContext& context,
                       duckdb::unique_ptr<duckdb::SQLStatement> statement,
                       std::string_view sql);

}  // namespace lakemill::engine_duckdb
