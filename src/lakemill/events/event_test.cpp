#include "lakemill/events/event.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "lakemill/events/event_bus.h"
#include "lakemill/events/event_query.h"
#include "lakemill/testing/manual_clock.h"
#include "lakemill/testing/matchers.h"

namespace lakemill::events {
namespace {

using testkit::IsOk;

Event sample() {
  Event event;
  event.type = EventType::table_committed;
  event.run_id = "run-1";
  event.table_name = "main.gold.t";
  event.version = 7;
  event.details = Json{{"rows", 12}};
  event.writer = "w";
  event.sequence = 3;
  event.time = testkit::ManualClock().now();
  return event;
}

TEST(EventTypes, HaveDistinctNamesByWhichTheyAreFound) {
  std::set<std::string_view> names;
  for (const auto& info : event_types()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_EQ(event_type_from_name(info.name), info.type);
    EXPECT_EQ(&describe(info.type), &info);
    EXPECT_FALSE(info.sentence.empty());
  }
  EXPECT_EQ(event_type_from_name("no_such_type"), std::nullopt);
}

TEST(MessageOf, PutsNamesIntoTheSentenceOfTheType) {
  auto event = sample();
  EXPECT_EQ(message_of(event), "table main.gold.t is at version 7");
  event.version.reset();
  EXPECT_EQ(message_of(event), "table main.gold.t is at version ?");
  event.message = "own {words}";
  EXPECT_EQ(message_of(event), "own {words}");
}

TEST(RowOf, HasExactlyTheColumnsOfTheSchema) {
  auto row = parse_json(row_of(sample(), "abc"));
  ASSERT_THAT(row, IsOk());
  EXPECT_EQ(row->size(), event_schema().fields.size());
  for (const auto& field : event_schema().fields) {
    EXPECT_TRUE(row->contains(field.name)) << field.name;
  }
  EXPECT_EQ((*row)["id"], "w-3");
  EXPECT_EQ((*row)["time"], "2026-01-01T00:00:00.000000Z");
  EXPECT_EQ((*row)["level"], "info");
  EXPECT_EQ((*row)["type"], "table_committed");
  EXPECT_EQ((*row)["details"], R"({"rows":12})");
  EXPECT_EQ((*row)["chain"], "abc");
  EXPECT_TRUE((*row)["node"].is_null());
  EXPECT_TRUE((*row)["batch"].is_null());
}

TEST(RowOf, IsOneLineOfBoundedSizeWhateverTheContent) {
  auto event = sample();
  for (int repeat = 0; repeat < 10'000; ++repeat) event.message += "\xC3\xA9\n";
  event.node = "bad \xFF byte";
  event.details = Json{{"big", std::string(1 << 20, 'x')}};
  const auto line = row_of(event, "");
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_LT(line.size(), 40'000U);
  auto row = parse_json(line);
  ASSERT_THAT(row, IsOk());
  const auto message = (*row)["message"].get<std::string>();
  EXPECT_LE(message.size(), std::size_t{16 << 10});
  EXPECT_TRUE(message.ends_with(" … (cut)"));
  EXPECT_EQ(message.find("\xEF\xBF\xBD"), std::string::npos);  // no broken character
  EXPECT_NE((*row)["details"].get<std::string>().find("too large"), std::string::npos);
}

TEST(ChainOf, ChangesWithTheEventAndWithWhatCameBefore) {
  const auto event = sample();
  const auto link = chain_of(kChainBegin, event);
  EXPECT_EQ(link.size(), 64U);
  EXPECT_EQ(link, chain_of(kChainBegin, event));
  EXPECT_NE(link, chain_of(link, event));
  auto other = event;
  other.details["rows"] = 13;
  EXPECT_NE(link, chain_of(kChainBegin, other));
}

TEST(EventBus, TellsFollowersUntilTheyLeave) {
  EventBus bus;
  std::vector<std::int64_t> seen;
  const auto publish = [&bus](std::int64_t batch) {
    Event event;
    bus.publish(event, [batch](Event& prepared) { prepared.batch = batch; });
  };
  publish(0);
  {
    auto subscription =
        bus.subscribe([&](const Event& event) { seen.push_back(*event.batch); });
    publish(1);
    auto moved = std::move(subscription);
    publish(2);
  }
  publish(3);
  EXPECT_THAT(seen, ::testing::ElementsAre(1, 2));
}

TEST(EventBus, MayGoBeforeItsSubscriptions) {
  EventBus::Subscription subscription;
  {
    EventBus bus;
    subscription = bus.subscribe([](const Event&) {});
  }
  SUCCEED();
}

TEST(SelectEvents, QuotesWhatItIsGiven) {
  EventFilter filter;
  filter.types = {EventType::run_failed, EventType::node_failed};
  filter.least_level = EventLevel::warning;
  filter.pipeline = "it's";
  filter.since = testkit::ManualClock().now();
  const auto sql = select_events("events", filter, 10);
  EXPECT_THAT(sql,
              ::testing::HasSubstr(
                  "WHERE \"type\" IN ('run_failed', 'node_failed') AND \"level\" IN "
                  "('warning', 'error') AND \"pipeline\" = 'it''s' AND \"time\" >= "
                  "TIMESTAMPTZ '2026-01-01T00:00:00.000000Z' ORDER BY"));
  EXPECT_THAT(sql, ::testing::HasSubstr("LIMIT 10)"));
  EXPECT_THAT(select_events("events", {}, 10),
              ::testing::Not(::testing::HasSubstr("WHERE")));
}

}  // namespace
}  // namespace lakemill::events
