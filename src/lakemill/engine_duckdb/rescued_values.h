#pragma once

#include <string>

#include <duckdb.hpp>

namespace lakemill::engine_duckdb {

/// A text as a value of `type`, with nothing rounded or cut off; null if it is none.
std::string exact_text_cast(const std::string& sql, const duckdb::LogicalType& type);

/// A text as a value of the type that a schema declares: whole numbers, decimals, dates
/// and instants exactly, a double as the nearest to a fraction; null if it is none.
std::string declared_text_cast(const std::string& sql, const duckdb::LogicalType& type);

/// True where a text is none of `type`, or a cast takes it but would not give the text
/// back: "012" as 12, 1 or "yes" as true. Never null.
std::string text_loss(const std::string& sql, const duckdb::LogicalType& type);

/// True where a JSON value does not become one of `type` with nothing of it lost:
/// nested fields that `type` lacks, elements and fields that do not fit. Never null.
std::string json_loss(const std::string& json, const duckdb::LogicalType& type);

/// The same of the type that a schema declares. Never null.
std::string declared_json_loss(const std::string& json,
                               const duckdb::LogicalType& type);

/// True where a number within a nested JSON value is one that its place in `type` does
/// not hold exactly. Never null.
std::string json_number_loss(const std::string& json, const duckdb::LogicalType& type);

/// A value of a Parquet file held to another type.
struct HeldValue {
  std::string sql;   ///< null where it cannot be one of that type
  std::string loss;  ///< true where casting it back gives another value
};

HeldValue held_value(const std::string& raw, const duckdb::LogicalType& from,
                     const duckdb::LogicalType& to);

/// The text of a value as it goes to `_rescued`: JSON where it is nested.
std::string rescued_text(const std::string& raw, const duckdb::LogicalType& type);

}  // namespace lakemill::engine_duckdb
