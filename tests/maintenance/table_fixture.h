#pragma once

// One table in a memory store under the real engine, and short ways to change, read and
// maintain it.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/delta/restore.h"
#include "lakemill/delta/vacuum.h"
#include "lakemill/dml/maintenance.h"
#include "lakemill/engine_duckdb/duckdb_engine.h"
#include "lakemill/testing/crashing_store.h"
#include "lakemill/testing/manual_clock.h"
#include "lakemill/testing/matchers.h"
#include "lakemill/testing/memory_store.h"

namespace lakemill::dml {

using Properties = std::map<std::string, std::string>;
using RowTexts = std::vector<std::string>;

/// A table of id, part, v at memory://lake/t.
class TableWorld {
 public:
  TableWorld(storage::StoreProvider& stores, Clock& clock, std::uint64_t seed);
  ~TableWorld();

  delta::Table& table() { return *table_; }
  storage::ObjectStore& store() { return *store_; }
  Clock& clock() { return clock_; }
  Random& random() { return random_; }
  engine::Session& session() { return *session_; }
  ChangeContext context() const;

  /// Rows are written as "(1, 'a', 10), …".
  Status create(const Properties& properties, bool partitioned);
  Status append(const std::string& values);
  /// Rows whose id is there already are updated, others inserted.
  Status merge(const std::string& values);
  Status remove(const std::string& where);
  /// All rows go, those come.
  Status overwrite(const std::string& values);

  Result<OptimizeResult> optimize() { return dml::optimize(context(), {}); }
  Result<delta::VacuumResult> vacuum(delta::VacuumRequest request) {
    return delta::vacuum(*table_, request, clock_, random_);
  }
  Result<delta::RestoreResult> restore(delta::Version version) {
    return delta::restore(*table_, {version, std::nullopt}, clock_, random_);
  }

  delta::Version version();
  std::size_t file_count();
  /// Sorted rows as "1|a|10".
  RowTexts rows();
  RowTexts rows_at(delta::Version version);
  /// Sorted changes as "insert|2|1|a|10": type, version, columns; or one error.
  RowTexts changes(delta::Version from, delta::Version to);
  /// What is left when the changes of versions from..to are applied to version from - 1
  /// and version `to` is taken away; empty if they fit.
  RowTexts misfit(delta::Version from, delta::Version to);

  /// Any query in which the table is `t`.
  RowTexts query(const std::string& sql);

 private:
  Status change(const std::string& operation,
                const std::function<Status(const TableState&, TableChange&)>& fill);
  Result<std::vector<engine::WrittenFile>> write(const std::string& values,
                                                 const delta::Metadata& metadata);
  RowTexts texts(const Result<data::Rows>& rows);

  Clock& clock_;
  SeededRandom random_;
  std::unique_ptr<delta::CheckpointFormat> checkpoints_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<engine::Session> session_;
  std::shared_ptr<storage::ObjectStore> store_;
  std::unique_ptr<delta::Table> table_;
};

/// With stores of its own, which are dated by its clock.
class MaintenanceTest : public ::testing::Test {
 protected:
  testkit::ManualClock clock_;
  testkit::MemoryStoreProvider stores_{clock_};
  TableWorld world_{stores_, clock_, 1};

  void pass_days(int days) { clock_.advance(std::chrono::hours(24 * days)); }
};

bool soak();
std::uint64_t seed_of_run();

}  // namespace lakemill::dml
