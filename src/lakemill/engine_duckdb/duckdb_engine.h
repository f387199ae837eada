#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lakemill/delta/ports.h"
#include "lakemill/engine/engine.h"
#include "lakemill/storage/object_store.h"

namespace lakemill::engine_duckdb {

class NamedTables;

struct DuckdbOptions {
  std::int64_t memory_limit_bytes = 0;  ///< 0: a share of the machine's memory
  int threads = 0;                      ///< 0: as many as there are processors
  std::string temporary_folder;         ///< where memory spills; empty: it may not
  std::int64_t temporary_bytes_max = 0;  ///< that may spill; 0: what the disk holds
  /// Folders (absolute) that pipeline SQL may read tables from, links resolved.
  std::vector<std::string> roots;
  std::string base_folder;  ///< against which delta_scan('relative') resolves
  /// Whether origin `user` is held to `roots` too (`--confined`).
  bool confine_user = false;
  std::string default_catalog = "main";  ///< of names written schema.table
};

/// An embedded DuckDB. Borrows `stores` (must outlive it). `tables` resolves
/// catalog.schema.table names; null: there are none. DuckDB itself starts when it is
/// first needed. Errors: invalid (options).
Result<std::unique_ptr<engine::Engine>> make_duckdb_engine(
    DuckdbOptions options, storage::StoreProvider& stores,
    std::shared_ptr<NamedTables> tables);

/// Parquet checkpoints through a DuckDB of its own, started when first needed.
std::unique_ptr<delta::CheckpointFormat> make_checkpoint_format(
    storage::StoreProvider& stores);

}  // namespace lakemill::engine_duckdb
