#pragma once

#include <duckdb.hpp>

namespace lakemill::engine_duckdb {

/// Adds what bound raw files need to a DuckDB: the table function `lakemill_files`,
/// which stands for them while a statement is bound, and the step before optimizing
/// that puts the readers in its place, of the columns that the statement uses. So
/// hidden columns cost nothing where nobody asks for them. A transaction is open on
/// `connection`.
void register_files(duckdb::Connection& connection);

}  // namespace lakemill::engine_duckdb
