// What memory stores promise beyond the contract of every store, which
// storage/object_store_test.cpp holds them to.
#include "lakemill/testing/memory_store.h"

#include <gtest/gtest.h>

#include "lakemill/testing/manual_clock.h"
#include "lakemill/testing/matchers.h"

namespace lakemill::testkit {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(MemoryStore, CopiesItsObjectsForAnotherStart) {
  MemoryStoreProvider first;
  auto store = first.open("memory://a/b/");
  ASSERT_THAT(store, IsOk());
  ASSERT_THAT((*store)->put("x", "1"), IsOk());
  auto second = first.copy();
  ASSERT_THAT((*store)->put("x", "2"), IsOk());
  EXPECT_THAT(second->objects(), ElementsAre(Pair("memory://a/b/x", "1")));
  EXPECT_THAT(first.objects(), ElementsAre(Pair("memory://a/b/x", "2")));
}

TEST(MemoryStore, DatesWritesByTheClockItIsGiven) {
  ManualClock clock;
  MemoryStoreProvider provider(clock);
  auto store = provider.open("memory://a");
  ASSERT_THAT(store, IsOk());
  clock.advance(std::chrono::seconds(90));
  ASSERT_THAT((*store)->put("x", ""), IsOk());
  auto head = (*store)->head("x");
  ASSERT_THAT(head, IsOk());
  EXPECT_EQ(head->modified_ms, to_epoch_ms(clock.now()));
  EXPECT_EQ(clock.elapsed(), std::chrono::seconds(90));
}

TEST(MemoryStore, RefusesOtherSchemes) {
  MemoryStoreProvider provider;
  EXPECT_THAT(provider.open("/tmp"), HasError(ErrorCode::unsupported, "/tmp"));
  EXPECT_THAT(provider.open("memory://"), HasError(ErrorCode::invalid, ""));
}

}  // namespace
}  // namespace lakemill::testkit
