// How a flow finds out where it stands after something was lost, altered, edited or
// interrupted, and what it then does.
#include "flow_fixture.h"

#include "lakemill/base/text.h"
#include "lakemill/testing/crashing_store.h"

namespace lakemill::flow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kPlans = "_lakemill/flows/p/n/0/plans";

std::string csv(int first, int last) {
  std::string text = "id,v\n";
  for (int id = first; id <= last; ++id) {
    text += std::to_string(id) + "," + std::to_string(id * 10) + "\n";
  }
  return text;
}

// Appends new files; `steps` goes below the node.
std::string appending(const std::string& rest, const std::string& node = "n") {
  return "name: p\nnodes:\n- name: " + node +
         "\n  sources: [{path: ./in, format: CSV, as_stream: true}]\n" + rest;
}

std::string plain() { return appending("  sinks: [{path: ./t, format: DELTA}]\n"); }

std::string with_quarantine(const std::string& expression) {
  return appending(
      "  transformer: {nodes: [{expr: \"SELECT " + expression +
      " AS id, v FROM {df}\"}]}\n"
      "  expectations: [{name: even, expr: \"id::INT % 2 = 0\", action: QUARANTINE}]\n"
      "  sinks:\n"
      "  - {path: ./t, format: DELTA}\n"
      "  - {path: ./q, format: DELTA, is_quarantine: true}\n");
}

// A lake in which three batches of one file each are in the table.
class ThreeBatches : public testing::Test {
 protected:
  void run_three(const std::string& yaml) {
    Lakehouse lake(stores_);
    for (int i = 0; i < 3; ++i) {
      put_file(stores_, "in/" + std::to_string(i) + ".csv", csv(2 * i + 1, 2 * i + 2));
      ASSERT_TRUE(all_well(lake.run(yaml)));
    }
    ASSERT_EQ(lake.version("t"), 2);
  }

  static std::string ids() { return "SELECT id FROM target ORDER BY id::INT"; }

  testkit::MemoryStoreProvider stores_;
};

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

// The call of the fault-free run that puts version 0 of the table at kLake/`path`.
std::int64_t commit_call(const std::vector<std::string>& trace,
                         const std::string& path) {
  for (std::size_t i = 0; i < trace.size(); ++i) {
    if (trace[i].starts_with("put_if_absent ") &&
        trace[i].ends_with("/" + path + "/_delta_log/00000000000000000000.json")) {
      return static_cast<std::int64_t>(i);
    }
  }
  ADD_FAILURE() << "no commit of " << path << " in " << testing::PrintToString(trace);
  return 0;
}

// Runs `yaml` up to just before the first commit of the table at `path`.
void die_before_commit(testkit::MemoryStoreProvider& stores, const std::string& yaml,
                       const std::string& path) {
  const auto copy = stores.copy();
  std::int64_t call = 0;
  {
    testkit::CrashingStoreProvider counted(*copy, {});
    Lakehouse lake(counted);
    ASSERT_TRUE(all_well(lake.run(yaml)));
    call = commit_call(counted.trace(), path);
  }
  testkit::CrashingStoreProvider dying(stores, {testkit::Fault::die_before, call});
  Lakehouse lake(dying);
  EXPECT_FALSE(lake.run(yaml).succeeded());
  ASSERT_TRUE(dying.died());
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

// A sequence that the target does not show, so that the state must hold it.
std::string merging(const std::string& value) {
  return appending(
      "  primary_keys: [id]\n"
      "  transformer: {nodes: [{expr: \"SELECT id, " +
      value + " AS v, " + value +
      " AS seq FROM {df}\"}]}\n"
      "  sinks:\n"
      "  - {path: ./t, format: DELTA, mode: MERGE, merge_cdc_options: "
      "{order_by: seq, exclude_columns: [seq]}}\n");
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
  Start refresh;
  refresh.full_refresh = refresh.named = true;
  ASSERT_TRUE(all_well(lake.run(batches("other"), refresh)));
  EXPECT_EQ(visible().size(), 1U) << "what the old flow wrote went with it";
}

// Wherever the run dies that takes over, the next one that does ends the same.
TEST(FlowPosition, AnAdoptionThatDiesIsDoneByTheNextRun) {
  std::string renamed = with_quarantine("id");
  renamed.replace(renamed.find("- name: n\n"), 10, "- name: other\n");
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
  std::string renamed = with_quarantine("id");
  renamed.replace(renamed.find("- name: n\n"), 10, "- name: other\n");
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

TEST(FlowPosition, ASharedTableIsNotRefreshedOverTheHeadsOfOthers) {
  testkit::MemoryStoreProvider stores;
  put_file(stores, "in/0.csv", csv(1, 2));
  Lakehouse lake(stores);
  const std::string sink = "  sinks: [{path: ./t, format: DELTA, shared: true}]\n";
  ASSERT_TRUE(all_well(lake.run(appending(sink, "one"))));
  ASSERT_TRUE(all_well(lake.run(appending(sink, "two"))));
  Start refresh;
  refresh.full_refresh = true;
  refresh.named = true;
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

// ----------------------------------------------------------------------- full refresh

Start refresh_named() {
  Start start;
  start.full_refresh = true;
  start.named = true;
  return start;
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
  const std::string yaml =
      "name: p\nnodes:\n"
      "- name: b\n  layer: BRONZE\n  sources: [{path: ./in, format: CSV}]\n"
      "  sinks: [{path: ./b, format: DELTA}]\n"
      "- name: s\n  sources: [{node_name: b, as_stream: true}]\n"
      "  transformer: {nodes: [{expr: \"SELECT id FROM {df}\"}]}\n"
      "  sinks: [{path: ./s, format: DELTA}]\n";
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
  const std::string yaml =
      "name: p\nnodes:\n"
      "- name: b\n  layer: BRONZE\n  sources: [{path: ./in, format: CSV}]\n"
      "  sinks: [{path: ./b, format: DELTA}]\n"
      "- name: s\n  sources: [{node_name: b, as_stream: true}]\n"
      "  transformer: {nodes: [{expr: \"SELECT id FROM {df}\"}]}\n"
      "  sinks: [{path: ./s, format: DELTA}]\n";
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
