#include "lakemill/net/retry.h"

#include <gtest/gtest.h>

namespace lakemill::net {
namespace {

using std::chrono::milliseconds;

TEST(RetryBudget, DoublesItsPausesUpToABoundAndScattersThem) {
  SeededRandom random(1);
  RetryBudget budget({.attempts_max = 12, .tokens_max = 1000}, random);
  bool differ = false;
  for (int failures = 1; failures < 12; ++failures) {
    const auto whole = std::min<std::int64_t>(100LL << (failures - 1), 5000);
    const auto one = budget.next_pause(failures, milliseconds(0), std::nullopt);
    const auto two = budget.next_pause(failures, milliseconds(0), std::nullopt);
    ASSERT_TRUE(one && two);
    EXPECT_GE(one->count(), whole / 2);
    EXPECT_LE(one->count(), whole);
    differ = differ || *one != *two;
  }
  EXPECT_TRUE(differ);
}

TEST(RetryBudget, GivesUpAfterSoManyAttemptsOrSoLong) {
  SeededRandom random(1);
  RetryBudget budget({.attempts_max = 3}, random);
  EXPECT_TRUE(budget.next_pause(2, milliseconds(0), std::nullopt));
  EXPECT_FALSE(budget.next_pause(3, milliseconds(0), std::nullopt));
  EXPECT_FALSE(budget.next_pause(1, milliseconds(90'000), std::nullopt));
}

TEST(RetryBudget, WaitsAsLongAsThePeerAsksWithinItsBound) {
  SeededRandom random(1);
  RetryBudget budget({}, random);
  EXPECT_EQ(budget.next_pause(1, milliseconds(0), milliseconds(2000)),
            milliseconds(2000));
  EXPECT_EQ(budget.next_pause(1, milliseconds(0), milliseconds(60'000)),
            milliseconds(5000));
}

TEST(RetryBudget, IsUsedUpByFailuresAndFilledBySuccesses) {
  SeededRandom random(1);
  RetryBudget budget({.tokens_max = 2}, random);
  EXPECT_TRUE(budget.next_pause(1, milliseconds(0), std::nullopt));
  EXPECT_TRUE(budget.next_pause(1, milliseconds(0), std::nullopt));
  EXPECT_FALSE(budget.next_pause(1, milliseconds(0), std::nullopt));
  for (int i = 0; i < 11; ++i) budget.note_success();
  EXPECT_TRUE(budget.next_pause(1, milliseconds(0), std::nullopt));
  EXPECT_FALSE(budget.next_pause(1, milliseconds(0), std::nullopt));
}

}  // namespace
}  // namespace lakemill::net
