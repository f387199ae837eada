#include "lakemill/notify/dead_letters.h"

#include <gtest/gtest.h>

#include "lakemill/notify/fed_event_test.h"
#include "lakemill/testing/matchers.h"
#include "lakemill/testing/memory_store.h"

namespace lakemill::notify {
namespace {

using testkit::HasError;
using testkit::IsOk;

TEST(DeadLetters, AreKeptWithTheirEventsAndFoundInOrder) {
  const auto store = testkit::make_memory_store();
  DeadLetters letters(*store, "ops");
  DeadLetters others(*store, "ops2");
  const Instant time(std::chrono::microseconds(1'767'225'600'000'001));
  for (const int number : {10, 2, 100}) {
    ASSERT_THAT(letters.put({fed_event(number, "pipeline/p"), number, "why", time}),
                IsOk());
  }
  ASSERT_THAT(others.put({fed_event(1, "x"), 1, "why", time}), IsOk());

  const auto all = letters.list(std::nullopt, 10);
  ASSERT_THAT(all, IsOk());
  ASSERT_EQ(all.value().size(), 3U);
  EXPECT_EQ(all.value()[0].attempts, 2);
  EXPECT_EQ(all.value()[2].attempts, 100);
  const auto later = letters.list(events::FeedPosition{7, 3}, 1);
  ASSERT_THAT(later, IsOk());
  ASSERT_EQ(later.value().size(), 1U);
  const DeadLetter& letter = later.value()[0];
  const auto written = fed_event(10, "pipeline/p");
  EXPECT_EQ(letter.event.at, written.at);
  EXPECT_EQ(events::event_json(*letter.event.event),
            events::event_json(*written.event));
  EXPECT_EQ(letter.error, "why");
  EXPECT_EQ(letter.time, time);

  ASSERT_THAT(letters.remove(letter.event.at), IsOk());
  EXPECT_THAT(letters.get(letter.event.at), HasError(ErrorCode::not_found, ""));
}

TEST(DeadLetters, ThatCannotBeReadAreNamed) {
  const auto store = testkit::make_memory_store();
  DeadLetters letters(*store, "ops");
  const auto path = "_lakemill/subscriptions/ops/dead_letters/000000000007-000004.json";
  for (const auto* text : {"", "{}", R"({"position": "7.4", "time": "2026-01-01"})"}) {
    ASSERT_THAT(store->put(path, text), IsOk());
    EXPECT_THAT(letters.get({7, 4}), HasError(ErrorCode::corrupt, path));
  }
}

TEST(DeadLetters, AreToldAsTheirTypesDescribe) {
  const DeadLetter letter{fed_event(3, "pipeline/p"), 5, "no answer", Instant{}};
  const auto failed = delivery_failed("ops", letter);
  EXPECT_EQ(events::fault_in_details(failed), std::nullopt);
  EXPECT_EQ(events::subject_of(failed), "subscription/ops");
  EXPECT_EQ(failed.caused_by, "w-3");
  const auto reset = subscription_reset("ops", {1, 2}, {3, 0});
  EXPECT_EQ(events::fault_in_details(reset), std::nullopt);
  EXPECT_EQ(events::subject_of(reset), "subscription/ops");
}

}  // namespace
}  // namespace lakemill::notify
