// Clustered tables: what optimize makes of their files, and that filters on any of the
// clustering columns then read few of them.
#include <set>

#include "table_fixture.h"

#include "lakemill/dml/clustered_files.h"
#include "lakemill/testing/matchers.h"

namespace lakemill::dml {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testkit::HasError;
using testkit::IsOk;

constexpr int kSide = 64;  // of a square of rows: id and v run from 0 to 63

class Clustering : public MaintenanceTest {
 protected:
  // Rows in an order that is none, in `files` files.
  void append_square(int files) {
    for (int file = 0; file < files; ++file) {
      std::string values;
      for (int at = file; at < kSide * kSide; at += files) {
        const int mixed = at * 1021 % (kSide * kSide);
        values += (values.empty() ? "(" : ", (") + std::to_string(mixed / kSide) +
                  ", 'p', " + std::to_string(mixed % kSide) + ")";
      }
      ASSERT_THAT(world_.append(values), IsOk());
    }
  }

  Status cluster_by(const delta::ClusteringColumns& columns) {
    const auto plan = [&](const TableState& state) -> Result<TableChange> {
      TableChange change;
      change.metadata = state.snapshot->metadata();
      change.clustering = columns;
      change.operation = "CLUSTER BY";
      return change;
    };
    const auto outcome = change_table(world_.context(), plan);
    if (!outcome) return outcome.error();
    return {};
  }

  Result<OptimizeResult> optimize_to(std::int64_t target_bytes) {
    OptimizeRequest request;
    request.target_file_bytes = target_bytes;
    return optimize(world_.context(), request);
  }

  std::vector<delta::AddFile> files() { return (*world_.table().latest())->files(); }

  std::int64_t bytes() {
    std::int64_t bytes = 0;
    for (const delta::AddFile& file : files()) bytes += file.size_bytes;
    return bytes;
  }

  // How many files a filter on one column has to read.
  std::size_t files_read(const std::string& column, std::int64_t value) {
    const auto scan = (*world_.table().latest())->scan();
    EXPECT_THAT(scan, IsOk());
    return (*scan)->may_match({{column, data::Comparison::Op::eq, {value}}}).size();
  }
};

TEST_F(Clustering, OptimizeLetsFiltersOnEitherColumnSkipFiles) {
  ASSERT_THAT(world_.create({}, false), IsOk());
  ASSERT_THAT(cluster_by({{"id"}, {"v"}}), IsOk());
  append_square(8);
  const RowTexts before = world_.rows();
  EXPECT_EQ(files_read("id", 20), 8U);
  EXPECT_EQ(files_read("v", 20), 8U);
  const auto done = optimize_to(bytes() / 16 + 1);
  ASSERT_THAT(done, IsOk());
  EXPECT_EQ(done->files_added, 16);
  EXPECT_EQ(world_.rows(), before);
  EXPECT_LE(files_read("id", 20), 6U);
  EXPECT_LE(files_read("v", 20), 6U);
  std::set<std::string> clusters;
  for (const delta::AddFile& file : files()) {
    EXPECT_EQ(file.clustering_provider, "lakemill");
    clusters.insert(file.tags.at("lakemill.cluster"));
  }
  EXPECT_EQ(clusters.size(), 1U);
  const auto newest = world_.table().history(1);
  ASSERT_THAT(newest, IsOk());
  EXPECT_EQ(newest->front().commit_info["operationParameters"]["clusterBy"],
            "[\"id\",\"v\"]");
}

TEST_F(Clustering, AFileIsReadOnlyWhereItsOneColumnMatches) {
  ASSERT_THAT(world_.create({}, false), IsOk());
  ASSERT_THAT(cluster_by({{"v"}}), IsOk());
  append_square(4);
  ASSERT_THAT(optimize_to(bytes() / 8 + 1), IsOk());
  EXPECT_EQ(world_.file_count(), 8U);
  for (const std::int64_t value : {1, 30, 62}) EXPECT_EQ(files_read("v", value), 1U);
}

TEST_F(Clustering, WhatIsInOrderStaysUntilMoreComes) {
  ASSERT_THAT(world_.create({}, false), IsOk());
  ASSERT_THAT(cluster_by({{"id"}, {"v"}}), IsOk());
  append_square(4);
  const std::int64_t target = bytes() / 4 + 1;
  ASSERT_THAT(optimize_to(target), IsOk());
  const delta::Version version = world_.version();
  auto again = optimize_to(target);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->version, -1);
  EXPECT_EQ(world_.version(), version);
  ASSERT_THAT(world_.append("(1, 'q', NULL), (NULL, NULL, 5)"), IsOk());
  again = optimize_to(target);
  ASSERT_THAT(again, IsOk());
  EXPECT_GT(again->files_removed, 1);
  EXPECT_THAT(world_.query("SELECT count(*), count(id), count(v) FROM t"),
              ElementsAre("4098|4097|4097"));
}

TEST_F(Clustering, OtherColumnsOrderAllFilesAnew) {
  ASSERT_THAT(world_.create({}, false), IsOk());
  ASSERT_THAT(cluster_by({{"id"}}), IsOk());
  append_square(2);
  const std::int64_t target = bytes() / 8 + 1;
  ASSERT_THAT(optimize_to(target), IsOk());
  EXPECT_GT(world_.file_count(), 4U);
  EXPECT_EQ(files_read("v", 20), world_.file_count());
  ASSERT_THAT(cluster_by({{"v"}}), IsOk());
  ASSERT_THAT(optimize_to(target), IsOk());
  EXPECT_LE(files_read("v", 20), 2U);
}

TEST_F(Clustering, FilesThatOthersClusteredAreLeftToThem) {
  ASSERT_THAT(world_.create({}, false), IsOk());
  ASSERT_THAT(cluster_by({{"id"}}), IsOk());
  append_square(3);
  delta::Transaction transaction(world_.table(), *world_.table().latest());
  delta::AddFile theirs = files().front();
  transaction.remove(delta::removal_of(theirs));
  theirs.clustering_provider = "liquid";
  transaction.add(theirs);
  ASSERT_THAT(
      transaction.commit("OPTIMIZE", Json::object(), world_.clock(), world_.random()),
      IsOk());
  const auto done = optimize_to(1 << 20);
  ASSERT_THAT(done, IsOk());
  EXPECT_EQ(done->files_removed, 2);
  std::set<std::string> providers;
  for (const auto& file : files()) providers.insert(*file.clustering_provider);
  EXPECT_THAT(providers, ElementsAre("lakemill", "liquid"));
}

TEST_F(Clustering, DoesNotChangeToColumnsOfWhichFilesTellNothing) {
  ASSERT_THAT(world_.create({{"delta.dataSkippingNumIndexedCols", "1"}}, false),
              IsOk());
  ASSERT_THAT(world_.append("(1, 'a', 1)"), IsOk());
  EXPECT_THAT(cluster_by({{"v"}}),
              HasError(ErrorCode::unsupported, "1 of its 1 files have no statistics"));
  ASSERT_THAT(cluster_by({{"id"}}), IsOk());
}

TEST_F(Clustering, FilesTellOfClusteringColumnsThatAreNotIndexed) {
  ASSERT_THAT(world_.create({{"delta.dataSkippingNumIndexedCols", "1"}}, false),
              IsOk());
  ASSERT_THAT(cluster_by({{"v"}}), IsOk());
  ASSERT_THAT(world_.append("(1, 'a', 7), (2, 'b', 9)"), IsOk());
  EXPECT_THAT(files().front().stats, HasSubstr("\"maxValues\":{\"id\":2,\"v\":9}"));
  ASSERT_THAT(world_.remove("id = 1"), IsOk());  // which writes the file anew
  EXPECT_THAT(files().front().stats, HasSubstr("\"maxValues\":{\"id\":2,\"v\":9}"));
  ASSERT_THAT(world_.append("(3, 'a', 8)"), IsOk());
  ASSERT_THAT(optimize_to(1 << 20), IsOk());
  EXPECT_THAT(files().front().stats, HasSubstr("\"maxValues\":{\"id\":3,\"v\":9}"));
}

TEST_F(Clustering, SmallCommitsAreWrittenTogetherInOrder) {
  ASSERT_THAT(world_.create({}, false), IsOk());
  ASSERT_THAT(cluster_by({{"id"}, {"v"}}), IsOk());
  for (int i = 0; i < 70; ++i) {
    ASSERT_THAT(world_.append("(" + std::to_string(i * 37 % 70) + ", 'a', " +
                              std::to_string(i) + ")"),
                IsOk());
  }
  const auto done = maintain(world_.context(), {});
  ASSERT_THAT(done, IsOk());
  EXPECT_GT(done->files_removed, 30);
  EXPECT_EQ(files().front().clustering_provider, "lakemill");
  EXPECT_THAT(world_.query("SELECT count(DISTINCT v) FROM t"), ElementsAre("70"));
}

}  // namespace
}  // namespace lakemill::dml
