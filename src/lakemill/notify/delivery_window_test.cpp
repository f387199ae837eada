#include "lakemill/notify/delivery_window.h"

#include <set>

#include <gtest/gtest.h>

#include "lakemill/notify/fed_event_test.h"
#include "lakemill/testing/matchers.h"

namespace lakemill::notify {
namespace {

using testkit::HasError;
using testkit::IsOk;

// Of fed_event(): number n stands at 7.<n + 1>.
events::FeedPosition at(std::int64_t number) {
  return {7, static_cast<std::int32_t>(number) + 1};
}

constexpr WindowLimits kOneLane{.lanes = 1, .events_max = 4, .bytes_max = 1 << 20};

TEST(DeliveryWindow, PassesTheOldestOpenEventNever) {
  DeliveryWindow window({.lanes = 16, .events_max = 100, .bytes_max = 1 << 20},
                        Progress{{7, 0}, {}, {}});
  // Subjects of lanes of their own.
  std::set<std::size_t> lanes;
  std::vector<std::string> subjects;
  for (int name = 0; subjects.size() < 3; ++name) {
    const std::string subject = "pipeline/" + std::to_string(name);
    if (lanes.insert(std::hash<std::string>()(subject) % 16).second) {
      subjects.push_back(subject);
    }
  }
  window.add(fed_event(0, subjects[0]));
  window.add(fed_event(2, subjects[1]));  // 1 is not for it
  window.add(fed_event(3, subjects[2]));
  window.pass({8, 0});
  EXPECT_EQ(window.position(), events::FeedPosition(7, 0));
  std::vector<DeliveryWindow::Entry*> heads;
  for (std::size_t lane = 0; lane < window.lanes(); ++lane) {
    if (auto* head = window.head(lane)) heads.push_back(head);
  }
  ASSERT_EQ(heads.size(), 3U);
  const auto entry = [&](std::int64_t number) -> DeliveryWindow::Entry& {
    for (auto* head : heads) {
      if (head->fed.at == at(number)) return *head;
    }
    std::abort();
  };
  auto& first = entry(0);
  auto& second = entry(2);
  auto& third = entry(3);
  window.finish(second);
  EXPECT_EQ(window.progress({}),
            (Progress{{7, 0}, {at(2)}, {}}));
  window.finish(first);
  EXPECT_EQ(window.progress({}), (Progress{at(2), {}, {}}));
  window.finish(third);
  EXPECT_EQ(window.progress({}), (Progress{{8, 0}, {}, {}}));
}

TEST(DeliveryWindow, GivesALaneItsOldestOnly) {
  DeliveryWindow window(kOneLane, Progress{{7, 0}, {}, {}});
  window.add(fed_event(0, "a"));
  window.add(fed_event(1, "b"));
  ASSERT_NE(window.head(0), nullptr);
  EXPECT_EQ(window.head(0)->fed.at, at(0));
  window.finish(*window.head(0));
  EXPECT_EQ(window.head(0)->fed.at, at(1));
  window.finish(*window.head(0));
  EXPECT_EQ(window.head(0), nullptr);
}

TEST(DeliveryWindow, HasRoomForSoManyFromTheOldestOpenOn) {
  DeliveryWindow window(kOneLane, Progress{{7, 0}, {}, {}});
  EXPECT_EQ(window.room(), 4U);
  for (int number = 0; number < 4; ++number) window.add(fed_event(number, "a"));
  EXPECT_EQ(window.room(), 0U);
  window.finish(*window.head(0));
  EXPECT_EQ(window.room(), 1U);
  EXPECT_EQ(window.open_count(), 3U);
}

TEST(DeliveryWindow, HasNoRoomBeyondItsBytes) {
  DeliveryWindow window({.lanes = 1, .events_max = 100, .bytes_max = 1'000},
                        Progress{{7, 0}, {}, {}});
  window.add(fed_event(0, "a"));
  EXPECT_GT(window.room(), 0U);
  window.add(fed_event(1, "a"));
  EXPECT_EQ(window.room(), 0U);
  window.finish(*window.head(0));
  EXPECT_GT(window.room(), 0U);
}

TEST(DeliveryWindow, GoesOnWhereSomebodyWas) {
  const Progress before{{7, 0},
                        {at(1), at(2), at(9)},
                        {{at(0), 5, std::chrono::milliseconds(70)},
                         {at(8), 1, std::chrono::milliseconds(10)}}};
  DeliveryWindow window({.lanes = 1, .events_max = 100, .bytes_max = 1 << 20}, before);
  EXPECT_EQ(window.progress({}), before);
  for (int number = 0; number < 4; ++number) window.add(fed_event(number, "a"));
  auto& first = *window.head(0);
  EXPECT_EQ(first.attempts, 5);
  first.first_attempt = std::chrono::microseconds(1'000'000);
  EXPECT_EQ(window.progress(std::chrono::microseconds(1'030'000)),
            (Progress{{7, 0},
                      {at(1), at(2), at(9)},
                      {{at(0), 5, std::chrono::milliseconds(100)},
                       {at(8), 1, std::chrono::milliseconds(10)}}}));
  window.finish(first);
  EXPECT_EQ(window.head(0)->fed.at, at(3)) << "what was done is not done again";
  EXPECT_EQ(window.position(), at(2));
}

TEST(DeliveryWindow, ForgetsWhatIsPassed) {
  DeliveryWindow window(kOneLane,
                        Progress{{7, 0},
                                 {at(1), at(5)},
                                 {{at(0), 1, std::chrono::milliseconds(0)}}});
  window.add(fed_event(2, "a"));  // a selector that lets 0 and 1 pass no more
  window.pass(at(2));
  window.finish(*window.head(0));
  EXPECT_EQ(window.progress({}), (Progress{at(2), {at(5)}, {}}));
}

TEST(Progress, IsReadAsItIsWritten) {
  const Progress progress{{12, 3},
                          {{12, 5}, {13, 1}},
                          {{{12, 4}, 7, std::chrono::milliseconds(12'345)}}};
  const auto read = parse_progress(text_of(progress));
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read.value(), progress);
}

TEST(Progress, IsNotGuessed) {
  for (const auto* text :
       {"", "{}", "[]", R"({"position": "1", "done_beyond": [], "failing": []})",
        R"({"position": 1, "done_beyond": [], "failing": []})",
        R"({"position": "1.1", "done_beyond": {}, "failing": []})",
        R"({"position": "1.1", "done_beyond": ["x"], "failing": []})",
        R"({"position": "1.1", "done_beyond": [], "failing": [{}]})"}) {
    EXPECT_THAT(parse_progress(text), HasError(ErrorCode::corrupt, "cannot be read"))
        << text;
  }
}

}  // namespace
}  // namespace lakemill::notify
