// Replays from the middle that die: what lies before their start stays as it was.
#include "two_layers_fixture.h"

#include "lakemill/flow/backfill.h"
#include "lakemill/flow/flow_status.h"
#include "lakemill/flow/replay_start.h"

namespace lakemill::flow {
namespace {

using testing::ElementsAre;
using testkit::HasError;
using testkit::IsOk;

// In place, from the node's second batch on, by another definition.
Status replay(Lakehouse& lake) {
  const Workspace& workspace = lake.workspace(two_layers(10));
  const language::Node& node = *workspace.pipeline.find_node("s");
  LAKEMILL_TRY(const ReplayStart start, parse_replay_start("batch:2"));
  LAKEMILL_TRY(const auto last, batch_before(workspace, node, start));
  LAKEMILL_CHECK(last.has_value());
  LAKEMILL_TRY_OK(begin_with_rows_after(workspace, *last, workspace, node, "replay"));
  const RunReport report = lake.run(two_layers(10));
  return report.succeeded() ? Status() : Status(*report_of(report, "s").error);
}

class Replays : public TwoLayers {
 protected:
  Underway underway() {
    Lakehouse lake(stores_, 98);
    const Workspace& workspace = lake.workspace(two_layers(10));
    const auto status = flow_status(workspace, *workspace.pipeline.find_node("s"));
    EXPECT_THAT(status, IsOk());
    return status ? status->underway : Underway::nothing;
  }
};

TEST_F(Replays, FromTheMiddleMakeWhatLiesBehindAnew) {
  Lakehouse lake(stores_);
  ASSERT_THAT(replay(lake), IsOk());
  EXPECT_THAT(rows("t"), ElementsAre("1|1", "3|3", "5|50"));
  EXPECT_THAT(rows("q"), ElementsAre("2|2", "4|40", "6|60"));
}

TEST_F(Replays, ThatDieBeforeTheirPlanChangeNothing) {
  die_before("/s/1/plans/0000000001.json", replay);
  EXPECT_EQ(underway(), Underway::nothing);
  Lakehouse lake(stores_);
  ASSERT_TRUE(all_well(lake.run(two_layers(10))));
  EXPECT_THAT(rows("t"), ElementsAre("1|1", "3|3", "5|5"));
  EXPECT_THAT(rows("q"), ElementsAre("2|2", "4|4", "6|6"));
}

class DyingReplays : public Replays, public testing::WithParamInterface<const char*> {};

// Whichever table the copy had not reached: the next run finishes it, also by yet
// another definition, which is then that of what lies behind.
TEST_P(DyingReplays, AreFinishedByARunThatKeepsWhatLiesBefore) {
  die_before(commit_of(GetParam(), 2), replay);
  EXPECT_EQ(underway(), Underway::replay);
  Lakehouse lake(stores_);
  ASSERT_TRUE(all_well(lake.run(two_layers(100))));
  EXPECT_THAT(rows("t"), ElementsAre("1|1", "3|3", "5|500"));
  EXPECT_THAT(rows("q"), ElementsAre("2|2", "4|400", "6|600"));
  EXPECT_EQ(underway(), Underway::nothing);
}

INSTANTIATE_TEST_SUITE_P(Tables, DyingReplays, testing::Values("q", "t"),
                         [](const auto& given) { return std::string(given.param); });

// The copied plan is that of a batch, not of the backfill that came to be the last one.
TEST_F(Replays, BehindABackfillCopyAllRowsOfTheTable) {
  Lakehouse lake(stores_);
  const Workspace& workspace = lake.workspace(two_layers(10));
  const language::Node& node = *workspace.pipeline.find_node("s");
  BackfillRange range;
  range.column = "id";
  range.to = "3";
  ASSERT_THAT(run_backfill(workspace, node, range, {}), IsOk());
  put_file(stores_, "in/2.csv", "id\n7\n");
  ASSERT_TRUE(all_well(lake.run(two_layers(10))));
  die_before(commit_of("t", 4), replay);
  ASSERT_TRUE(all_well(lake.run(two_layers(100))));
  EXPECT_THAT(rows("t"), ElementsAre("1|10", "3|3", "5|5", "7|700"));
  EXPECT_THAT(rows("q"), ElementsAre("2|20", "4|4", "6|6"));
}

// The log of the table no longer goes back: nothing is left behind.
TEST_F(Replays, ThatCannotBeMadeLeaveTheFlowAsItWas) {
  for (int version = 0; version < 2; ++version) {
    remove_file(stores_, commit_of("t", version).substr(1));
  }
  Lakehouse lake(stores_);
  EXPECT_FALSE(replay(lake).has_value());
  EXPECT_EQ(lake.version("q"), 1);
  EXPECT_EQ(underway(), Underway::nothing);
}

}  // namespace
}  // namespace lakemill::flow
