#include "lakemill/delta/transaction.h"

#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/delta/protocol.h"
#include "lakemill/testing/crashing_store.h"
#include "lakemill/testing/manual_clock.h"
#include "lakemill/testing/matchers.h"
#include "lakemill/testing/memory_store.h"

namespace lakemill::delta {
namespace {

using ::testing::HasSubstr;
using testkit::HasError;
using testkit::IsOk;

// Keeps the lines as they are: what a checkpoint holds can then be looked at.
class LineFormat final : public CheckpointFormat {
 public:
  explicit LineFormat(std::shared_ptr<storage::ObjectStore> store)
      : store_(std::move(store)) {}
  Result<std::string> read(std::string_view url) override {
    return store_->get(url.substr(store_->url().size() + 1));
  }
  Result<std::int64_t> write(std::string_view url, std::string_view lines) override {
    LAKEMILL_TRY_OK(store_->put(url.substr(store_->url().size() + 1), lines));
    return static_cast<std::int64_t>(lines.size());
  }

 private:
  std::shared_ptr<storage::ObjectStore> store_;
};

NewTable new_table() {
  NewTable table;
  table.schema.fields = {{"id", data::make_type(data::TypeKind::int64)},
                         {"name", data::make_type(data::TypeKind::string)}};
  table.configuration["delta.enableDeletionVectors"] = "true";
  return table;
}

AddFile file(const std::string& path, std::int64_t low, std::int64_t high) {
  AddFile add;
  add.path = path;
  add.size_bytes = 100;
  add.modification_time_ms = 1;
  add.stats = "{\"numRecords\":10,\"minValues\":{\"id\":" + std::to_string(low) +
              "},\"maxValues\":{\"id\":" + std::to_string(high) +
              "},\"nullCount\":{\"id\":0}}";
  return add;
}

class TransactionTest : public ::testing::Test {
 protected:
  TransactionTest() : table_(store_, format_) {}

  Result<CommitOutcome> commit(Transaction& transaction) {
    return transaction.commit("WRITE", Json::object(), clock_, random_);
  }

  Version create(const NewTable& definition) {
    Transaction transaction(table_, definition);
    auto outcome = commit(transaction);
    EXPECT_THAT(outcome, IsOk());
    return outcome ? version_of(*outcome) : -1;
  }

  static Version version_of(const CommitOutcome& outcome) {
    const auto* committed = std::get_if<Committed>(&outcome);
    return committed == nullptr ? -1 : committed->version;
  }

  Version append(const AddFile& add) {
    Transaction transaction(table_, latest());
    transaction.add(add);
    auto outcome = commit(transaction);
    EXPECT_THAT(outcome, IsOk());
    return outcome ? version_of(*outcome) : -1;
  }

  std::shared_ptr<const Snapshot> latest() {
    auto snapshot = table_.latest();
    EXPECT_THAT(snapshot, IsOk());
    return *snapshot;
  }

  std::vector<std::string> paths() {
    std::vector<std::string> found;
    for (const AddFile& add : latest()->files()) found.push_back(add.path);
    return found;
  }

  std::shared_ptr<storage::ObjectStore> store_ = testkit::make_memory_store();
  LineFormat format_{store_};
  Table table_;
  testkit::ManualClock clock_;
  SeededRandom random_{1};
};

TEST_F(TransactionTest, CreatesATableAndAppendsToIt) {
  EXPECT_EQ(create(new_table()), 0);
  EXPECT_EQ(append(file("a.parquet", 1, 5)), 1);
  EXPECT_EQ(append(file("b.parquet", 6, 9)), 2);

  const auto snapshot = latest();
  EXPECT_EQ(snapshot->version(), 2);
  EXPECT_EQ(snapshot->protocol(),
            (Protocol{3, 7, {"deletionVectors"}, {"deletionVectors"}}));
  EXPECT_EQ(snapshot->metadata().schema, new_table().schema);
  EXPECT_EQ(snapshot->metadata().id.size(), 36U);
  EXPECT_EQ(paths(), (std::vector<std::string>{"a.parquet", "b.parquet"}));
}

TEST_F(TransactionTest, TellsInCommitInfoWhoDidWhat) {
  create(new_table());
  Transaction transaction(table_, latest());
  transaction.add(file("a.parquet", 1, 5));
  const Json details = {{"operationParameters", {{"mode", "Append"}, {"by", {"id"}}}},
                        {"plan", "abc"},
                        {"inCommitTimestamp", 5}};
  ASSERT_THAT(transaction.commit("WRITE", details, clock_, random_), IsOk());
  auto history = table_.history(1);
  ASSERT_THAT(history, IsOk());
  const Json& info = history->front().commit_info;
  EXPECT_EQ(info["operation"], "WRITE");
  EXPECT_EQ(info["operationParameters"],
            (Json{{"mode", "Append"}, {"by", "[\"id\"]"}}));
  EXPECT_EQ(info["operationMetrics"]["numOutputRows"], "10");
  EXPECT_EQ(info["plan"], "abc");
  EXPECT_EQ(info["readVersion"], 0);
  EXPECT_EQ(info["isBlindAppend"], true);
  EXPECT_EQ(info["txnId"].get<std::string>().size(), 36U);
  EXPECT_FALSE(info.contains("inCommitTimestamp"));
  EXPECT_THAT(info["engineInfo"].get<std::string>(), HasSubstr("Lakemill/"));
}

}  // namespace
}  // namespace lakemill::delta
