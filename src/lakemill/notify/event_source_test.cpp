#include "lakemill/notify/event_source.h"

#include <array>
#include <cstdio>

#include <gtest/gtest.h>

#include "lakemill/events/event_log_fixture_test.h"
#include "lakemill/events/event_writer.h"
#include "lakemill/testing/manual_clock.h"
#include "lakemill/testing/memory_store.h"

namespace lakemill::notify {
namespace {

using testkit::HasError;
using testkit::IsOk;

std::string commit_of(std::int64_t version) {
  std::array<char, 64> name{};
  (void)std::snprintf(name.data(), name.size(), "/_delta_log/%020lld.json",
                      static_cast<long long>(version));
  return std::string(events::kRoot) + "/_lakemill/events" + name.data();
}

TEST(FeedSource, FindsTheOldestThatWasNotCleanedAway) {
  constexpr std::int64_t kVersions = 90;
  testkit::MemoryStoreProvider disk;
  testkit::ManualClock clock;
  SeededRandom random(1);
  events::JsonFiles files(disk);
  events::JsonRows rows(disk);
  events::NoCheckpoints checkpoints;
  auto log =
      events::EventLog::open(events::kRoot, {disk, checkpoints, files, clock, random});
  ASSERT_THAT(log, IsOk());
  {
    events::EventWriter writer(**log, {});
    for (std::int64_t version = 0; version < kVersions; ++version) {
      writer.add(events::event_of(events::EventType::notice, version));
      ASSERT_THAT(writer.flush(), IsOk());
    }
  }
  auto feed = events::EventFeed::open(**log, rows, {});
  ASSERT_THAT(feed, IsOk());
  FeedSource source(**feed);
  std::int64_t cleaned = 0;
  for (const std::int64_t oldest : {1, 2, 40, 89, 90}) {
    for (; cleaned < oldest; ++cleaned) disk.tamper(commit_of(cleaned), nullptr);
    for (const events::FeedPosition lost : {events::FeedPosition{0, 0}, {oldest - 1, 1}}) {
      EXPECT_THAT(source.read_after(lost, 1), HasError(ErrorCode::not_found, ""));
      const auto found = source.oldest_beyond(lost);
      ASSERT_THAT(found, IsOk());
      EXPECT_EQ(*found, events::FeedPosition(oldest, 0));
    }
    EXPECT_THAT(source.read_after({oldest, 0}, 1), IsOk());
  }
}

}  // namespace
}  // namespace lakemill::notify
