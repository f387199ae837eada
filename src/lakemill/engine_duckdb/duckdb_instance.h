#pragma once

#include <memory>
#include <mutex>

#include <duckdb.hpp>

#include "lakemill/delta/snapshot.h"
#include "lakemill/engine_duckdb/duckdb_engine.h"
#include "lakemill/engine_duckdb/named_tables.h"

namespace lakemill::engine_duckdb {

/// One DuckDB in process, set up for us: no extension is loaded or fetched at run time,
/// memory is bounded, everything is UTC, our functions and file system are known.
///
/// Thread-safety: concurrent calls are allowed.
class DuckdbInstance {
 public:
  static Result<std::shared_ptr<DuckdbInstance>> open(
      DuckdbOptions options, storage::StoreProvider& stores,
      std::shared_ptr<NamedTables> tables);
  ~DuckdbInstance();

  /// False once DuckDB has failed inside itself; it then refuses everything.
  bool usable() const;

  duckdb::DuckDB& database() { return *database_; }
  const DuckdbOptions& options() const { return options_; }
  storage::StoreProvider& stores() { return stores_; }
  /// May be null: no name of a catalog is known.
  NamedTables* tables() { return tables_.get(); }
  /// The Delta table in a folder (absolute, or a url). One that does not exist is
  /// opened too. Errors: those of the store.
  Result<std::shared_ptr<delta::Table>> open_table(const std::string& url);

 private:
  DuckdbInstance(DuckdbOptions options, storage::StoreProvider& stores,
                 std::shared_ptr<NamedTables> tables);

  DuckdbOptions options_;
  storage::StoreProvider& stores_;
  std::shared_ptr<NamedTables> tables_;
  std::unique_ptr<delta::CheckpointFormat> format_;  // of tables without a catalog
  std::unique_ptr<duckdb::DuckDB> database_;
};

}  // namespace lakemill::engine_duckdb
