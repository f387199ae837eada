#pragma once

#include "lakemill/catalog/catalog.h"
#include "lakemill/engine_duckdb/named_tables.h"

namespace lakemill::app {

/// The catalog as the embedded engine sees it. Borrows `catalog`.
std::shared_ptr<engine_duckdb::NamedTables> make_catalog_tables(
    catalog::Catalog& catalog);

}  // namespace lakemill::app
