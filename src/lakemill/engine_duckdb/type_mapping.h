#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <duckdb.hpp>

#include "lakemill/data/type.h"
#include "lakemill/data/value.h"

namespace lakemill::engine_duckdb {

/// The DuckDB type that holds values of a Delta type. Delta's `timestamp` is TIMESTAMP
/// WITH TIME ZONE, `timestamp_ntz` TIMESTAMP, `void` INTEGER (always null).
/// Errors: unsupported (variant).
Result<duckdb::LogicalType> to_duckdb(const data::Type& type);

/// The Delta type that values of a DuckDB type are stored as, after a cast where Delta
/// lacks the type (design.md, section 4: HUGEINT → long, UUID → string, …).
/// `column` is named in errors. Errors: invalid (INTERVAL, BIT and others without a
/// place in a table).
Result<data::Type> from_duckdb(const duckdb::LogicalType& type,
                               std::string_view column);

/// The columns of a query as a schema; every field is nullable.
Result<data::Schema> from_duckdb(const std::vector<std::string>& names,
                                 const duckdb::vector<duckdb::LogicalType>& types);

/// A scalar as DuckDB's value of that (Delta) type, and back; nested values come back
/// as their JSON text. Errors: invalid (it does not fit).
Result<duckdb::Value> to_duckdb(const data::Value& value, const data::Type& type);
data::Value from_duckdb(const duckdb::Value& value);

}  // namespace lakemill::engine_duckdb
