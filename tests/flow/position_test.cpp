// How a flow finds out where it stands after something was lost, altered, edited or
// interrupted, and what it then does.
#include "position_fixture.h"

namespace lakemill::flow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(ThreeBatches, ADeletedPlanIsRepairedFromTheTablesLog) {
  run_three(plain());
  const std::string path = std::string(kPlans) + "/0000000003.json";
  const std::string url = std::string(kLake) + "/" + path;
  const std::string before = stores_.objects().at(url);
  remove_file(stores_, path);
  put_file(stores_, "in/3.csv", csv(7, 8));
  Lakehouse lake(stores_);
  ASSERT_TRUE(all_well(lake.run(plain())));
  EXPECT_EQ(stores_.objects().at(url), before);
  EXPECT_THAT(lake.rows("t", ids()),
              ElementsAre("1", "2", "3", "4", "5", "6", "7", "8"));
}

TEST_F(ThreeBatches, AnAlteredPlanCountsForNothing) {
  run_three(plain());
  const std::string url = std::string(kLake) + "/" + kPlans + "/0000000003.json";
  std::string text = stores_.objects().at(url);
  const std::string to = "\"to\":{\"arrival\":3";
  ASSERT_NE(text.find(to), std::string::npos) << text;
  text.replace(text.find(to), to.size(), "\"to\":{\"arrival\":1");
  stores_.tamper(url, &text);
  Lakehouse lake(stores_);
  const RunReport report = lake.run(plain());
  ASSERT_TRUE(all_well(report));
  EXPECT_EQ(report_of(report, "n").status, NodeStatus::skipped);
  EXPECT_THAT(lake.rows("t", ids()), ElementsAre("1", "2", "3", "4", "5", "6"));
}

TEST_F(ThreeBatches, ADamagedPlanIsRepairedToo) {
  run_three(plain());
  const std::string url = std::string(kLake) + "/" + kPlans + "/0000000003.json";
  const std::string text = "{\"generation\":0,";
  stores_.tamper(url, &text);
  put_file(stores_, "in/3.csv", csv(7, 8));
  Lakehouse lake(stores_);
  ASSERT_TRUE(all_well(lake.run(plain())));
  EXPECT_THAT(lake.rows("t", ids()),
              ElementsAre("1", "2", "3", "4", "5", "6", "7", "8"));
}

TEST_F(ThreeBatches, ALostPlanThatTheLogDoesNotHoldStopsTheFlow) {
  run_three(plain());
  remove_folder(stores_, kPlans);
  for (int version = 0; version < 3; ++version) {  // commits without our facts
    const std::string url = std::string(kLake) + "/t/_delta_log/" +
                            "0000000000000000000" + std::to_string(version) + ".json";
    std::string text = stores_.objects().at(url);
    const std::size_t facts = text.find("\"lakemill\":");
    ASSERT_NE(facts, std::string::npos);
    text.replace(facts, 11, "\"stranger\":");
    stores_.tamper(url, &text);
  }
  put_file(stores_, "in/3.csv", csv(7, 8));
  Lakehouse lake(stores_);
  const RunReport report = lake.run(plain());
  EXPECT_EQ(report_of(report, "n").status, NodeStatus::failed);
  EXPECT_THAT(error_of(report, "n"), HasSubstr("missing or altered"));
  EXPECT_THAT(error_of(report, "n"), HasSubstr("--full-refresh"));
  EXPECT_EQ(lake.version("t"), 2);
}

TEST_F(ThreeBatches, ADroppedTargetStartsANewGeneration) {
  run_three(plain());
  remove_folder(stores_, "t");
  Lakehouse lake(stores_);
  const RunReport report = lake.run(plain());
  ASSERT_TRUE(all_well(report));
  EXPECT_EQ(report_of(report, "n").generation, 1);
  EXPECT_THAT(lake.rows("t", ids()), ElementsAre("1", "2", "3", "4", "5", "6"));
  EXPECT_EQ(report_of(lake.run(plain()), "n").status, NodeStatus::skipped);
}

TEST_F(ThreeBatches, ATargetDroppedBesideItsQuarantineIsMadeAnew) {
  run_three(with_quarantine("id"));
  remove_folder(stores_, "t");
  Lakehouse lake(stores_);
  ASSERT_TRUE(all_well(lake.run(with_quarantine("id"))));
  EXPECT_THAT(lake.rows("t", ids()), ElementsAre("2", "4", "6"));
  EXPECT_THAT(lake.rows("q", ids()), ElementsAre("1", "3", "5"));
  EXPECT_EQ(report_of(lake.run(with_quarantine("id")), "n").status,
            NodeStatus::skipped);
}

TEST(FlowPosition, ATargetDroppedAfterOneBatchIsMadeAgain) {
  testkit::MemoryStoreProvider stores;
  put_file(stores, "in/0.csv", csv(1, 2));
  Lakehouse lake(stores);
  ASSERT_TRUE(all_well(lake.run(plain())));
  remove_folder(stores, "t");
  Lakehouse after(stores);
  ASSERT_TRUE(all_well(after.run(plain())));
  EXPECT_THAT(after.rows("t", "SELECT id FROM target ORDER BY id"),
              ElementsAre("1", "2"));
}

TEST_F(ThreeBatches, AQuarantineAddedLaterFollowsFromThereOn) {
  const std::string plain_even = appending(
      "  transformer: {nodes: [{expr: \"SELECT id AS id, v FROM {df}\"}]}\n"
      "  sinks: [{path: ./t, format: DELTA}]\n");
  run_three(plain_even);
  Lakehouse lake(stores_);
  ASSERT_TRUE(all_well(lake.run(with_quarantine("id"))));
  put_file(stores_, "in/3.csv", csv(7, 8));
  ASSERT_TRUE(all_well(lake.run(with_quarantine("id"))));
  EXPECT_THAT(lake.rows("t", ids()), ElementsAre("1", "2", "3", "4", "5", "6", "8"));
  EXPECT_THAT(lake.rows("q", ids()), ElementsAre("7"));
}

TEST(FlowPosition, AQuarantineAddedAfterTheFirstBatchFollowsFromThereOn) {
  testkit::MemoryStoreProvider stores;
  put_file(stores, "in/0.csv", csv(1, 2));
  Lakehouse lake(stores);
  ASSERT_TRUE(all_well(lake.run(plain())));
  ASSERT_TRUE(all_well(lake.run(with_quarantine("id"))));
  put_file(stores, "in/1.csv", csv(3, 4));
  ASSERT_TRUE(all_well(lake.run(with_quarantine("id"))));
  EXPECT_THAT(lake.rows("t", "SELECT id FROM target ORDER BY id"),
              ElementsAre("1", "2", "4"));
  EXPECT_THAT(lake.rows("q", "SELECT id FROM target"), ElementsAre("3"));
}

TEST(FlowPosition, ABatchThatASinkHoldsIsCompletedByTheDefinitionItBeganWith) {
  testkit::MemoryStoreProvider stores;
  put_file(stores, "in/0.csv", csv(1, 4));
  die_before_commit(stores, with_quarantine("id"), "t");
  put_file(stores, "in/1.csv", csv(5, 8));
  Lakehouse lake(stores);
  ASSERT_EQ(lake.version("q"), 0);
  ASSERT_EQ(lake.version("t"), -1);
  // The edit turns even ids into odd ones and the other way round.
  const std::string edited = with_quarantine("(id::INT + 1)::VARCHAR");
  ASSERT_TRUE(all_well(lake.run(edited)));
  EXPECT_THAT(lake.rows("t", "SELECT id FROM target ORDER BY id"),
              ElementsAre("2", "4", "6", "8"));
  EXPECT_THAT(lake.rows("t", "SELECT v FROM target ORDER BY id"),
              ElementsAre("20", "40", "50", "70"));
  EXPECT_THAT(lake.rows("q", "SELECT v FROM target ORDER BY id"),
              ElementsAre("10", "30", "60", "80"));
}

TEST(FlowPosition, ABatchThatNoSinkHoldsIsRunByTheEditedDefinition) {
  testkit::MemoryStoreProvider stores;
  put_file(stores, "in/0.csv", csv(1, 4));
  die_before_commit(stores, with_quarantine("id"), "q");
  Lakehouse lake(stores);
  ASSERT_TRUE(all_well(lake.run(with_quarantine("(id::INT + 1)::VARCHAR"))));
  EXPECT_THAT(lake.rows("t", "SELECT v FROM target ORDER BY id"),
              ElementsAre("10", "30"));
  EXPECT_THAT(lake.rows("q", "SELECT v FROM target ORDER BY id"),
              ElementsAre("20", "40"));
}

TEST(FlowPosition, ALostDefinitionOfABatchInTheMiddleStopsTheFlow) {
  testkit::MemoryStoreProvider stores;
  put_file(stores, "in/0.csv", csv(1, 4));
  die_before_commit(stores, with_quarantine("id"), "t");
  remove_folder(stores, "_lakemill/flows/p/n/definitions");
  Lakehouse lake(stores);
  const RunReport report = lake.run(with_quarantine("(id::INT + 1)::VARCHAR"));
  EXPECT_EQ(report_of(report, "n").status, NodeStatus::failed);
  EXPECT_EQ(lake.version("t"), -1);
  // By the same definition it can still be completed.
  ASSERT_TRUE(all_well(lake.run(with_quarantine("id"))));
  EXPECT_THAT(lake.rows("t", "SELECT id FROM target ORDER BY id"),
              ElementsAre("2", "4"));
}

TEST(FlowPosition, AMergeWhoseStateHoldsTheBatchIsCompletedAsItBegan) {
  testkit::MemoryStoreProvider stores;
  put_file(stores, "in/0.csv", csv(1, 2));
  die_before_commit(stores, merging("v"), "t");
  Lakehouse lake(stores);
  ASSERT_EQ(lake.version("_lakemill/flows/p/n/0/change_state/0"), 0);
  put_file(stores, "in/1.csv", csv(3, 3));
  ASSERT_TRUE(all_well(lake.run(merging("(v::INT + 1)::VARCHAR"))));
  EXPECT_THAT(lake.rows("t", "SELECT id, v FROM target ORDER BY id"),
              ElementsAre("1|10", "2|20", "3|31"));
}

TEST(FlowPosition, AMergeIsCompletedByThePlanOfItsStateNotByALaterOne) {
  testkit::MemoryStoreProvider stores;
  put_file(stores, "in/0.csv", csv(1, 2));
  die_before_commit(stores, merging("v"), "t");
  const std::string plan = std::string(kLake) + "/" + kPlans + "/0000000001";
  std::string other = stores.objects().at(plan + ".json");
  const std::string to = "\"to\":{\"arrival\":1";
  ASSERT_NE(other.find(to), std::string::npos) << other;
  other.replace(other.find(to), to.size(), "\"to\":{\"arrival\":2");
  stores.tamper(plan + "-r0001.json", &other);  // a runner that knew of one more file
  put_file(stores, "in/1.csv", csv(2, 3));
  Lakehouse lake(stores);
  ASSERT_TRUE(all_well(lake.run(merging("v"))));
  EXPECT_THAT(lake.rows("t", "SELECT id, v FROM target ORDER BY id"),
              ElementsAre("1|10", "2|20", "3|30"));
}

TEST(FlowPosition, ASingleFileIsWrittenWhenItsQuarantineCameFirst) {
  const std::string yaml =
      "name: p\nnodes:\n- name: n\n"
      "  sources: [{path: ./in, format: CSV}]\n"
      "  expectations: [{name: even, expr: \"id::INT % 2 = 0\", action: QUARANTINE}]\n"
      "  sinks:\n"
      "  - {path: ./out.csv, format: CSV}\n"
      "  - {path: ./q, format: DELTA, is_quarantine: true}\n";
  testkit::MemoryStoreProvider stores;
  put_file(stores, "in/0.csv", csv(1, 4));
  const auto copy = stores.copy();
  std::int64_t call = 0;
  {
    testkit::CrashingStoreProvider counted(*copy, {});
    Lakehouse lake(counted);
    ASSERT_TRUE(all_well(lake.run(yaml)));
    call = commit_call(counted.trace(), "q");
  }
  {
    testkit::CrashingStoreProvider dying(stores, {testkit::Fault::die_after, call});
    Lakehouse lake(dying);
    EXPECT_FALSE(lake.run(yaml).succeeded());
  }
  Lakehouse lake(stores);
  ASSERT_EQ(lake.version("q"), 0);
  ASSERT_TRUE(all_well(lake.run(yaml)));
  const std::string url = std::string(kLake) + "/out.csv";
  ASSERT_TRUE(stores.objects().contains(url));
  EXPECT_EQ(stores.objects().at(url), copy->objects().at(url));
  EXPECT_EQ(report_of(lake.run(yaml), "n").status, NodeStatus::skipped);
  EXPECT_EQ(lake.version("q"), 0);
}

TEST(FlowPosition, ASingleFileThatWasRemovedIsWrittenAgain) {
  const std::string yaml =
      "name: p\nnodes:\n- name: n\n  sources: [{path: ./in, format: CSV}]\n"
      "  sinks: [{path: ./out.csv, format: CSV}]\n";
  testkit::MemoryStoreProvider stores;
  put_file(stores, "in/0.csv", csv(1, 4));
  Lakehouse lake(stores);
  ASSERT_TRUE(all_well(lake.run(yaml)));
  EXPECT_EQ(report_of(lake.run(yaml), "n").status, NodeStatus::skipped);
  remove_file(stores, "out.csv");
  ASSERT_TRUE(all_well(lake.run(yaml)));
  EXPECT_TRUE(stores.objects().contains(std::string(kLake) + "/out.csv"));
}

TEST_F(ThreeBatches, ALostStateFolderIsMadeAgainFromTableAndFiles) {
  run_three(with_quarantine("id"));
  remove_folder(stores_, "_lakemill");
  put_file(stores_, "in/3.csv", csv(7, 8));
  Lakehouse lake(stores_);
  ASSERT_TRUE(all_well(lake.run(with_quarantine("id"))));
  EXPECT_THAT(lake.rows("t", ids()), ElementsAre("2", "4", "6", "8"));
  EXPECT_THAT(lake.rows("q", ids()), ElementsAre("1", "3", "5", "7"));
  EXPECT_EQ(lake.version("t"), 3);
}

TEST(FlowPosition, AnEditIsTakenUpThoughTheFilesThatWereReadAreGone) {
  testkit::MemoryStoreProvider stores;
  put_file(stores, "in/0.csv", csv(1, 2));
  put_file(stores, "in/1.csv", csv(3, 4));
  Lakehouse lake(stores);
  ASSERT_TRUE(all_well(lake.run(plain())));
  remove_file(stores, "in/1.csv");
  const std::string edited = appending(
      "  transformer: {nodes: [{expr: \"SELECT id, v || '!' AS v FROM {df}\"}]}\n"
      "  sinks: [{path: ./t, format: DELTA}]\n");
  const RunReport report = lake.run(edited);
  ASSERT_TRUE(all_well(report));
  EXPECT_EQ(report_of(report, "n").status, NodeStatus::skipped);
  put_file(stores, "in/2.csv", csv(5, 5));
  ASSERT_TRUE(all_well(lake.run(edited)));
  EXPECT_THAT(lake.rows("t", "SELECT id, v FROM target ORDER BY id"),
              ElementsAre("1|10", "2|20", "3|30", "4|40", "5|50!"));
}

TEST(FlowPosition, OneOfTwoSourcesMayHaveNothingNew) {
  testkit::MemoryStoreProvider stores;
  put_file(stores, "x/0.csv", csv(1, 2));
  put_file(stores, "y/0.csv", csv(3, 4));
  const std::string yaml =
      "name: p\nnodes:\n- name: n\n  sources:\n"
      "  - {name: x, path: ./x, format: CSV, as_stream: true}\n"
      "  - {name: y, path: ./y, format: CSV, as_stream: true}\n"
      "  transformer: {nodes: [{expr: \"SELECT id FROM {sources.x} UNION ALL SELECT id "
      "FROM {sources.y}\"}]}\n"
      "  sinks: [{path: ./t, format: DELTA}]\n";
  Lakehouse lake(stores);
  ASSERT_TRUE(all_well(lake.run(yaml)));
  put_file(stores, "y/1.csv", csv(5, 5));
  ASSERT_TRUE(all_well(lake.run(yaml)));
  EXPECT_THAT(lake.rows("t", "SELECT id FROM target ORDER BY id"),
              ElementsAre("1", "2", "3", "4", "5"));
  EXPECT_EQ(report_of(lake.run(yaml), "n").status, NodeStatus::skipped);
}

TEST_F(ThreeBatches, ALostArrivalLogIsFoundOut) {
  // Seen in an order that differs from the order of names and times.
  run_three(plain());
  std::vector<std::string> objects =
      paths_below(stores_, "_lakemill/flows/p/n/arrivals");
  ASSERT_FALSE(objects.empty());
  // Files that were read come to have later times than a new one.
  put_file(stores_, "in/new.csv", csv(7, 8));
  for (int i = 0; i < 3; ++i) {
    put_file(stores_, "in/" + std::to_string(i) + ".csv", csv(2 * i + 1, 2 * i + 2));
  }
  for (const std::string& path : objects) remove_file(stores_, path);
  Lakehouse lake(stores_);
  const RunReport report = lake.run(plain());
  EXPECT_EQ(report_of(report, "n").status, NodeStatus::failed);
  EXPECT_THAT(error_of(report, "n"), HasSubstr("arrival log"));
  EXPECT_THAT(lake.rows("t", ids()), ElementsAre("1", "2", "3", "4", "5", "6"));
}

}  // namespace
}  // namespace lakemill::flow
