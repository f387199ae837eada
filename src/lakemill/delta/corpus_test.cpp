// Tables that other writers made, as far as their logs can be read without Parquet.
#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/delta/json_lines_format.h"
#include "lakemill/delta/snapshot.h"
#include "lakemill/storage/local_store.h"
#include "lakemill/testing/matchers.h"

namespace lakemill::delta {
namespace {

using testkit::HasError;
using testkit::IsOk;

// LAKEMILL_CORPUS, or the folder "shared" beside the source tree.
std::string corpus_folder() {
  const char* named = std::getenv("LAKEMILL_CORPUS");
  return named != nullptr ? named : LAKEMILL_CORPUS_FOLDER;
}

class CorpusTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(corpus_folder() + "/delta")) {
      GTEST_SKIP() << "no corpus at " << corpus_folder();
    }
  }
  // No Parquet can be read here: checkpoints that are Parquet fall back to commits.
  class NoParquet final : public CheckpointFormat {
    Result<std::string> read(std::string_view) override {
      return Error(ErrorCode::corrupt, "Parquet is not read here");
    }
    Result<std::int64_t> write(std::string_view, std::string_view) override {
      return Error(ErrorCode::denied, "nothing is written here");
    }
  };

  std::unique_ptr<Table> open(const std::string& name) {
    auto store = storage::open_local_store(corpus_folder() + "/delta/" + name);
    EXPECT_THAT(store, IsOk());
    return std::make_unique<Table>(*store, format_);
  }

  NoParquet format_;
};

struct Expected {
  const char* table;
  Version version;
  std::size_t files;
  std::size_t with_vectors;
  std::size_t columns;
};

constexpr Expected kTables[] = {
    {"golden/124-decimal-decode-bug/delta", 0, 2, 0, 1},
    {"golden/basic-decimal-table/delta", 0, 4, 0, 4},
    {"golden/basic-with-inserts-deletes-checkpoint/delta", 13, 7, 0, 1},
    {"golden/basic-with-inserts-overwrite-restore/delta", 3, 4, 0, 1},
    {"golden/basic-with-vacuum-protocol-check-feature/delta", 1, 2, 0, 2},
    {"golden/canonicalized-paths-normal-b/delta", 1, 0, 0, 1},
    {"golden/canonicalized-paths-special-b/delta", 1, 0, 0, 1},
    {"golden/corrupted-last-checkpoint-kernel/delta", 11, 2, 0, 1},
    {"golden/data-reader-timestamp_ntz-id-mode/delta", 1, 4, 0, 3},
    {"golden/data-skipping-change-stats-collected-across-versions/delta", 4, 3, 0, 2},
    {"golden/decimal-various-scale-precision/delta", 0, 1, 0, 29},
    {"golden/deltalog-commit-info/delta", 0, 1, 0, 0},
    {"golden/dv-with-columnmapping/delta", 15, 15, 2, 3},
    {"golden/kernel-timestamp-int96/delta", 0, 5, 0, 3},
    {"golden/log-replay-dv-key-cases/delta", 3, 1, 1, 1},
    {"golden/log-replay-special-characters/delta", 1, 0, 0, 1},
    {"golden/log-replay-special-characters-b/delta", 0, 1, 0, 1},
    {"golden/parquet-all-types/delta", 0, 1, 0, 20},
    {"golden/snapshot-data2-deleted/delta", 4, 3, 0, 2},
    {"golden/snapshot-repartitioned/delta", 5, 2, 0, 2},
    {"golden/table-with-columnmapping-mode-id/delta", 0, 2, 0, 19},
    {"golden/time-travel-partition-changes-a/delta", 0, 10, 0, 2},
    {"golden/time-travel-start-start20-start40/delta", 2, 6, 0, 1},
    {"golden/v2-checkpoint-json/delta", 2, 4, 0, 1},
    {"kernel/cdf-column-mapping-name-mode", 4, 3, 0, 3},
    {"kernel/cdf-table", 3, 9, 0, 3},
    {"kernel/cdf-table-with-dv", 6, 1, 0, 1},
    {"kernel/compacted-log-files-table", 25, 2, 1, 2},
    {"kernel/crc-full", 0, 0, 0, 1},
    {"kernel/table-with-dv-small", 1, 1, 1, 1},
    {"kernel/type-widening", 2, 2, 0, 13},
    {"kernel/v2-checkpoints-json-with-sidecars", 6, 101, 0, 1},
    {"kernel/void-column", 0, 3, 0, 2},
};

TEST_F(CorpusTest, ReadsTheLogsOfOtherWriters) {
  for (const Expected& expected : kTables) {
    SCOPED_TRACE(expected.table);
    const auto table = open(expected.table);
    const auto snapshot = table->latest();
    ASSERT_THAT(snapshot, IsOk());
    EXPECT_EQ((*snapshot)->version(), expected.version);
    EXPECT_EQ((*snapshot)->files().size(), expected.files);
    EXPECT_EQ((*snapshot)->metadata().schema.fields.size(), expected.columns);
    const auto scan = (*snapshot)->scan();
    ASSERT_THAT(scan, IsOk());
    std::size_t with_vectors = 0;
    for (const data::DataFile& file : (*scan)->files()) {
      with_vectors += file.deleted ? 1 : 0;
      EXPECT_TRUE(std::filesystem::exists(file.url) || expected.columns == 0 ||
                  !std::filesystem::exists(corpus_folder() + "/delta/" +
                                           expected.table + "/../expected"))
          << file.url;
    }
    EXPECT_EQ(with_vectors, expected.with_vectors);
    EXPECT_THAT(table->history(1000), IsOk());
  }
}

TEST_F(CorpusTest, RefusesBrokenLogsByWhatIsWrong) {
  EXPECT_THAT(open("golden/deltalog-invalid-protocol-version/delta")->latest(),
              HasError(ErrorCode::unsupported, "99"));
  EXPECT_THAT(
      open("golden/deltalog-state-reconstruction-without-protocol/delta")->latest(),
      HasError(ErrorCode::corrupt, "no protocol"));
  EXPECT_THAT(open("golden/versions-not-contiguous/delta")->latest(),
              HasError(ErrorCode::corrupt, "version 1 is missing"));
  EXPECT_THAT(open("golden/no-delta-log-folder/delta")->latest(),
              HasError(ErrorCode::not_found, "no Delta table"));
  const auto variant = open("kernel/unshredded-variant")->latest();
  ASSERT_THAT(variant, IsOk());
  EXPECT_THAT((*variant)->scan(), HasError(ErrorCode::unsupported, "variantType"));
}

TEST_F(CorpusTest, TravelsInTime) {
  const auto table = open("golden/time-travel-start-start20-start40/delta");
  EXPECT_EQ((*table->at_version(0))->files().size(), 2U);
  EXPECT_EQ((*table->at_version(1))->files().size(), 4U);
  EXPECT_THAT(table->at_version(3), HasError(ErrorCode::not_found, "versions 0 to 2"));
  const auto appended = table->appended(1, 2);
  ASSERT_THAT(appended, IsOk());
  EXPECT_EQ((*appended)->files().size(), 4U);
}

TEST_F(CorpusTest, SkipsByTheStatisticsOfAllTypes) {
  for (const char* name :
       {"golden/data-skipping-basic-stats-all-types/delta",
        "golden/data-skipping-basic-stats-all-types-columnmapping-id/delta"}) {
    SCOPED_TRACE(name);
    const auto snapshot = open(name)->latest();
    ASSERT_THAT(snapshot, IsOk());
    const auto scan = (*snapshot)->scan();
    ASSERT_THAT(scan, IsOk());
    const auto kept = [&](const char* column, data::Value value) {
      return (*scan)
          ->may_match({{column, data::Comparison::Op::eq, {std::move(value)}}})
          .size();
    };
    EXPECT_EQ(kept("as_int", std::int64_t{0}), 1U);
    EXPECT_EQ(kept("as_int", std::int64_t{1}), 0U);
    EXPECT_EQ(kept("as_string", std::string("0")), 1U);
    EXPECT_EQ(kept("as_string", std::string("1")), 0U);
    EXPECT_EQ(kept("as_float", 0.0), 1U);
    EXPECT_EQ(kept("as_float", 1.0), 0U);
    EXPECT_EQ(kept("as_date", data::Date{0}), 0U);
    EXPECT_EQ(kept("as_timestamp", data::Timestamp{0}), 0U);
    EXPECT_EQ(kept("as_big_decimal", data::Decimal{"0"}), 1U);
    EXPECT_EQ(kept("as_big_decimal", data::Decimal{"1"}), 0U);
  }
}

}  // namespace
}  // namespace lakemill::delta
