#pragma once

#include <string>

#include <duckdb.hpp>

#include "lakemill/base/json.h"

namespace lakemill::engine_duckdb {

/// True for what DuckDB calls integers.
bool is_integer_structure(const std::string& seen);

/// The type of what DuckDB's json_structure() says: integers are BIGINT, what was seen
/// with different types (or never) is VARCHAR. Leaves may also name a DECIMAL.
duckdb::LogicalType type_of_structure(const OrderedJson& structure);

/// True if no value was seen but nulls somewhere in it, or no element or field.
bool has_only_nulls(const OrderedJson& structure);

/// The same, with the types of `known` wherever no value was seen but nulls, and for
/// integers where that is a fraction.
duckdb::LogicalType type_of_structure(const OrderedJson& structure,
                                      const duckdb::LogicalType& known);

/// A type as json_transform() wants it, as JSON text; texts where it has instants.
std::string transform_structure(const duckdb::LogicalType& type);

/// The type by which a JSON reader reads values for `type`: texts where that has dates,
/// instants and decimals, because the reader drops the offsets of instants.
duckdb::LogicalType reading_type(const duckdb::LogicalType& type);

/// True if every value of that structure becomes one of `type` with nothing lost; with
/// `exact_names`, also the case of nested names must be the same (the reader drops
/// others).
bool structure_fits(const OrderedJson& structure, const duckdb::LogicalType& type,
                    bool exact_names);

}  // namespace lakemill::engine_duckdb
