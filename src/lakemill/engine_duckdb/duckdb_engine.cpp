#include "lakemill/engine_duckdb/duckdb_engine.h"

#include <mutex>

#include "lakemill/engine_duckdb/duckdb_headers.h"
#include "lakemill/engine_duckdb/duckdb_session.h"

namespace lakemill::engine_duckdb {
namespace {

class DuckdbEngine final : public engine::Engine {
 public:
  DuckdbEngine(DuckdbOptions options, storage::StoreProvider& stores,
               std::shared_ptr<NamedTables> tables)
      : options_(std::move(options)), stores_(stores), tables_(std::move(tables)) {}

  Result<std::unique_ptr<engine::Session>> open_session(
      engine::SessionOptions options) override {
    LAKEMILL_TRY(auto opened, instance());
    LAKEMILL_TRY(auto session,
                 DuckdbSession::open(std::move(opened), std::move(options)));
    return std::unique_ptr<engine::Session>(std::move(session));
  }

  Result<data::Schema> schema_of(const engine::FilesRelation& files) override {
    LAKEMILL_TRY(auto opened, instance());
    LAKEMILL_TRY(auto session, DuckdbSession::open(std::move(opened), {}));
    return schema_of_files(*session, files);
  }

 private:
  Result<std::shared_ptr<DuckdbInstance>> instance() {
    const std::lock_guard guard(mutex_);
    // DuckDB refuses all work after a failure inside itself (a broken file can cause
    // one); sessions that are open keep the old one.
    if (instance_ && instance_->usable()) return instance_;
    LAKEMILL_TRY(instance_, DuckdbInstance::open(options_, stores_, tables_));
    return instance_;
  }

  DuckdbOptions options_;
  storage::StoreProvider& stores_;
  std::shared_ptr<NamedTables> tables_;
  std::mutex mutex_;
  std::shared_ptr<DuckdbInstance> instance_;  // guarded by mutex_
};

}  // namespace

Result<std::unique_ptr<engine::Engine>> make_duckdb_engine(
    DuckdbOptions options, storage::StoreProvider& stores,
    std::shared_ptr<NamedTables> tables) {
  if (options.memory_limit_bytes < 0 || options.threads < 0) {
    return Error(ErrorCode::invalid,
                 "engine: memory limit and threads may not be negative");
  }
  return std::unique_ptr<engine::Engine>(
      std::make_unique<DuckdbEngine>(std::move(options), stores, std::move(tables)));
}

}  // namespace lakemill::engine_duckdb
