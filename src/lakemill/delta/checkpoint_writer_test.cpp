#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/delta/transaction_fixture_test.h"

namespace lakemill::delta {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testkit::HasError;
using testkit::IsOk;

constexpr const char* kPointer = "_delta_log/_last_checkpoint";

class CheckpointTest : public TransactionTest {
 protected:
  std::string checkpoint(const std::string& version) {
    const std::string digits = std::string(20 - version.size(), '0') + version;
    return store_->get("_delta_log/" + digits + ".checkpoint.parquet").value();
  }

  Json pointer() { return parse_json(store_->get(kPointer).value()).value(); }

  void replace(const std::string& path) {
    Transaction transaction(table_, latest());
    transaction.remove_all();
    transaction.add(file_of(path, 1, 5));
    transaction.set_transaction("flow", latest()->version());
    ASSERT_GT(version_of(commit(transaction)), 0);
  }
};

TEST_F(CheckpointTest, HoldsTheStateAndIsPointedTo) {
  create(new_table());
  replace("a");
  replace("b");
  ASSERT_THAT(write_checkpoint(table_, *latest()), IsOk());

  const std::string lines = checkpoint("2");
  EXPECT_THAT(lines, HasSubstr("\"protocol\""));
  EXPECT_THAT(lines, HasSubstr("\"metaData\""));
  EXPECT_THAT(lines, HasSubstr("\"txn\""));
  EXPECT_THAT(lines, HasSubstr("\"remove\""));
  EXPECT_THAT(lines, HasSubstr("numRecords"));
  EXPECT_THAT(lines, Not(HasSubstr("\"dataChange\":true")));
  EXPECT_THAT(lines, Not(HasSubstr("commitInfo")));
  EXPECT_EQ(pointer(), (Json{{"version", 2},
                             {"size", 5},
                             {"sizeInBytes", lines.size()},
                             {"numOfAddFiles", 1}}));

  // Another reader builds the same from it, even when the commits are gone.
  for (const char* version : {"0", "1"}) {
    ASSERT_THAT(store_->remove(std::string("_delta_log/0000000000000000000") + version +
                               ".json"),
                IsOk());
  }
  Table other(store_, format_);
  const auto snapshot = other.latest();
  ASSERT_THAT(snapshot, IsOk());
  EXPECT_EQ((*snapshot)->files().size(), 1U);
  EXPECT_EQ((*snapshot)->tombstones().size(), 1U);
  EXPECT_EQ((*snapshot)->transaction("flow"), 1);
  EXPECT_EQ((*snapshot)->metadata(), latest()->metadata());
}

TEST_F(CheckpointTest, ForgetsTombstonesThatHaveExpired) {
  NewTable definition = new_table();
  definition.configuration["delta.deletedFileRetentionDuration"] = "interval 2 days";
  create(definition);
  replace("a");
  replace("b");
  ASSERT_THAT(write_checkpoint(table_, *latest()), IsOk());
  EXPECT_THAT(checkpoint("2"), HasSubstr("\"remove\""));

  // The memory store dates commits by itself: a removal long before them has expired.
  Transaction old(table_, latest());
  RemoveFile remove = removal_of(latest()->files().front());
  remove.deletion_timestamp_ms = 1;
  old.remove(remove);
  old.add(file_of("c", 1, 2));
  ASSERT_EQ(version_of(commit(old)), 3);
  ASSERT_THAT(write_checkpoint(table_, *latest()), IsOk());
  EXPECT_THAT(checkpoint("3"), Not(HasSubstr("\"path\":\"b\"")));
}

TEST_F(CheckpointTest, IsWrittenAtEachMultipleOfTheInterval) {
  NewTable definition = new_table();
  definition.configuration["delta.checkpointInterval"] = "3";
  create(definition);
  ASSERT_THAT(maintain_log(table_, 0), IsOk());
  for (int version = 1; version <= 7; ++version) {
    append(file_of("f" + std::to_string(version), 1, 2));
    ASSERT_THAT(maintain_log(table_, version), IsOk());
    EXPECT_EQ(store_->head(kPointer).has_value(), version >= 3);
  }
  EXPECT_EQ(pointer()["version"], 6);
  ASSERT_THAT(maintain_log(table_, 3), IsOk());  // late: the newer one stays
  EXPECT_EQ(pointer()["version"], 6);
}

// The format makes columns of them, and leaves the texts out itself.
TEST_F(CheckpointTest, KeepsStatisticsThatAreToBecomeColumns) {
  NewTable definition = new_table();
  definition.configuration["delta.checkpoint.writeStatsAsStruct"] = "true";
  definition.configuration["delta.checkpoint.writeStatsAsJson"] = "false";
  create(definition);
  replace("a");
  ASSERT_THAT(write_checkpoint(table_, *latest()), IsOk());
  EXPECT_THAT(checkpoint("1"), HasSubstr("numRecords"));
}

TEST_F(CheckpointTest, LeavesStatisticsOutWhereTheTableWantsNone) {
  NewTable definition = new_table();
  definition.configuration["delta.checkpoint.writeStatsAsJson"] = "false";
  create(definition);
  replace("a");
  ASSERT_THAT(write_checkpoint(table_, *latest()), IsOk());
  EXPECT_THAT(checkpoint("1"), Not(HasSubstr("numRecords")));
}

}  // namespace
}  // namespace lakemill::delta
