#include "lakemill/delta/clustering.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/delta/log_folder.h"
#include "lakemill/delta/protocol.h"
#include "lakemill/delta/restore.h"
#include "lakemill/delta/transaction_fixture_test.h"

namespace lakemill::delta {
namespace {

using ::testing::HasSubstr;
using testkit::HasError;
using testkit::IsOk;

const ClusteringColumns kById = {{"id"}};

class ClusteringTest : public TransactionTest {
 protected:
  Result<CommitOutcome> cluster(const ClusteringColumns& columns) {
    Transaction transaction(table_, latest());
    transaction.set_domain(clustering_domain(columns));
    return commit(transaction);
  }

  ClusteringColumns held() {
    const auto columns = clustering_columns(*latest());
    EXPECT_THAT(columns, IsOk());
    return *columns;
  }
};

data::Schema nested() {
  data::Schema schema;
  schema.fields = {
      {"Day", data::make_type(data::TypeKind::date)},
      {"s", data::make_struct({{"x", data::make_type(data::TypeKind::int64)}})},
      {"flag", data::make_type(data::TypeKind::boolean)},
      {"list", data::make_array(data::make_type(data::TypeKind::int64), true)}};
  schema.fields[0].metadata["delta.columnMapping.physicalName"] = "col-1";
  return schema;
}

TEST_F(ClusteringTest, ACommitThatClustersATableBringsItsFeatures) {
  create(new_table());
  EXPECT_TRUE(held().empty());
  EXPECT_EQ(version_of(cluster(kById)), 1);
  EXPECT_EQ(held(), kById);
  EXPECT_TRUE(has_feature(latest()->protocol(), "clustering"));
  EXPECT_TRUE(has_feature(latest()->protocol(), "domainMetadata"));
  EXPECT_TRUE(has_feature(latest()->protocol(), "deletionVectors"));
  EXPECT_THAT(check_writable(latest()->protocol(), latest()->metadata()), IsOk());
  EXPECT_EQ(version_of(cluster({})), 2);
  EXPECT_TRUE(held().empty());
}

TEST_F(ClusteringTest, ATableIsMadeClusteredInItsFirstCommit) {
  Transaction transaction(table_, new_table());
  transaction.set_domain(clustering_domain({{"id"}, {"name"}}));
  ASSERT_EQ(version_of(commit(transaction)), 0);
  EXPECT_EQ(held(), (ClusteringColumns{{"id"}, {"name"}}));
  EXPECT_EQ(latest()->protocol().min_writer_version, 7);
}

TEST_F(ClusteringTest, NoTableIsPartitionedToo) {
  NewTable definition = new_table();
  definition.partition_columns = {"name"};
  create(definition);
  EXPECT_THAT(cluster(kById),
              HasError(ErrorCode::invalid, "cannot be partitioned (by name)"));
}

TEST_F(ClusteringTest, SurvivesACheckpoint) {
  create(new_table());
  ASSERT_EQ(version_of(cluster(kById)), 1);
  ASSERT_THAT(write_checkpoint(table_, *latest()), IsOk());
  Table anew(store_, format_);
  const auto snapshot = anew.latest();
  ASSERT_THAT(snapshot, IsOk());
  EXPECT_EQ(*clustering_columns(**snapshot), kById);
}

TEST_F(ClusteringTest, AnAppendIsNotPutBehindAChangeOfTheColumns) {
  create(new_table());
  ASSERT_EQ(version_of(cluster(kById)), 1);
  Transaction append(table_, latest());
  append.add(file_of("a", 1, 5));
  ASSERT_EQ(version_of(cluster({{"name"}})), 2);
  EXPECT_THAT(conflict_of(commit(append)), HasSubstr("clustering columns"));
}

TEST_F(ClusteringTest, RestoreBringsTheColumnsOfThenBack) {
  create(new_table());
  ASSERT_EQ(version_of(cluster(kById)), 1);
  ASSERT_EQ(version_of(cluster({{"name"}})), 2);
  const auto restored = restore(table_, {Version{1}, std::nullopt}, clock_, random_);
  ASSERT_THAT(restored, IsOk());
  EXPECT_EQ(restored->version, 3);
  EXPECT_EQ(held(), kById);
}

TEST(Clustering, IsReadAsTheProtocolAndAsSparkWriteIt) {
  const auto read = [](const std::string& configuration) {
    LogFolder log(testkit::make_memory_store());
    log.commit(
        0, {Protocol{1, 7, {}, {"clustering", "domainMetadata"}}, LogFolder::metadata(),
            DomainMetadata{"delta.clustering", configuration, false}});
    Table table = log.table();
    return clustering_columns(**table.latest());
  };
  EXPECT_EQ(*read(R"({"clusteringColumns":["col-1","a"]})"),
            (ClusteringColumns{{"col-1"}, {"a"}}));
  EXPECT_EQ(
      *read(R"({"clusteringColumns":[["s","x"]],"domainName":"delta.clustering"})"),
      (ClusteringColumns{{"s", "x"}}));
  EXPECT_THAT(read(R"({"clusteringColumns":[7]})"),
              HasError(ErrorCode::corrupt, "clustering columns"));
  EXPECT_THAT(read("no json"), HasError(ErrorCode::corrupt, "no json"));
}

TEST(Clustering, NamesColumnsByTheirPhysicalNames) {
  const auto columns = resolve_clustering({"day"}, nested());
  ASSERT_THAT(columns, IsOk());
  EXPECT_EQ(*columns, (ClusteringColumns{{"col-1"}}));
  EXPECT_THAT(clustering_names({{"col-1"}, {"s", "x"}, {"gone"}}, nested()),
              ::testing::ElementsAre("Day", "s.x", "gone"));
}

TEST(Clustering, RefusesColumnsThatAreNotThereOrHaveNoBounds) {
  EXPECT_THAT(resolve_clustering({"dya"}, nested()),
              HasError(ErrorCode::invalid, "did you mean \"Day\""));
  for (const std::string name : {"flag", "list", "s"}) {
    EXPECT_THAT(resolve_clustering({name}, nested()),
                HasError(ErrorCode::invalid, "\"" + name + "\" of type"));
  }
}

TEST(Clustering, AFileHasStatisticsOfAColumnByItsNulls) {
  const AddFile file = file_of("a", 1, 5);
  EXPECT_TRUE(has_statistics_of(file, {{"id"}}));
  EXPECT_FALSE(has_statistics_of(file, {{"id"}, {"name"}}));
  EXPECT_FALSE(has_statistics_of(AddFile(), {{"id"}}));
  EXPECT_TRUE(has_statistics_of(AddFile(), {}));
}

}  // namespace
}  // namespace lakemill::delta
