#pragma once

#include <string>

#include <duckdb.hpp>

#include "lakemill/engine_duckdb/files_plan.h"
#include "lakemill/formats/csv_text.h"

namespace lakemill::engine_duckdb {

/// SQL function: the whole number that a text of a CSV file says, as BIGINT; null where
/// it says none ("1.0" and "1e3" are whole, "1.5" is not).
constexpr const char* kCsvInteger = "lakemill_csv_integer";

/// SQL function: the date that a text says, with nothing behind it but a midnight; null
/// where it says none.
constexpr const char* kTextDate = "lakemill_text_date";

/// SQL function (file, dialect, number of the field, text): ", line 3" where a record
/// of that file has that field; empty where none is found.
constexpr const char* kCsvPlace = "lakemill_csv_place";

/// How the files of a CSV source are written.
formats::CsvDialect csv_dialect(const FilesPlan& plan);

/// That dialect, as kCsvPlace wants it.
std::string csv_dialect_sql(const FilesPlan& plan);

/// Adds all of them to the system catalog; a transaction is open on `connection`.
void register_csv_values(duckdb::Connection& connection);

}  // namespace lakemill::engine_duckdb
