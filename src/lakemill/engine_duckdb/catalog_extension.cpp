#include "lakemill/engine_duckdb/catalog_extension.h"
namespace lakemill::engine_duckdb {
std::string catalog_schema_name(const std::string& catalog, const std::string& schema) { return catalog + "." + schema; }
}
