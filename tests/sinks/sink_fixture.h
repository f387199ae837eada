#pragma once

// A DuckDB engine over tables in a temporary folder, and batches of rows put through a
// sink.

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/base/text.h"
#include "lakemill/delta/snapshot.h"
#include "lakemill/engine_duckdb/duckdb_engine.h"
#include "lakemill/sinks/table_sink.h"
#include "lakemill/storage/local_store.h"
#include "lakemill/testing/fresh_tables.h"
#include "lakemill/testing/manual_clock.h"
#include "lakemill/testing/matchers.h"

namespace lakemill::sinks {

/// What does not change from case to case: one engine for all tests of a process.
class SinkWorld {
 public:
  SinkWorld();
  ~SinkWorld();

  storage::StoreProvider& stores() { return *stores_; }
  /// A folder that no other test uses; all are gone with the process.
  std::string fresh_url();
  engine::Engine& engine() { return *engine_; }
  testkit::ManualClock& clock() { return clock_; }
  Random& random() { return random_; }

  SinkServices services() { return services(*stores_); }
  SinkServices services(storage::StoreProvider& stores) {
    tables_.push_back(std::make_unique<testkit::FreshTables>(stores, *checkpoints_));
    return {stores, *tables_.back(), clock_, random_};
  }

  std::unique_ptr<engine::Session> session();

  /// A batch of flow "lakemill:test/flow".
  Batch batch(std::int64_t number) const;

  /// Puts the rows of a query through a sink: last_batch, stage, write, commit.
  Result<SinkResult> put(Sink& sink, const std::string& sql, const Batch& batch);
  Result<SinkResult> put(engine::Session& session, Sink& sink, const std::string& sql,
                         const Batch& batch);

  /// As put(); `previewed` becomes the rows of `select` over the sink's preview, which
  /// stands for `target`.
  Result<SinkResult> put_previewed(Sink& sink, const std::string& sql,
                                   const Batch& batch, const std::string& select,
                                   std::vector<std::string>& previewed);

  /// Rows of a query in which `target` is the table at `url`, each as one text with
  /// values between '|', in the query's order.
  std::vector<std::string> rows(const std::string& url, const std::string& sql);

  std::shared_ptr<const delta::Snapshot> snapshot(const std::string& url);

 private:
  std::string folder_;
  int folders_ = 0;
  std::unique_ptr<storage::StoreProvider> stores_ = storage::make_local_provider();
  testkit::ManualClock clock_;
  SeededRandom random_{42};
  std::unique_ptr<delta::CheckpointFormat> checkpoints_;
  std::unique_ptr<engine::Engine> engine_;
  std::vector<std::unique_ptr<testkit::FreshTables>> tables_;
};

SinkWorld& world();

/// Paths of the files below a folder, relative to it, sorted.
std::vector<std::string> files_below(const std::string& folder);
std::string content_of(const std::string& path);

}  // namespace lakemill::sinks
