#include "lakemill/flow/batch_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/testing/matchers.h"

namespace lakemill::flow {
namespace {

BatchPlan full_plan() {
  BatchPlan plan;
  plan.generation = 3;
  plan.number = 17;
  plan.definition = "d1";
  plan.now = Instant(std::chrono::microseconds(1'767'225'600'123'456));
  plan.seed = (std::uint64_t{1} << 63) - 1;
  plan.run_id = "run \"7\"";
  plan.strategy = Strategy::merge;
  plan.reason = StrategyReason::mode_merge;
  plan.slices = {{"orders", Json(), Json{{"arrival", 4}}, true},
                 {"view/0", Json{{"version", 1}}, Json{{"version", 2}}, false}};
  plan.pinned_tables = {{"main.silver.t", 5}};
  return plan;
}

TEST(BatchPlan, IsReadBackAsItWasWritten) {
  const BatchPlan plan = full_plan();
  const auto json = parse_json(json_text(to_json(plan)));
  ASSERT_THAT(json, testkit::IsOk());
  const auto read = plan_from_json(*json);
  ASSERT_THAT(read, testkit::IsOk());
  EXPECT_EQ(json_text(to_json(*read)), json_text(to_json(plan)));
  EXPECT_EQ(read->generation, 3);
  EXPECT_EQ(read->number, 17);
  EXPECT_EQ(read->now, plan.now);
  EXPECT_EQ(read->seed, plan.seed);
  EXPECT_EQ(read->strategy, Strategy::merge);
  ASSERT_EQ(read->slices.size(), 2U);
  EXPECT_TRUE(read->slices[0].from.is_null());
  EXPECT_TRUE(read->slices[0].incremental);
  EXPECT_EQ(read->slices[1].from, (Json{{"version", 1}}));
  EXPECT_EQ(read->pinned_tables, plan.pinned_tables);
}

TEST(BatchPlan, KeepsWhatABackfillReplacesAndWhatWasSetAside) {
  BatchPlan plan = full_plan();
  EXPECT_EQ(find_member(to_json(plan), "replace_where"), nullptr);
  plan.replace_where = "day >= DATE '2026-01-01'";
  plan.dead_letters = {{"orders", "/in/2.csv", "000000000002", "no \"number\"", 7}};
  const auto read = plan_from_json(to_json(plan));
  ASSERT_THAT(read, testkit::IsOk());
  EXPECT_EQ(read->replace_where, plan.replace_where);
  ASSERT_EQ(read->dead_letters.size(), 1U);
  EXPECT_EQ(read->dead_letters[0].file, "/in/2.csv");
  EXPECT_EQ(read->dead_letters[0].offset, "000000000002");
  EXPECT_EQ(read->dead_letters[0].error, "no \"number\"");
  EXPECT_EQ(read->dead_letters[0].size_bytes, 7);
  EXPECT_EQ(json_text(to_json(*read)), json_text(to_json(plan)));
}

TEST(BatchPlan, KeepsFormerSourcesAndWhereMergesRemember) {
  BatchPlan plan = full_plan();
  EXPECT_EQ(find_member(to_json(plan), "former_sources"), nullptr);
  EXPECT_EQ(find_member(to_json(plan), "change_states"), nullptr);
  plan.former_slices = {
      {"x", Json(), Json{{"version", 4}}, true, "table:/t", "lakemill:p/a"}};
  plan.change_states = {{"main.silver.m", "0"}, {"./t", "tab"}};
  const auto read = plan_from_json(to_json(plan));
  ASSERT_THAT(read, testkit::IsOk());
  ASSERT_EQ(read->former_slices.size(), 1U);
  EXPECT_EQ(read->former_slices[0].to, (Json{{"version", 4}}));
  EXPECT_EQ(read->former_slices[0].reads, "table:/t");
  EXPECT_EQ(read->former_slices[0].writer, "lakemill:p/a");
  EXPECT_EQ(read->change_states, plan.change_states);
}

TEST(BatchPlan, LacksNoMember) {
  for (const char* member :
       {"generation", "batch", "now", "strategy", "reason", "sources"}) {
    Json json = to_json(full_plan());
    json.erase(member);
    EXPECT_THAT(plan_from_json(json),
                testkit::HasError(ErrorCode::corrupt, "not a plan"))
        << member;
  }
}

TEST(BatchPlan, IsNothingElse) {
  for (const char* text :
       {"[]", "{}", "null", "7", R"({"generation":"x","batch":1})"}) {
    const auto json = parse_json(text);
    ASSERT_THAT(json, testkit::IsOk());
    EXPECT_THAT(plan_from_json(*json), testkit::HasError(ErrorCode::corrupt, ""))
        << text;
  }
  Json json = to_json(full_plan());
  json["strategy"] = "guess";
  EXPECT_THAT(plan_from_json(json), testkit::HasError(ErrorCode::corrupt, ""));
  json = to_json(full_plan());
  json["sources"][0].erase("to");
  EXPECT_THAT(plan_from_json(json), testkit::HasError(ErrorCode::corrupt, "to"));
}

TEST(BatchPlan, HoldsTheMomentsOfTheViewsThatItShares) {
  BatchPlan plan = full_plan();
  EXPECT_EQ(find_member(to_json(plan), "views"), nullptr);
  const auto now = parse_instant("2026-01-02T03:04:05.678901Z");
  ASSERT_THAT(now, testkit::IsOk());
  plan.views["v"] = {*now, 7};
  const auto read = plan_from_json(to_json(plan));
  ASSERT_THAT(read, testkit::IsOk());
  ASSERT_EQ(read->views.size(), 1U);
  EXPECT_EQ(read->views.at("v").now, *now);
  EXPECT_EQ(read->views.at("v").seed, 7U);
  EXPECT_EQ(to_json(*read), to_json(plan));
}

TEST(BatchPlan, HasATransactionVersionThatGrowsWithGenerationThenNumber) {
  BatchPlan plan;
  plan.generation = 1;
  plan.number = 2;
  EXPECT_EQ(plan.transaction_version(), (std::int64_t{1} << 32) + 2);
  EXPECT_EQ(generation_of(plan.transaction_version()), 1);
  EXPECT_EQ(number_of(plan.transaction_version()), 2);
  BatchPlan late = plan;
  late.number = 4'000'000'000;
  BatchPlan refreshed = plan;
  refreshed.generation = 2;
  refreshed.number = 1;
  EXPECT_LT(late.transaction_version(), refreshed.transaction_version());
  EXPECT_EQ(number_of(late.transaction_version()), 4'000'000'000);
}

TEST(Strategies, AndReasonsAreReadByTheNamesThatTheyAreWrittenWith) {
  for (int i = 0; i <= static_cast<int>(Strategy::view); ++i) {
    const auto strategy = static_cast<Strategy>(i);
    EXPECT_EQ(strategy_from_text(to_text(strategy)), strategy);
  }
  for (int i = 0; i <= static_cast<int>(StrategyReason::no_sink); ++i) {
    const auto reason = static_cast<StrategyReason>(i);
    EXPECT_EQ(reason_from_text(to_text(reason)), reason);
    EXPECT_FALSE(explain(reason).empty());
  }
  EXPECT_EQ(strategy_from_text("nothing"), std::nullopt);
  EXPECT_EQ(reason_from_text("because"), std::nullopt);
}

}  // namespace
}  // namespace lakemill::flow
