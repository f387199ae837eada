#pragma once

#include <string>

#include <duckdb.hpp>

namespace lakemill::engine_duckdb {

/// Under this name DuckDB knows the one catalog that holds all of ours.
inline constexpr const char* kCatalogName = "lakemill";

/// The name of a schema in it: catalog and schema together.
std::string catalog_schema_name(const std::string& catalog, const std::string& schema);

/// Makes the catalog known to a DuckDB that is about to be opened.
void register_catalog(duckdb::DBConfig& config);

/// Attaches it.
void attach_catalog(duckdb::Connection& connection);

}  // namespace lakemill::engine_duckdb
