#include "lakemill/access/recent_cache.h"

#include <gtest/gtest.h>

#include "lakemill/testing/manual_clock.h"

namespace lakemill::access {
namespace {

using std::chrono::seconds;

class RecentCacheTest : public ::testing::Test {
 protected:
  testkit::ManualClock clock;
  RecentCache<int> cache{clock, 3, seconds(5)};
};

TEST_F(RecentCacheTest, ForgetsWhatWasReadTooLongAgo) {
  const auto moment = cache.begin();
  clock.advance(seconds(2));  // so long the reading took
  cache.keep("a", 1, moment);
  EXPECT_EQ(cache.find("a"), 1);
  clock.advance(seconds(3) - std::chrono::microseconds(1));
  EXPECT_EQ(cache.find("a"), 1);
  clock.advance(std::chrono::microseconds(1));
  EXPECT_EQ(cache.find("a"), std::nullopt);
}

TEST_F(RecentCacheTest, DoesNotGoByTheWallClock) {
  cache.keep("a", 1, cache.begin());
  clock.set(clock.now() - std::chrono::hours(24));
  EXPECT_EQ(cache.find("a"), 1);
  clock.advance(seconds(5));
  EXPECT_EQ(cache.find("a"), std::nullopt);
}

TEST_F(RecentCacheTest, KeepsNothingThatWasReadBeforeADrop) {
  const auto moment = cache.begin();
  cache.drop("a");
  cache.keep("a", 1, moment);
  EXPECT_EQ(cache.find("a"), std::nullopt);
}

TEST_F(RecentCacheTest, HasABoundAndGivesUpTheOldest) {
  for (const char* key : {"c", "a", "b", "d", "e"}) {
    cache.keep(key, 1, cache.begin());
    clock.advance(seconds(1));
    EXPECT_LE(cache.size(), 3U);
  }
  EXPECT_EQ(cache.find("c"), std::nullopt);
  EXPECT_EQ(cache.find("a"), std::nullopt);
  EXPECT_EQ(cache.find("b"), 1);
  EXPECT_EQ(cache.find("e"), 1);
  cache.keep("e", 2, cache.begin());
  EXPECT_EQ(cache.find("b"), 1);  // room for one that is there already is not made
}

TEST_F(RecentCacheTest, AmendsWithoutMakingItNewer) {
  cache.keep("a", 1, cache.begin());
  clock.advance(seconds(3));
  cache.amend("a", 2, cache.begin());
  cache.amend("b", 2, cache.begin());
  EXPECT_EQ(cache.find("a"), 2);
  EXPECT_EQ(cache.find("b"), std::nullopt);
  clock.advance(seconds(2));
  EXPECT_EQ(cache.find("a"), std::nullopt);
}

}  // namespace
}  // namespace lakemill::access
