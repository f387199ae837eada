// Backfills beside other runners, and backfills that die: no row is lost or doubled,
// and an edited pipeline does not make a whole history anew because of one.
#include "lakemill/flow/backfill.h"

#include "two_layers_fixture.h"

#include "lakemill/flow/flow_status.h"
#include "lakemill/testing/interrupting_store.h"

namespace lakemill::flow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testkit::HasError;
using testkit::IsOk;

Result<NodeReport> fill(Lakehouse& lake, const std::string& yaml, int from, int to) {
  const Workspace& workspace = lake.workspace(yaml);
  BackfillRange range;
  range.column = "id";
  range.from = std::to_string(from);
  range.to = std::to_string(to);
  NodeRunOptions options;
  options.run_id = "fill";
  return run_backfill(workspace, *workspace.pipeline.find_node("s"), range, options);
}

Status fill_of_ten(Lakehouse& lake) {
  LAKEMILL_TRY(const NodeReport report, fill(lake, two_layers(10), 2, 5));
  (void)report;
  return {};
}

class Backfills : public TwoLayers {
 protected:
  void die_filling_before(const std::string& path_end) {
    die_before(path_end, fill_of_ten);
  }

  FlowStatus status() {
    Lakehouse lake(stores_, 98);
    const Workspace& workspace = lake.workspace(two_layers(10));
    auto status = flow_status(workspace, *workspace.pipeline.find_node("s"));
    EXPECT_THAT(status, IsOk());
    return status ? *status : FlowStatus();
  }
};

class FilledMeanwhile : public Backfills,
                        public testing::WithParamInterface<const char*> {};

// Another runner takes a further batch just before a table gets the backfill.
TEST_P(FilledMeanwhile, RowsComeOnceAndTheRangeIsMadeAnewAllTheSame) {
  const auto other_runner = [&] {
    put_file(stores_, "in/2.csv", "id\n7\n8\n9\n");
    Lakehouse lake(stores_, 7);
    ASSERT_TRUE(all_well(lake.run(two_layers(10))));
  };
  testkit::InterruptingProvider interrupted(stores_,
                                            {commit_of(GetParam(), 2), other_runner});
  {
    Lakehouse lake(interrupted, 6);
    ASSERT_THAT(fill(lake, two_layers(10), 2, 5), IsOk());
  }
  ASSERT_TRUE(interrupted.interrupted());
  Lakehouse lake(stores_, 8);
  ASSERT_TRUE(all_well(lake.run(two_layers(10))));
  EXPECT_THAT(rows("t"), ElementsAre("1|1", "3|30", "5|5", "7|70", "9|90"));
  EXPECT_THAT(rows("q"), ElementsAre("2|20", "4|40", "6|6", "8|80"));
}

INSTANTIATE_TEST_SUITE_P(Tables, FilledMeanwhile, testing::Values("q", "t"),
                         [](const auto& given) { return std::string(given.param); });

// The other way round: a runner is about to commit a batch when a backfill comes.
TEST_P(FilledMeanwhile, ARunThatWasOvertakenTakesItsBatchAgain) {
  put_file(stores_, "in/2.csv", "id\n7\n8\n9\n");
  const auto filler = [&] {
    Lakehouse lake(stores_, 7);
    (void)fill(lake, two_layers(1), 2, 5);  // it may find the batch half done
  };
  testkit::InterruptingProvider interrupted(stores_,
                                            {commit_of(GetParam(), 2), filler});
  {
    Lakehouse lake(interrupted, 6);
    ASSERT_TRUE(all_well(lake.run(two_layers(1))));
  }
  ASSERT_TRUE(interrupted.interrupted());
  Lakehouse lake(stores_, 8);
  ASSERT_TRUE(all_well(lake.run(two_layers(1))));
  EXPECT_THAT(rows("t"), ElementsAre("1|1", "3|3", "5|5", "7|7", "9|9"));
  EXPECT_THAT(rows("q"), ElementsAre("2|2", "4|4", "6|6", "8|8"));
}

TEST_F(Backfills, ThatDiedAreCompletedByARunOfTheSameDefinition) {
  die_filling_before(commit_of("q", 2));
  put_file(stores_, "in/2.csv", "id\n7\n");
  Lakehouse lake(stores_);
  ASSERT_TRUE(all_well(lake.run(two_layers(10))));
  EXPECT_THAT(rows("t"), ElementsAre("1|1", "3|30", "5|5", "7|70"));
  EXPECT_THAT(rows("q"), ElementsAre("2|20", "4|40", "6|6"));
}

TEST_F(Backfills, ThatDiedMakeNoHistoryAnewWhereTheDefinitionWasEditedSince) {
  die_filling_before(commit_of("q", 2));
  put_file(stores_, "in/2.csv", "id\n7\n");
  Lakehouse lake(stores_);
  const RunReport report = lake.run(two_layers(100));
  ASSERT_TRUE(all_well(report));
  EXPECT_EQ(report_of(report, "s").input_rows, 1);
  EXPECT_THAT(rows("t"), ElementsAre("1|1", "3|3", "5|5", "7|700"));
  EXPECT_THAT(rows("q"), ElementsAre("2|2", "4|4", "6|6"));
}

// A table holds it: it is completed by the definition that it began with.
TEST_F(Backfills, ThatATableHoldsAreCompletedWhereTheDefinitionWasEditedSince) {
  die_filling_before(commit_of("t", 2));
  put_file(stores_, "in/2.csv", "id\n7\n");
  Lakehouse lake(stores_);
  ASSERT_TRUE(all_well(lake.run(two_layers(100))));
  EXPECT_THAT(rows("t"), ElementsAre("1|1", "3|30", "5|5", "7|700"));
  EXPECT_THAT(rows("q"), ElementsAre("2|20", "4|40", "6|6"));
}

TEST_F(Backfills, ThatDiedAreRepeatedByTheSameCommandAndRefuseAnother) {
  die_filling_before(commit_of("q", 2));
  Lakehouse lake(stores_);
  EXPECT_THAT(fill(lake, two_layers(10), 1, 3),
              HasError(ErrorCode::unavailable, "was begun and not completed"));
  EXPECT_THAT(fill(lake, two_layers(10), 1, 3),
              HasError(ErrorCode::unavailable, "lakemill run"));
  ASSERT_THAT(fill(lake, two_layers(10), 2, 5), IsOk());
  ASSERT_TRUE(all_well(lake.run(two_layers(10))));
  EXPECT_THAT(rows("t"), ElementsAre("1|1", "3|30", "5|5"));
  EXPECT_THAT(rows("q"), ElementsAre("2|20", "4|40", "6|6"));
}

TEST_F(Backfills, ThatDiedAreToldOfWithWhereTheFlowStands) {
  EXPECT_EQ(status().underway, Underway::nothing);
  die_filling_before(commit_of("q", 2));
  for (int moment = 0; moment < 2; ++moment) {
    const FlowStatus told = status();
    EXPECT_EQ(told.underway, Underway::backfill);
    EXPECT_EQ(told.generation, 0);
    EXPECT_EQ(told.batch, 2);
    EXPECT_TRUE(told.at.has_value());
    ASSERT_EQ(told.sources.size(), 1U);
    EXPECT_EQ(told.sources[0].lag.position, "version 1");
    if (moment == 0) die_filling_before(commit_of("t", 2));
  }
  Lakehouse lake(stores_);
  ASSERT_TRUE(all_well(lake.run(two_layers(10))));
  EXPECT_EQ(status().underway, Underway::nothing);
  EXPECT_EQ(status().generation, 1);
}

}  // namespace
}  // namespace lakemill::flow
