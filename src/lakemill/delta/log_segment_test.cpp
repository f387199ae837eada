#include "lakemill/delta/log_segment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/testing/matchers.h"
#include "lakemill/testing/memory_store.h"

namespace lakemill::delta {
namespace {

using ::testing::ElementsAre;
using testkit::HasError;
using testkit::IsOk;
using testkit::IsOkAnd;

LogListing listing_of(const std::vector<std::string>& names) {
  std::vector<storage::ObjectInfo> objects;
  for (const std::string& name : names) {
    objects.push_back({"_delta_log/" + name, 1, 2, "e"});
  }
  std::sort(objects.begin(), objects.end(),
            [](const auto& left, const auto& right) { return left.path < right.path; });
  return to_listing(objects);
}

std::string commit(int version) { return commit_path(version).substr(11); }
std::string checkpoint(int version, const std::string& rest) {
  return commit(version).substr(0, 20) + ".checkpoint." + rest;
}

TEST(LogSegment, KnowsTheNamesOfTheLog) {
  const LogListing listing =
      listing_of({commit(0), commit(1), "00000000000000000001.crc",
                  "00000000000000000000.00000000000000000001.compacted.json",
                  checkpoint(1, "parquet"),
                  checkpoint(1, "80a083e8-7026-4e79-81be-64bd76c43a11.json"),
                  checkpoint(1, "80a083e8.json"), "_last_checkpoint", "x.json",
                  "0000000000000000002.json", "00000000000000000003.json.tmp",
                  "_sidecars/00000000000000000009.json", "-0000000000000000001.json"});
  ASSERT_EQ(listing.commits.size(), 2U);
  EXPECT_EQ(listing.commits[1].version, 1);
  ASSERT_EQ(listing.checkpoints.size(), 2U);
  EXPECT_EQ(listing.newest(), 1);
  EXPECT_EQ(listing.oldest(), 0);
}

TEST(LogSegment, CountsAMultiPartCheckpointOnlyWhenItIsComplete) {
  const auto part = [](int version, int number, int count) {
    return checkpoint(version, "000000000" + std::to_string(number) + ".000000000" +
                                   std::to_string(count) + ".parquet");
  };
  const LogListing listing =
      listing_of({part(4, 1, 2), part(4, 2, 2), part(7, 1, 3), part(7, 3, 3),
                  part(7, 1, 2), part(7, 2, 2), part(9, 2, 2), part(9, 1, 3)});
  ASSERT_EQ(listing.checkpoints.size(), 2U);
  EXPECT_EQ(listing.checkpoints[0].version, 4);
  EXPECT_EQ(listing.checkpoints[1].version, 7);
  ASSERT_EQ(listing.checkpoints[1].parts.size(), 2U);
  EXPECT_EQ(listing.checkpoints[1].parts[1].path, "_delta_log/" + part(7, 2, 2));
}

TEST(LogSegment, NamesTheMissingCommit) {
  const LogListing listing = listing_of({commit(0), commit(2), commit(3)});
  EXPECT_THAT(make_segment(listing, 3, nullptr),
              HasError(ErrorCode::corrupt, "version 1 is missing"));
  EXPECT_THAT(make_segment(listing, 0, nullptr), IsOk());
  const CheckpointFiles one{1, {}};
  const Result<LogSegment> segment = make_segment(listing, 3, &one);
  ASSERT_THAT(segment, IsOk());
  EXPECT_EQ(segment->commits.size(), 2U);
}

TEST(LogSegment, TakesTheLastCheckpointForAHintOnly) {
  const auto store = testkit::make_memory_store();
  EXPECT_THAT(last_checkpoint_hint(*store), IsOkAnd(std::optional<Version>()));
  for (const char* text : {"", "{", "[]", R"({"version":"a"})", R"({"version":-3})"}) {
    ASSERT_THAT(store->put("_delta_log/_last_checkpoint", text), IsOk());
    EXPECT_THAT(last_checkpoint_hint(*store), IsOkAnd(std::optional<Version>()));
  }
  ASSERT_THAT(store->put("_delta_log/_last_checkpoint", R"({"version":12,"size":3})"),
              IsOk());
  EXPECT_THAT(last_checkpoint_hint(*store), IsOkAnd(std::optional<Version>(12)));
}

}  // namespace
}  // namespace lakemill::delta
