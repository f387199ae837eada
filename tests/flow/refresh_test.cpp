// What a full refresh reads, writes and forgets.
#include "position_fixture.h"

namespace lakemill::flow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(FlowPosition, ASharedTableIsNotRefreshedOverTheHeadsOfOthers) {
  testkit::MemoryStoreProvider stores;
  put_file(stores, "in/0.csv", csv(1, 2));
  Lakehouse lake(stores);
  const std::string sink = "  sinks: [{path: ./t, format: DELTA, shared: true}]\n";
  ASSERT_TRUE(all_well(lake.run(appending(sink, "one"))));
  ASSERT_TRUE(all_well(lake.run(appending(sink, "two"))));
  const Start refresh = refresh_named();
  const RunReport report = lake.run(appending(sink, "one"), refresh);
  EXPECT_THAT(error_of(report, "one"), HasSubstr("shared"));
  EXPECT_THAT(lake.rows("t", "SELECT count(*) FROM target"), ElementsAre("4"));
  // A lost shared table gets the rows of each flow again, from each flow.
  put_file(stores, "in/1.csv", csv(3, 3));
  ASSERT_TRUE(all_well(lake.run(appending(sink, "one"))));
  ASSERT_TRUE(all_well(lake.run(appending(sink, "two"))));
  remove_folder(stores, "t");
  Lakehouse after(stores);
  ASSERT_TRUE(all_well(after.run(appending(sink, "one"))));
  ASSERT_TRUE(all_well(after.run(appending(sink, "two"))));
  EXPECT_THAT(after.rows("t", "SELECT id FROM target ORDER BY id"),
              ElementsAre("1", "1", "2", "2", "3", "3"));
}

TEST_F(ThreeBatches, AFullRefreshReadsAllAgainInOneCommit) {
  run_three(plain());
  Lakehouse lake(stores_);
  const std::string doubled = appending(
      "  transformer: {nodes: [{expr: \"SELECT id, v || v AS v FROM {df}\"}]}\n"
      "  sinks: [{path: ./t, format: DELTA}]\n");
  const RunReport report = lake.run(doubled, refresh_named());
  ASSERT_TRUE(all_well(report));
  EXPECT_EQ(report_of(report, "n").generation, 1);
  EXPECT_EQ(lake.version("t"), 3);
  EXPECT_THAT(lake.rows("t", "SELECT id, v FROM target ORDER BY id::INT"),
              ElementsAre("1|1010", "2|2020", "3|3030", "4|4040", "5|5050", "6|6060"));
  put_file(stores_, "in/3.csv", csv(7, 7));
  ASSERT_TRUE(all_well(lake.run(doubled)));
  EXPECT_THAT(lake.rows("t", "SELECT count(*) FROM target"), ElementsAre("7"));
  EXPECT_EQ(report_of(lake.run(doubled), "n").status, NodeStatus::skipped);
}

TEST_F(ThreeBatches, AFullRefreshClearsTheQuarantineToo) {
  run_three(with_quarantine("id"));
  Lakehouse lake(stores_);
  ASSERT_TRUE(
      all_well(lake.run(with_quarantine("(id::INT + 1)::VARCHAR"), refresh_named())));
  EXPECT_THAT(lake.rows("t", "SELECT v FROM target ORDER BY id::INT"),
              ElementsAre("10", "30", "50"));
  EXPECT_THAT(lake.rows("q", "SELECT v FROM target ORDER BY id::INT"),
              ElementsAre("20", "40", "60"));
}

TEST(FullRefresh, OfAReplacedTableRecomputesIt) {
  const std::string yaml =
      "name: p\nnodes:\n- name: n\n  sources: [{path: ./in, format: CSV}]\n"
      "  sinks: [{path: ./t, format: DELTA}]\n";
  testkit::MemoryStoreProvider stores;
  put_file(stores, "in/0.csv", csv(1, 2));
  Lakehouse lake(stores);
  ASSERT_TRUE(all_well(lake.run(yaml)));
  ASSERT_TRUE(all_well(lake.run(yaml, refresh_named())));
  EXPECT_EQ(lake.version("t"), 1);
  EXPECT_THAT(lake.rows("t", "SELECT id FROM target ORDER BY id"),
              ElementsAre("1", "2"));
}

TEST(FullRefresh, OfAMergedTableForgetsItsState) {
  testkit::MemoryStoreProvider stores;
  Lakehouse lake(stores);
  put_file(stores, "in/0.csv", csv(1, 3));
  ASSERT_TRUE(all_well(lake.run(merging("v"))));
  put_file(stores, "in/1.csv", "id,v\n1,11\n");
  ASSERT_TRUE(all_well(lake.run(merging("v"))));
  // By the new definition all sequences are smaller than those that the state held.
  const std::string smaller = merging("('0' || v)");
  ASSERT_TRUE(all_well(lake.run(smaller, refresh_named())));
  EXPECT_THAT(lake.rows("t", "SELECT id, v FROM target ORDER BY id"),
              ElementsAre("1|011", "2|020", "3|030"));
  EXPECT_EQ(lake.version("t"), 2);
  EXPECT_EQ(report_of(lake.run(smaller), "n").status, NodeStatus::skipped);
}

TEST(FullRefresh, ThatDiesIsCompletedByTheNextRun) {
  testkit::MemoryStoreProvider base;
  put_file(base, "in/0.csv", csv(1, 4));
  {
    Lakehouse lake(base);
    ASSERT_TRUE(all_well(lake.run(with_quarantine("id"))));
  }
  const std::string edited = with_quarantine("(id::INT + 1)::VARCHAR");
  std::int64_t calls = 0;
  {
    const auto copy = base.copy();
    testkit::CrashingStoreProvider counted(*copy, {});
    Lakehouse lake(counted);
    ASSERT_TRUE(all_well(lake.run(edited, refresh_named())));
    calls = counted.calls();
  }
  for (std::int64_t call = 0; call < calls; call += 3) {
    SCOPED_TRACE(call);
    const auto copy = base.copy();
    testkit::CrashingStoreProvider dying(*copy, {testkit::Fault::die_before, call});
    {
      Lakehouse lake(dying);
      (void)lake.run(edited, refresh_named());
    }
    Lakehouse lake(*copy);
    ASSERT_TRUE(all_well(lake.run(edited)));
    const RowTexts target = lake.rows("t", "SELECT v FROM target ORDER BY id::INT");
    const RowTexts quarantine = lake.rows("q", "SELECT v FROM target ORDER BY id::INT");
    // Before the refresh was written down nothing happened; after that all of it does.
    if (target == RowTexts{"20", "40"}) {
      EXPECT_THAT(quarantine, ElementsAre("10", "30"));
    } else {
      EXPECT_THAT(target, ElementsAre("10", "30"));
      EXPECT_THAT(quarantine, ElementsAre("20", "40"));
    }
  }
}

TEST(FullRefresh, LeavesBronzeAloneUnlessItIsNamed) {
  const std::string yaml = kStreamOfBronze;
  testkit::MemoryStoreProvider stores;
  put_file(stores, "in/0.csv", csv(1, 2));
  Lakehouse lake(stores);
  ASSERT_TRUE(all_well(lake.run(yaml)));
  Start refresh;
  refresh.full_refresh = true;
  ASSERT_TRUE(all_well(lake.run(yaml, refresh)));
  EXPECT_EQ(lake.version("b"), 0);
  EXPECT_EQ(lake.version("s"), 1);
  ASSERT_TRUE(all_well(lake.run(yaml, refresh_named())));
  EXPECT_EQ(lake.version("b"), 1);
  EXPECT_THAT(lake.rows("s", "SELECT id FROM target ORDER BY id"),
              ElementsAre("1", "2"));
}

TEST(FullRefresh, OfANodeMakesTheStreamsBehindItBeginAnew) {
  const std::string yaml = kStreamOfBronze;
  testkit::MemoryStoreProvider stores;
  put_file(stores, "in/0.csv", csv(1, 2));
  Lakehouse lake(stores);
  ASSERT_TRUE(all_well(lake.run(yaml)));
  Start refresh = refresh_named();
  refresh.nodes = {"b"};
  ASSERT_TRUE(all_well(lake.run(yaml, refresh)));
  put_file(stores, "in/1.csv", csv(3, 3));
  const RunReport report = lake.run(yaml);
  ASSERT_TRUE(all_well(report));
  EXPECT_EQ(report_of(report, "s").generation, 1);
  EXPECT_THAT(lake.rows("s", "SELECT id FROM target ORDER BY id"),
              ElementsAre("1", "2", "3"));
  EXPECT_EQ(report_of(lake.run(yaml), "s").status, NodeStatus::skipped);
}

}  // namespace
}  // namespace lakemill::flow
