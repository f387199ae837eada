#pragma once

#include <duckdb.hpp>

namespace lakemill::engine_duckdb {

/// SQL function: the whole number that a text of a CSV file says, as BIGINT; null where
/// it says none ("1.0" and "1e3" are whole, "1.5" is not).
constexpr const char* kCsvInteger = "lakemill_csv_integer";

/// SQL function (file, select, reader call without files, text): fails with what DuckDB
/// says of `select` from that file, so with the line, and with `text` if that succeeds.
constexpr const char* kCsvRefuse = "lakemill_csv_refuse";

/// Adds both to the system catalog; a transaction is open on `connection`.
void register_csv_integers(duckdb::Connection& connection);

}  // namespace lakemill::engine_duckdb
