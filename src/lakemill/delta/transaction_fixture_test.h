#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "lakemill/delta/json_lines_format.h"
#include "lakemill/delta/transaction.h"
#include "lakemill/testing/manual_clock.h"
#include "lakemill/testing/matchers.h"
#include "lakemill/testing/memory_store.h"

namespace lakemill::delta {

/// A table of an id and a name, with deletion vectors.
inline NewTable new_table() {
  NewTable table;
  table.schema.fields = {{"id", data::make_type(data::TypeKind::int64)},
                         {"name", data::make_type(data::TypeKind::string)}};
  table.configuration["delta.enableDeletionVectors"] = "true";
  return table;
}

/// A file of ten rows whose ids lie between `low` and `high`.
inline AddFile file_of(const std::string& path, std::int64_t low, std::int64_t high) {
  AddFile add;
  add.path = path;
  add.size_bytes = 100;
  add.modification_time_ms = 1;
  add.stats = "{\"numRecords\":10,\"minValues\":{\"id\":" + std::to_string(low) +
              "},\"maxValues\":{\"id\":" + std::to_string(high) +
              "},\"nullCount\":{\"id\":0}}";
  return add;
}

inline Version version_of(const Result<CommitOutcome>& outcome) {
  if (!outcome) return -1;
  const auto* committed = std::get_if<Committed>(&*outcome);
  return committed == nullptr ? -1 : committed->version;
}

inline std::string conflict_of(const Result<CommitOutcome>& outcome) {
  if (!outcome) return "error: " + outcome.error().message();
  const auto* conflicted = std::get_if<Conflicted>(&*outcome);
  return conflicted == nullptr ? "" : conflicted->reason;
}

/// A table in memory, and short ways to change it.
class TransactionTest : public ::testing::Test {
 protected:
  TransactionTest() : table_(store_, format_) {}

  Result<CommitOutcome> commit(Transaction& transaction) {
    return transaction.commit("WRITE", Json::object(), clock_, random_);
  }

  Version create(const NewTable& definition) {
    Transaction transaction(table_, definition);
    const auto outcome = commit(transaction);
    EXPECT_THAT(outcome, testkit::IsOk());
    return version_of(outcome);
  }

  Version append(const AddFile& add) {
    Transaction transaction(table_, latest());
    transaction.add(add);
    const auto outcome = commit(transaction);
    EXPECT_THAT(outcome, testkit::IsOk());
    return version_of(outcome);
  }

  std::shared_ptr<const Snapshot> latest() {
    auto snapshot = table_.latest();
    EXPECT_THAT(snapshot, testkit::IsOk());
    return *snapshot;
  }

  std::vector<std::string> paths() {
    std::vector<std::string> found;
    for (const AddFile& add : latest()->files()) found.push_back(add.path);
    return found;
  }

  std::shared_ptr<storage::ObjectStore> store_ = testkit::make_memory_store();
  JsonLinesFormat format_{*store_};
  Table table_;
  testkit::ManualClock clock_;
  SeededRandom random_{1};
};

}  // namespace lakemill::delta
