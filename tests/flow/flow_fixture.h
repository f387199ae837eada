#pragma once

// A lakehouse over stores that a test gives: pipelines from YAML text, run as the
// command line runs them, and their tables read back.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/catalog/catalog.h"
#include "lakemill/engine_duckdb/duckdb_engine.h"
#include "lakemill/flow/pipeline_runner.h"
#include "lakemill/testing/crashing_store.h"
#include "lakemill/testing/manual_clock.h"
#include "lakemill/testing/matchers.h"
#include "lakemill/testing/memory_store.h"

namespace lakemill::flow {

/// The folder of pipelines, input files, tables and state.
inline constexpr const char* kLake = "memory://lake";

/// In kLake: where connections to PostgreSQL servers keep their positions.
inline constexpr const char* kPostgresFolder = "_lakemill/postgres";

/// What one start of a pipeline asks for.
struct Start {
  std::vector<std::string> nodes;  ///< empty: all
  bool full_refresh = false;
  bool named = false;  ///< the nodes were named on the command line
  std::string adopt_node;
  int parallel_nodes_max = 1;
};

using RowTexts = std::vector<std::string>;

/// Engine, catalog and clock of one process over a provider (borrowed). Nothing but the
/// provider's objects outlives it, as nothing but the disk outlives a process.
///
/// Not thread-safe; each thread has one of its own.
class Lakehouse {
 public:
  explicit Lakehouse(storage::StoreProvider& stores);
  Lakehouse(storage::StoreProvider& stores, std::uint64_t seed);
  ~Lakehouse();

  /// A workspace over the pipeline of that text; stays valid as long as this does.
  const Workspace& workspace(const std::string& yaml);

  /// Runs the pipeline until it has caught up.
  RunReport run(const std::string& yaml) { return run(yaml, Start{}); }
  RunReport run(const std::string& yaml, const Start& start);
  /// What the next batch of a node would be.
  Result<Decision> decide_next(const std::string& yaml, const std::string& node);

  /// Rows of a query in which `target` is the table at kLake/`path`, each as one text
  /// with values between '|'. A fault is one row with its message.
  RowTexts rows(const std::string& path, const std::string& sql);
  /// All rows as a sorted bag, without what differs from run to run.
  RowTexts bag(const std::string& path);
  /// Rows of a query of ours over nothing but values.
  RowTexts answer(const std::string& sql);
  /// The newest version; -1 where there is no table.
  delta::Version version(const std::string& path);

  engine::Engine& engine() { return *engine_; }
  testkit::ManualClock& clock() { return clock_; }

 private:
  struct Loaded;
  class StoresAndSpools;
  std::unique_ptr<engine::Session> session();
  std::shared_ptr<const delta::Snapshot> snapshot(const std::string& path);

  storage::StoreProvider& stores_;
  std::unique_ptr<StoresAndSpools> engine_stores_;
  testkit::ManualClock clock_;
  SeededRandom random_;
  language::Project project_;
  std::unique_ptr<delta::CheckpointFormat> checkpoints_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<engine::Engine> engine_;
  std::vector<std::unique_ptr<Loaded>> loaded_;
  int runs_ = 0;
};

/// Puts an input file (kLake/`path`).
void put_file(storage::StoreProvider& stores, const std::string& path,
              const std::string& text);
void remove_file(storage::StoreProvider& stores, const std::string& path);
/// Paths below kLake/`folder`, relative to kLake, sorted.
std::vector<std::string> paths_below(const testkit::MemoryStoreProvider& stores,
                                     const std::string& folder);
/// Removes everything below kLake/`folder`.
void remove_folder(testkit::MemoryStoreProvider& stores, const std::string& folder);

/// The report of one node of a run.
const NodeReport& report_of(const RunReport& report, const std::string& node);

/// Succeeds if every node did; else says which did not, and why.
testing::AssertionResult all_well(const RunReport& report);

/// The message of a node's error; empty if it has none.
std::string error_of(const RunReport& report, const std::string& node);

}  // namespace lakemill::flow
