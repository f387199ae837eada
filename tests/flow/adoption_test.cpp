// Flows that take over the tables of another one, or share them.
#include "position_fixture.h"

namespace lakemill::flow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(FlowPosition, ARenamedNodeIsRefused) {
  testkit::MemoryStoreProvider stores;
  put_file(stores, "in/0.csv", csv(1, 2));
  Lakehouse lake(stores);
  ASSERT_TRUE(all_well(lake.run(plain())));
  const std::string renamed =
      appending("  sinks: [{path: ./t, format: DELTA}]\n", "other");
  const RunReport report = lake.run(renamed);
  EXPECT_EQ(report_of(report, "other").status, NodeStatus::failed);
  EXPECT_THAT(error_of(report, "other"), HasSubstr("adopt"));
  EXPECT_EQ(lake.version("t"), 0);
}

TEST(FlowPosition, AnAdoptedTableGoesOnWhereItsOldFlowEnded) {
  testkit::MemoryStoreProvider stores;
  const std::string renamed =
      appending("  sinks: [{path: ./t, format: DELTA}]\n", "other");
  Lakehouse lake(stores);
  // Arrivals are not in the order of the files' times: what the log alone knows.
  put_file(stores, "in/late.csv", csv(1, 2));
  put_file(stores, "in/early.csv", csv(3, 4));
  ASSERT_TRUE(all_well(lake.run(plain())));
  put_file(stores, "in/0.csv", csv(5, 6));
  ASSERT_TRUE(all_well(lake.run(plain())));
  put_file(stores, "in/1.csv", csv(7, 8));
  Start adopt;
  adopt.adopt_node = "n";
  ASSERT_TRUE(all_well(lake.run(renamed, adopt)));
  EXPECT_THAT(lake.rows("t", "SELECT id FROM target ORDER BY id"),
              ElementsAre("1", "2", "3", "4", "5", "6", "7", "8"));
  ASSERT_TRUE(all_well(lake.run(renamed, adopt))) << "adopted twice";
  put_file(stores, "in/2.csv", csv(9, 9));
  ASSERT_TRUE(all_well(lake.run(renamed))) << "adopted already";
  EXPECT_THAT(lake.rows("t", "SELECT id FROM target ORDER BY id"),
              ElementsAre("1", "2", "3", "4", "5", "6", "7", "8", "9"));
  const RunReport old = lake.run(plain());
  EXPECT_EQ(report_of(old, "n").status, NodeStatus::failed)
      << "the old flow may not write any more";
}

TEST(FlowPosition, AnAdoptionSticksThoughNothingIsNew) {
  testkit::MemoryStoreProvider stores;
  const std::string renamed =
      appending("  sinks: [{path: ./t, format: DELTA}]\n", "other");
  Lakehouse lake(stores);
  for (int i = 0; i < 2; ++i) {
    put_file(stores, "in/" + std::to_string(i) + ".csv", csv(i + 1, i + 1));
    ASSERT_TRUE(all_well(lake.run(plain())));
  }
  Start adopt;
  adopt.adopt_node = "n";
  const RunReport adopted = lake.run(renamed, adopt);
  ASSERT_TRUE(all_well(adopted));
  ASSERT_EQ(report_of(adopted, "other").notices.size(), 1U);
  EXPECT_EQ(lake.version("t"), 2) << "a commit without rows";
  EXPECT_EQ(report_of(lake.run(renamed), "other").status, NodeStatus::skipped);
  ASSERT_TRUE(all_well(lake.run(renamed, adopt))) << "adopted twice";
  EXPECT_EQ(lake.version("t"), 2);
  EXPECT_EQ(report_of(lake.run(plain()), "n").status, NodeStatus::failed);
  put_file(stores, "in/2.csv", csv(3, 3));
  ASSERT_TRUE(all_well(lake.run(renamed)));
  EXPECT_THAT(lake.rows("t", "SELECT id FROM target ORDER BY id"),
              ElementsAre("1", "2", "3"));
}

TEST(FlowPosition, AnAdoptedMergeKnowsWhatWasDeletedBefore) {
  const auto changes = [](const std::string& node) {
    return appending(
        "  primary_keys: [id]\n"
        "  transformer: {nodes: [{expr: \"SELECT id, v, v::INT AS seq FROM {df}\"}]}\n"
        "  sinks:\n"
        "  - {path: ./t, format: DELTA, mode: MERGE, merge_cdc_options: "
        "{order_by: seq, delete_where: \"v = '50'\"}}\n",
        node);
  };
  testkit::MemoryStoreProvider stores;
  Lakehouse lake(stores);
  put_file(stores, "in/0.csv", "id,v\n1,50\n2,10\n");  // 1 is deleted at 50
  ASSERT_TRUE(all_well(lake.run(changes("n"))));
  Start adopt;
  adopt.adopt_node = "n";
  ASSERT_TRUE(all_well(lake.run(changes("other"), adopt)));
  put_file(stores, "in/1.csv", "id,v\n1,40\n2,20\n");  // too late for 1
  ASSERT_TRUE(all_well(lake.run(changes("other"))));
  EXPECT_THAT(lake.rows("t", "SELECT id, v FROM target"), ElementsAre("2|20"));
}

TEST(FlowPosition, AnAdoptedFolderOfFilesGoesOn) {
  const auto batches = [](const std::string& node) {
    return appending("  sinks: [{path: ./out, format: CSV, mode: APPEND}]\n", node);
  };
  testkit::MemoryStoreProvider stores;
  Lakehouse lake(stores);
  for (int i = 0; i < 2; ++i) {
    put_file(stores, "in/" + std::to_string(i) + ".csv", csv(i + 1, i + 1));
    ASSERT_TRUE(all_well(lake.run(batches("n"))));
  }
  Start adopt;
  adopt.adopt_node = "n";
  ASSERT_TRUE(all_well(lake.run(batches("other"), adopt)));
  EXPECT_EQ(report_of(lake.run(batches("other")), "other").status, NodeStatus::skipped);
  put_file(stores, "in/2.csv", csv(3, 3));
  ASSERT_TRUE(all_well(lake.run(batches("other"))));
  const auto visible = [&] {
    auto paths = paths_below(stores, "out");
    std::erase_if(paths, [](const auto& path) { return path.starts_with("out/."); });
    return paths;
  };
  EXPECT_EQ(visible().size(), 3U);
  const Start refresh = refresh_named();
  ASSERT_TRUE(all_well(lake.run(batches("other"), refresh)));
  EXPECT_EQ(visible().size(), 1U) << "what the old flow wrote went with it";
}

// Wherever the run dies that takes over, the next one that does ends the same.
TEST(FlowPosition, AnAdoptionThatDiesIsDoneByTheNextRun) {
  const std::string renamed = with_quarantine("id", "other");
  testkit::MemoryStoreProvider stores;
  {
    Lakehouse lake(stores);
    put_file(stores, "in/0.csv", csv(1, 4));
    ASSERT_TRUE(all_well(lake.run(with_quarantine("id"))));
  }
  Start adopt;
  adopt.adopt_node = "n";
  std::int64_t calls = 0;
  {
    const auto copy = stores.copy();
    testkit::CrashingStoreProvider counted(*copy, {});
    Lakehouse lake(counted);
    ASSERT_TRUE(all_well(lake.run(renamed, adopt)));
    calls = counted.calls();
  }
  for (std::int64_t call = 0; call < calls; ++call) {
    const auto copy = stores.copy();
    {
      testkit::CrashingStoreProvider dying(*copy, {testkit::Fault::die_after, call});
      Lakehouse lake(dying);
      (void)lake.run(renamed, adopt);
    }
    Lakehouse lake(*copy);
    ASSERT_TRUE(all_well(lake.run(renamed, adopt))) << "call " << call;
    put_file(*copy, "in/1.csv", csv(5, 6));
    ASSERT_TRUE(all_well(lake.run(renamed))) << "call " << call;
    EXPECT_THAT(lake.rows("t", "SELECT id FROM target ORDER BY id"),
                ElementsAre("2", "4", "6"));
    EXPECT_THAT(lake.rows("q", "SELECT id FROM target ORDER BY id"),
                ElementsAre("1", "3", "5"));
  }
}

TEST(FlowPosition, ABatchInTheMiddleIsCompletedByTheFlowThatTakesOver) {
  testkit::MemoryStoreProvider stores;
  put_file(stores, "in/0.csv", csv(1, 4));
  die_before_commit(stores, with_quarantine("id"), "t");
  put_file(stores, "in/1.csv", csv(5, 8));
  const std::string renamed = with_quarantine("id", "other");
  Lakehouse lake(stores);
  EXPECT_THAT(error_of(lake.run(renamed), "other"), HasSubstr("adopt"));
  Start adopt;
  adopt.adopt_node = "n";
  ASSERT_TRUE(all_well(lake.run(renamed, adopt)));
  EXPECT_THAT(lake.rows("t", "SELECT id FROM target ORDER BY id"),
              ElementsAre("2", "4", "6", "8"));
  EXPECT_THAT(lake.rows("q", "SELECT id FROM target ORDER BY id"),
              ElementsAre("1", "3", "5", "7"));
  EXPECT_EQ(report_of(lake.run(renamed), "other").status, NodeStatus::skipped);
}

TEST(FlowPosition, SharedTablesTakeTheBatchesOfBothFlows) {
  testkit::MemoryStoreProvider stores;
  put_file(stores, "in/0.csv", csv(1, 2));
  Lakehouse lake(stores);
  const std::string sink = "  sinks: [{path: ./t, format: DELTA, shared: true}]\n";
  ASSERT_TRUE(all_well(lake.run(appending(sink, "one"))));
  ASSERT_TRUE(all_well(lake.run(appending(sink, "two"))));
  ASSERT_TRUE(all_well(lake.run(appending(sink, "one"))));
  EXPECT_THAT(lake.rows("t", "SELECT id FROM target ORDER BY id"),
              ElementsAre("1", "1", "2", "2"));
}

}  // namespace
}  // namespace lakemill::flow
