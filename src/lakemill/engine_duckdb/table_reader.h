#pragma once

#include <memory>
#include <string>

#include <duckdb.hpp>
#include <duckdb/function/table_function.hpp>

#include "lakemill/data/table_scan.h"

namespace lakemill::engine_duckdb {

/// What one reference to a table reads.
struct ScanSource : duckdb::TableFunctionInfo {
  std::shared_ptr<const data::TableScan> scan;
  std::string name;  ///< as lineage and messages name it
  /// The catalog's entry, where the table was found by its name there.
  duckdb::TableCatalogEntry* entry = nullptr;
};

/// A bound table function: DuckDB's parallel Parquet scan, told by a TableScan which
/// files there are, how their columns map to the table's, which rows are deleted, and
/// which files a filter needs.
struct BoundScan {
  duckdb::TableFunction function;
  duckdb::unique_ptr<duckdb::FunctionData> bind_data;
  duckdb::vector<duckdb::LogicalType> types;
  std::vector<std::string> names;
};

/// Makes the scan of `source` for one statement. Throws DuckDB's exceptions.
BoundScan bind_scan(duckdb::ClientContext& context,
                    duckdb::shared_ptr<ScanSource> source);

/// A table function of that name whose callbacks are those of the scan: only its `bind`
/// is to be replaced by one that calls bind_scan().
duckdb::TableFunction scan_function(duckdb::ClientContext& context,
                                    const std::string& name);

/// `_lakemill_file` and `_lakemill_row`.
duckdb::virtual_column_map_t scan_hidden_columns();

/// What a bound scan of ours reads, or null if it is none.
const ScanSource* scan_source(const duckdb::FunctionData* bind_data);

}  // namespace lakemill::engine_duckdb
