#include "lakemill/flow/flow_state.h"

#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/testing/crashing_store.h"
#include "lakemill/testing/matchers.h"
#include "lakemill/testing/memory_store.h"

namespace lakemill::flow {
namespace {

using testkit::HasError;
using testkit::IsOk;
using testkit::IsOkAnd;

BatchPlan plan_of(std::int64_t number, const std::string& run_id,
                  std::int64_t generation = 0) {
  BatchPlan plan;
  plan.generation = generation;
  plan.number = number;
  plan.definition = "d";
  plan.run_id = run_id;
  return plan;
}

std::string run_id_of(const Result<std::optional<BatchPlan>>& plan) {
  if (!plan) return plan.error().message();
  return *plan ? (*plan)->run_id : "none";
}

class FlowStates : public testing::Test {
 protected:
  FlowStates() : store_(*stores_.open("memory://lake")), state_(store_, "flows/n") {}

  void tamper(const std::string& path, const std::string& text) {
    stores_.tamper("memory://lake/flows/n/" + path, &text);
  }

  testkit::MemoryStoreProvider stores_;
  std::shared_ptr<storage::ObjectStore> store_;
  FlowState state_;
};

TEST_F(FlowStates, ANewFlowHasNothing) {
  EXPECT_THAT(state_.newest_generation(), IsOkAnd(0));
  EXPECT_EQ(run_id_of(state_.find_plan(0, 1)), "none");
  EXPECT_EQ(run_id_of(state_.last_plan(0)), "none");
  const auto done = state_.last_done(0);
  ASSERT_THAT(done, IsOk());
  EXPECT_EQ(*done, std::nullopt);
}

TEST_F(FlowStates, APlanUnderAnotherNameIsRefused) {
  ASSERT_THAT(state_.save_plan(plan_of(1, "first")), IsOk());
  const auto text = store_->get("flows/n/0/plans/0000000001.json");
  ASSERT_THAT(text, IsOk());
  tamper("0/plans/0000000002.json", *text);
  EXPECT_THAT(state_.find_plan(0, 2),
              HasError(ErrorCode::corrupt, "is that of batch 1"));
  std::string huge = *text;
  huge.replace(huge.find("\"generation\":0"), 14, "\"generation\":3000000000");
  tamper("0/plans/0000000003.json", huge);
  EXPECT_THAT(state_.find_plan(0, 3), HasError(ErrorCode::corrupt, "not a plan"));
}

TEST_F(FlowStates, FoldersOfOthersAreNoGenerations) {
  ASSERT_THAT(state_.save_plan(plan_of(1, "first", 2)), IsOk());
  tamper("20241123-backup/plans/0000000001.json", "{}");
  tamper("007/plans/0000000001.json", "{}");
  EXPECT_THAT(state_.newest_generation(), IsOkAnd(2));
}

TEST_F(FlowStates, PlansAreFoundByNumberAndTheLastByItsNumber) {
  for (const std::int64_t number : {1, 2, 9, 10, 11}) {
    ASSERT_THAT(state_.save_plan(plan_of(number, "run " + std::to_string(number))),
                IsOk());
  }
  EXPECT_EQ(run_id_of(state_.find_plan(0, 1)), "run 1");
  EXPECT_EQ(run_id_of(state_.find_plan(0, 10)), "run 10");
  EXPECT_EQ(run_id_of(state_.find_plan(0, 3)), "none");
  EXPECT_EQ(run_id_of(state_.find_plan(1, 1)), "none");
  EXPECT_EQ(run_id_of(state_.last_plan(0)), "run 11");
}

TEST_F(FlowStates, TheNewestRevisionOfAPlanStands) {
  for (int revision = 0; revision < 12; ++revision) {
    const std::string run = "run " + std::to_string(revision);
    const auto standing = state_.save_plan(plan_of(1, run));
    ASSERT_THAT(standing, IsOk());
    EXPECT_EQ(standing->run_id, run);
    EXPECT_EQ(run_id_of(state_.find_plan(0, 1)), run);
  }
  EXPECT_EQ(run_id_of(state_.last_plan(0)), "run 11");
}

TEST_F(FlowStates, APlanIsTakenBackByItselfAndNothingElse) {
  const BatchPlan others = plan_of(1, "another's");
  const BatchPlan ours = plan_of(1, "ours");
  ASSERT_THAT(state_.save_plan(others), IsOk());
  ASSERT_THAT(state_.save_plan(ours), IsOk());
  ASSERT_THAT(state_.withdraw_plan(ours), IsOk());
  EXPECT_EQ(run_id_of(state_.find_plan(0, 1)), "another's");
  ASSERT_THAT(state_.withdraw_plan(ours), IsOk()) << "it is not there";
  EXPECT_EQ(run_id_of(state_.find_plan(0, 1)), "another's");
  ASSERT_THAT(state_.save_plan(ours), IsOk());
  ASSERT_THAT(state_.save_plan(plan_of(1, "later")), IsOk());
  ASSERT_THAT(state_.withdraw_plan(ours), IsOk());
  EXPECT_EQ(run_id_of(state_.find_plan(0, 1)), "later");
}

TEST_F(FlowStates, OfTwoRunnersThatPlanAtOnceOneWinsAndBothSeeIt) {
  // Each sees no plan, then both write: the second put finds the first's.
  testkit::CrashingStoreProvider counted(stores_, {});
  for (int round = 0; round < 50; ++round) {
    std::vector<std::string> standing(2);
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < 2; ++i) {
        threads.emplace_back([&, i] {
          FlowState state(store_, "race/" + std::to_string(round));
          const auto saved = state.save_plan(plan_of(1, "run " + std::to_string(i)));
          standing[i] = saved ? saved->run_id : saved.error().message();
        });
      }
    }
    FlowState state(store_, "race/" + std::to_string(round));
    const std::string last = run_id_of(state.find_plan(0, 1));
    // One after the other, the later is a revision; at once, the winner stands for
    // both.
    EXPECT_TRUE(standing[0] == last || standing[1] == last);
    EXPECT_TRUE(standing[0] == "run 0" || standing[0] == "run 1") << standing[0];
    EXPECT_TRUE(standing[1] == "run 0" || standing[1] == "run 1") << standing[1];
  }
}

TEST_F(FlowStates, ALostAnswerIsSettledByLooking) {
  testkit::CrashingStoreProvider losing(stores_, {testkit::Fault::lose_answer, 1});
  FlowState state(*losing.open("memory://lake"), "flows/n");
  const auto standing = state.save_plan(plan_of(1, "run a"));  // looks, then puts
  ASSERT_THAT(standing, IsOk());
  EXPECT_EQ(standing->run_id, "run a");
  EXPECT_EQ(run_id_of(state_.find_plan(0, 1)), "run a");
}

TEST_F(FlowStates, ADamagedPlanIsToldWithItsPlace) {
  ASSERT_THAT(state_.save_plan(plan_of(1, "run")), IsOk());
  tamper("0/plans/0000000001.json", "{\"generation\":");
  EXPECT_THAT(
      state_.find_plan(0, 1),
      HasError(ErrorCode::corrupt, "memory://lake/flows/n/0/plans/0000000001.json"));
  tamper("0/plans/0000000001.json", "{}");
  EXPECT_THAT(state_.find_plan(0, 1), HasError(ErrorCode::corrupt, "0000000001.json"));
}

TEST_F(FlowStates, TheNewestGenerationIsTheLargestNumberThatWasBegun) {
  for (const std::int64_t generation : {1, 2, 9, 10}) {
    ASSERT_THAT(state_.begin_generation(generation), IsOk());
    EXPECT_THAT(state_.newest_generation(), IsOkAnd(generation));
  }
  ASSERT_THAT(state_.begin_generation(10), IsOk()) << "begun already";
  ASSERT_THAT(state_.save_plan(plan_of(1, "run", 11)), IsOk());
  EXPECT_THAT(state_.newest_generation(), IsOkAnd(11));
  ASSERT_THAT(state_.save_definition(Json{{"name", "n"}}), IsOk());
  EXPECT_THAT(state_.newest_generation(), IsOkAnd(11)) << "definitions are no number";
}

TEST_F(FlowStates, OldPlansAreForgottenButNotThoseOfTheLastBatches) {
  for (const std::int64_t number : {1, 2, 3, 4}) {
    ASSERT_THAT(state_.save_plan(plan_of(number, "run")), IsOk());
  }
  ASSERT_THAT(state_.forget_plans(0, 4, Instant{}), IsOk()) << "none is that old";
  EXPECT_EQ(run_id_of(state_.find_plan(0, 1)), "run");
  const Instant later = Instant{} + std::chrono::days(365 * 200);
  ASSERT_THAT(state_.forget_plans(0, 4, later), IsOk());
  EXPECT_EQ(run_id_of(state_.find_plan(0, 2)), "none");
  EXPECT_EQ(run_id_of(state_.find_plan(0, 3)), "run");
  EXPECT_EQ(run_id_of(state_.last_plan(0)), "run");
}

TEST_F(FlowStates, AFlowReadsTheFilesThatItHasSeenOnce) {
  EXPECT_EQ(state_.arrivals("a", {}), state_.arrivals("a", {}));
  EXPECT_NE(state_.arrivals("a", {}), state_.arrivals("b", {}));
}

TEST_F(FlowStates, ADefinitionIsKeptUnderItsHash) {
  const Json definition = {{"name", "n"}, {"sources", Json::array()}};
  const auto hash = state_.save_definition(definition);
  ASSERT_THAT(hash, IsOkAnd(definition_hash(definition)));
  ASSERT_THAT(state_.save_definition(definition), IsOkAnd(*hash)) << "kept already";
  EXPECT_THAT(state_.load_definition(*hash), IsOkAnd(definition));
  EXPECT_NE(definition_hash(Json{{"name", "m"}}), *hash);
}

TEST_F(FlowStates, ADefinitionThatWasAlteredByHandIsRefused) {
  const auto hash = state_.save_definition(Json{{"name", "n"}});
  ASSERT_THAT(hash, IsOk());
  tamper("definitions/" + *hash + ".json", R"({"name":"m"})");
  EXPECT_THAT(state_.load_definition(*hash),
              HasError(ErrorCode::corrupt, "was altered"));
  tamper("definitions/" + *hash + ".json", "{");
  EXPECT_FALSE(state_.load_definition(*hash).has_value());
  EXPECT_THAT(state_.load_definition("absent"), HasError(ErrorCode::not_found, ""));
}

TEST_F(FlowStates, TheLastBatchThatIsNotedAsDoneIsTheHighest) {
  for (const std::int64_t number : {1, 2, 9, 10, 10}) {
    ASSERT_THAT(state_.mark_done(plan_of(number, "run")), IsOk());
  }
  const auto done = state_.last_done(0);
  ASSERT_THAT(done, IsOk());
  EXPECT_EQ(*done, 10);
  EXPECT_THAT(state_.last_done(1), IsOkAnd(std::nullopt));
}

TEST_F(FlowStates, ABatchIsNotDoneByAnotherPlanThanTheOneThatStands) {
  const BatchPlan first = plan_of(2, "first");
  const BatchPlan revised = plan_of(2, "revised");
  ASSERT_THAT(state_.save_plan(first), IsOk());
  ASSERT_THAT(state_.mark_done(first), IsOk());
  EXPECT_THAT(state_.last_done(0), IsOkAnd(std::optional<std::int64_t>(2)));
  ASSERT_THAT(state_.save_plan(revised), IsOk());
  EXPECT_THAT(state_.last_done(0), IsOkAnd(std::optional<std::int64_t>(1)));
  EXPECT_THAT(state_.last_marked(0), IsOkAnd(std::optional<std::int64_t>(2)));
  ASSERT_THAT(state_.mark_done(revised), IsOk());
  EXPECT_THAT(state_.last_done(0), IsOkAnd(std::optional<std::int64_t>(2)));
}

TEST_F(FlowStates, AMarkOfAnOlderVersionTellsNoPlanAndCounts) {
  ASSERT_THAT(state_.save_plan(plan_of(1, "any")), IsOk());
  ASSERT_THAT(store_->put("flows/n/0/done/0000000001.json", "{}\n"), IsOk());
  EXPECT_THAT(state_.last_done(0), IsOkAnd(std::optional<std::int64_t>(1)));
}

TEST_F(FlowStates, ABatchIsClaimedByOnePlanUntilItIsDone) {
  const BatchPlan first = plan_of(1, "first");
  const BatchPlan other = plan_of(1, "other");
  EXPECT_THAT(state_.claimed_only(0), IsOkAnd(0));
  for (int i = 0; i < 2; ++i) {
    const auto claimed = state_.claim(first);
    ASSERT_THAT(claimed, IsOk());
    EXPECT_EQ(claimed->run_id, "first");
  }
  const auto late = state_.claim(other);
  ASSERT_THAT(late, IsOk());
  EXPECT_EQ(late->run_id, "first");
  EXPECT_THAT(state_.claimed_only(0), IsOkAnd(1));
  ASSERT_THAT(state_.mark_done(first), IsOk());
  EXPECT_THAT(state_.claimed_only(0), IsOkAnd(0));
  EXPECT_EQ(run_id_of(state_.claimed_plan(0, 1)), "first");
  // Its file was removed by hand: what claims it now does not see it.
  const auto again = state_.claim(other);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->run_id, "other");
  ASSERT_THAT(state_.claim(plan_of(2, "next")), IsOk());
  EXPECT_EQ(run_id_of(state_.claimed_plan(0, 1)), "none");
  EXPECT_THAT(state_.claimed_only(0), IsOkAnd(2));
}

}  // namespace
}  // namespace lakemill::flow
