// Replaces DuckDB's generated loader: only the extensions that we link, because each
// one costs time at every start. Nothing is ever loaded from disk.
#include <core_functions_extension.hpp>
#include <duckdb.hpp>
#include <duckdb/main/extension/generated_extension_loader.hpp>
#include <duckdb/main/extension_helper.hpp>
#include <icu_extension.hpp>
#include <json_extension.hpp>
#include <parquet_extension.hpp>

#include "lakemill/engine_duckdb/timestamp_casts.h"

namespace duckdb {

vector<string> LinkedExtensions();
vector<string> LoadedExtensionTestPaths();

vector<string> LinkedExtensions() {
  return {"core_functions", "parquet", "json", "icu"};
}

vector<string> LoadedExtensionTestPaths() { return {}; }

void ExtensionHelper::LoadAllExtensions(DuckDB& database) {
  database.LoadStaticExtension<CoreFunctionsExtension>();
  database.LoadStaticExtension<ParquetExtension>();
  lakemill::engine_duckdb::register_timestamp_casts(*database.instance);
  database.LoadStaticExtension<JsonExtension>();
  database.LoadStaticExtension<IcuExtension>();
}

vector<string> ExtensionHelper::LoadedExtensionTestPaths() { return {}; }

ExtensionLoadResult ExtensionHelper::LoadExtension(DuckDB&, const std::string&) {
  return ExtensionLoadResult::NOT_LOADED;
}

}  // namespace duckdb
