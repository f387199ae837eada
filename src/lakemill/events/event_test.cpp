#include "lakemill/events/event.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "lakemill/base/hash.h"
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
  event.details = Json{{"url", "memory://t"}, {"written", 12}};
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
  EXPECT_EQ((*row)["details"], R"({"url":"memory://t","written":12})");
  EXPECT_EQ((*row)["chain"], "abc");
  EXPECT_EQ((*row)["subject"], "table/main.gold.t");
  EXPECT_TRUE((*row)["node"].is_null());
  EXPECT_TRUE((*row)["batch"].is_null());
  EXPECT_TRUE((*row)["caused_by"].is_null());
}

TEST(RowOf, ComesBackAsTheEventItWas) {
  Event event = sample();
  event.caused_by = "w-1";
  event.actor = "ada";
  event.message = "m";
  const auto row = parse_json(row_of(event, "abc"));
  ASSERT_THAT(row, IsOk());
  const auto back = event_from_columns(*row);
  ASSERT_THAT(back, IsOk());
  EXPECT_EQ(event_json(*back), event_json(event));
  EXPECT_EQ(row_of(*back, "abc"), row_of(event, "abc"));
  Json other = *row;
  other["type"] = "of_a_later_version";
  const auto unknown = event_from_columns(other);
  ASSERT_THAT(unknown, IsOk());
  EXPECT_EQ(unknown->type, EventType::notice);
  EXPECT_EQ(unknown->message, "m");
  other.erase("sequence");
  EXPECT_THAT(event_from_columns(other),
              testkit::HasError(ErrorCode::corrupt, "event w-3 of the log has no"));
}

TEST(SubjectOf, IsWhatTheEventHappenedToOrWhatIsAroundIt) {
  Event event;
  event.type = EventType::table_committed;
  EXPECT_EQ(subject_of(event), "project");
  event.pipeline = "p";
  EXPECT_EQ(subject_of(event), "pipeline/p");
  event.node = "n";
  EXPECT_EQ(subject_of(event), "node/p/n");
  event.table_name = "main.gold.t";
  EXPECT_EQ(subject_of(event), "table/main.gold.t");
  event.subject = "table/memory://t";
  EXPECT_EQ(subject_of(event), "table/memory://t");
  event.subject.clear();
  event.type = EventType::rows_dropped;
  EXPECT_EQ(subject_of(event), "node/p/n");
  event.type = EventType::run_started;
  EXPECT_EQ(subject_of(event), "pipeline/p");
  event.type = EventType::user_action;
  EXPECT_EQ(subject_of(event), "project");
  event.actor = "ada";
  EXPECT_EQ(subject_of(event), "user/ada");
  event.type = EventType::delivery_failed;
  EXPECT_EQ(subject_of(event), "project");
  event.details = Json{{"subscription", "ops"}};
  EXPECT_EQ(subject_of(event), "subscription/ops");
}

TEST(FaultInDetails, SaysWhatIsNotAsDescribed) {
  Event event;
  event.type = EventType::run_retry;
  const auto fault = [&event](Json details) {
    event.details = std::move(details);
    return fault_in_details(event).value_or("none");
  };
  EXPECT_EQ(fault({{"at", "2026-01-01T00:00:00.000000Z"}, {"attempt", 2}}), "none");
  EXPECT_EQ(fault({{"at", "2026-01-01T00:00:00Z"}, {"attempt", nullptr}}), "none");
  EXPECT_EQ(fault(Json::object()), "'at' in details of run_retry is missing");
  EXPECT_EQ(fault({{"at", "soon"}}), "'at' in details of run_retry is of another type");
  EXPECT_EQ(fault({{"at", "2026-01-01"}, {"attempt", "2"}}),
            "'attempt' in details of run_retry is of another type");
  EXPECT_EQ(fault({{"at", "2026-01-01"}, {"odd", 1}}),
            "'odd' in details of run_retry is not described");
  EXPECT_EQ(fault(Json::array()), "details of run_retry are no object");
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
  other.details["written"] = 13;
  EXPECT_NE(link, chain_of(kChainBegin, other));
}

// The link as it was before there were subject, caused_by and actor: logs of then are
// checked by the same rule.
TEST(ChainAfter, LeavesOutLaterColumnsThatAreNull) {
  Json columns{{"id", "w-0"}, {"writer", "w"}, {"batch", nullptr}};
  const std::string before = sha256_hex(std::string("abc\n") + json_text(columns));
  EXPECT_EQ(chain_after("abc", columns), before);
  for (const char* name : {"subject", "caused_by", "actor"}) columns[name] = nullptr;
  EXPECT_EQ(chain_after("abc", columns), before);
  columns["actor"] = "ada";
  EXPECT_NE(chain_after("abc", columns), before);
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
