#include "lakemill/testing/crashing_store.h"

#include <gtest/gtest.h>

#include "lakemill/testing/matchers.h"
#include "lakemill/testing/memory_store.h"

namespace lakemill::testkit {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class CrashingStoreTest : public ::testing::Test {
 protected:
  // Three calls: a read, a write, a write.
  static void run(CrashingStoreProvider& provider) {
    auto store = provider.open("memory://a");
    ASSERT_THAT(store, IsOk());
    first_ = (*store)->list("", "").has_value();
    second_ = (*store)->put("x", "1");
    third_ = (*store)->put("y", "2");
  }

  MemoryStoreProvider disk_;
  static inline bool first_ = false;
  static inline Status second_;
  static inline Status third_;
};

TEST_F(CrashingStoreTest, CountsCallsWhenNothingIsToGoWrong) {
  CrashingStoreProvider provider(disk_, {});
  run(provider);
  EXPECT_EQ(provider.calls(), 3);
  EXPECT_THAT(provider.trace(),
              ElementsAre("list memory://a", "put memory://a/x", "put memory://a/y"));
  EXPECT_FALSE(provider.died());
  EXPECT_THAT(third_, IsOk());
}

TEST_F(CrashingStoreTest, DiesBeforeTheCallActs) {
  CrashingStoreProvider provider(disk_, {.fault = Fault::die_before, .at_call = 1});
  run(provider);
  EXPECT_THAT(second_, HasError(ErrorCode::unavailable, "process died"));
  EXPECT_THAT(third_, HasError(ErrorCode::unavailable, "process died"));
  EXPECT_THAT(disk_.objects(), IsEmpty());
  EXPECT_TRUE(provider.died());
  EXPECT_THAT(provider.open("memory://a"), HasError(ErrorCode::unavailable, "died"));
}

TEST_F(CrashingStoreTest, DiesAfterTheCallActed) {
  CrashingStoreProvider provider(disk_, {.fault = Fault::die_after, .at_call = 1});
  run(provider);
  EXPECT_THAT(second_, HasError(ErrorCode::unavailable, "process died"));
  EXPECT_THAT(third_, HasError(ErrorCode::unavailable, "process died"));
  EXPECT_THAT(disk_.objects(), ElementsAre(Pair("memory://a/x", "1")));
}

TEST_F(CrashingStoreTest, LosesOneAnswerAndGoesOn) {
  CrashingStoreProvider provider(disk_, {.fault = Fault::lose_answer, .at_call = 1});
  run(provider);
  EXPECT_THAT(second_, HasError(ErrorCode::unknown, "lost"));
  EXPECT_THAT(third_, IsOk());
  EXPECT_EQ(disk_.objects().size(), 2U);
}

TEST_F(CrashingStoreTest, RefusesOnceAndGoesOn) {
  CrashingStoreProvider provider(disk_, {.fault = Fault::refuse, .at_call = 1});
  run(provider);
  EXPECT_THAT(second_, HasError(ErrorCode::unavailable, "refused"));
  EXPECT_THAT(third_, IsOk());
  EXPECT_THAT(disk_.objects(), ElementsAre(Pair("memory://a/y", "2")));
}

TEST_F(CrashingStoreTest, CountsTheCallsOfWritersToo) {
  CrashingStoreProvider provider(disk_, {.fault = Fault::die_after, .at_call = 2});
  auto store = provider.open("memory://a");
  ASSERT_THAT(store, IsOk());
  auto writer = (*store)->create("x");
  ASSERT_THAT(writer, IsOk());
  EXPECT_THAT((*writer)->append("1"), IsOk());
  EXPECT_THAT((*writer)->finish(), HasError(ErrorCode::unavailable, "process died"));
  EXPECT_THAT(
      provider.trace(),
      ElementsAre("create memory://a/x", "append memory://a/x", "finish memory://a/x"));
  EXPECT_THAT(disk_.objects(), ElementsAre(Pair("memory://a/x", "1")));
}

}  // namespace
}  // namespace lakemill::testkit
