#pragma once

#include <string>
#include <string_view>
#include <vector>

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

/// The columns of a query in DuckDB's types.
struct BoundColumns {
  std::vector<std::string> names;
  duckdb::vector<duckdb::LogicalType> types;
};

/// Fails where describe_statement() fails; for columns that no table can hold only if
/// it is `for_tables`.
Result<BoundColumns> check_statement(duckdb::ClientContext& context,
                                     duckdb::unique_ptr<duckdb::SQLStatement> statement,
                                     std::string_view sql, bool for_tables);

/// True if a row-wise query gives `columns` and then `column` (VARCHAR) of what it
/// reads, which nothing else in it depends on. Queries that are bound as names of the
/// session are not looked into.
bool hands_on_column(duckdb::ClientContext& context,
                     duckdb::unique_ptr<duckdb::SQLStatement> statement,
                     const BoundColumns& columns, const std::string& column);

}  // namespace lakemill::engine_duckdb
