#pragma once

#include <string>
#include <string_view>

#include <duckdb.hpp>
#include <duckdb/common/file_system.hpp>

#include "lakemill/storage/object_store.h"

namespace lakemill::engine_duckdb {

/// The path by which DuckDB reads and writes an object through its store, also where it
/// is local: so a write is durable, visible when it is complete, and counted by tests
/// that inject faults.
std::string store_path(std::string_view url);

/// A file system of DuckDB over our stores, for URLs that are not local ("memory://…")
/// and for store_path(). A file appears when it is closed. Borrows `stores`.
duckdb::unique_ptr<duckdb::FileSystem> make_object_file_system(
    storage::StoreProvider& stores);

}  // namespace lakemill::engine_duckdb
