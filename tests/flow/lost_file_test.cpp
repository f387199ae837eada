// Files that were numbered and planned, and that change or go before any batch has read
// them; and what a batch that a sink holds makes of the same.
#include "flow_fixture.h"

#include "lakemill/testing/interrupting_store.h"

namespace lakemill::flow {
namespace {

using testing::AnyOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

std::string pipeline(const std::string& source, const std::string& rest) {
  return "name: p\nnodes:\n- name: n\n  layer: BRONZE\n"
         "  sources: [{path: ./in, format: CSV" +
         source + "}]\n" + rest;
}

std::string plain() { return pipeline("", "  sinks: [{path: ./t, format: DELTA}]\n"); }

std::string with_quarantine() {
  return pipeline("",
                  "  expectations: [{name: even, expr: \"v::INT % 2 = 0\", action: "
                  "QUARANTINE}]\n  sinks:\n  - {path: ./t, format: DELTA}\n"
                  "  - {path: ./q, format: DELTA, is_quarantine: true}\n");
}

constexpr const char* kValues = "SELECT v FROM target ORDER BY v::INT";

// The call of an undisturbed run that puts an object whose path ends so.
std::int64_t call_of(testkit::MemoryStoreProvider& stores, const std::string& yaml,
                     const std::string& path_end) {
  const auto copy = stores.copy();
  testkit::CrashingStoreProvider counted(*copy, {});
  Lakehouse lake(counted);
  EXPECT_TRUE(all_well(lake.run(yaml)));
  const auto trace = counted.trace();
  for (std::size_t i = 0; i < trace.size(); ++i) {
    if (trace[i].starts_with("put_if_absent ") && trace[i].ends_with(path_end)) {
      return static_cast<std::int64_t>(i);
    }
  }
  ADD_FAILURE() << path_end << " in " << testing::PrintToString(trace);
  return 0;
}

void die_at(testkit::MemoryStoreProvider& stores, const std::string& yaml,
            testkit::Fault fault, const std::string& path_end) {
  const std::int64_t call = call_of(stores, yaml, path_end);
  testkit::CrashingStoreProvider dying(stores, {fault, call});
  Lakehouse lake(dying);
  EXPECT_FALSE(lake.run(yaml).succeeded());
  ASSERT_TRUE(dying.died());
}

std::string commit_of(const std::string& table, int version) {
  return "/" + table + "/_delta_log/0000000000000000000" + std::to_string(version) +
         ".json";
}

std::vector<std::string> messages(const NodeReport& report) {
  std::vector<std::string> texts;
  for (const auto& notice : report.notices) texts.push_back(notice.message);
  return texts;
}

// One file is in the table; two more are planned, and the runner dies before the
// commit.
class PlannedFiles : public testing::Test {
 protected:
  void SetUp() override {
    put_file(stores_, "in/a.csv", "v\n1\n");
    Lakehouse lake(stores_);
    ASSERT_TRUE(all_well(lake.run(plain())));
    put_file(stores_, "in/b.csv", "v\n2\n");
    put_file(stores_, "in/c.csv", "v\n3\n");
    die_at(stores_, plain(), testkit::Fault::die_before, commit_of("t", 1));
    ASSERT_THAT(paths_below(stores_, "_lakemill/flows/p/n/0/plans"), SizeIs(2));
  }

  testkit::MemoryStoreProvider stores_;
};

TEST_F(PlannedFiles, ThatAreAsTheyWereAreReadByThePlanThatWasMade) {
  Lakehouse lake(stores_);
  ASSERT_TRUE(all_well(lake.run(plain())));
  EXPECT_THAT(lake.rows("t", kValues), ElementsAre("1", "2", "3"));
  EXPECT_THAT(paths_below(stores_, "_lakemill/flows/p/n/0/plans"), SizeIs(2));
}

TEST_F(PlannedFiles, ThatWereRewrittenAreReadAsTheyAreNow) {
  put_file(stores_, "in/b.csv", "v\n20\n21\n");
  Lakehouse lake(stores_);
  const RunReport report = lake.run(plain());
  ASSERT_TRUE(all_well(report));
  EXPECT_THAT(
      messages(report_of(report, "n")),
      ElementsAre(HasSubstr("in/b.csv has changed before a batch had read it")));
  EXPECT_THAT(lake.rows("t", kValues), ElementsAre("1", "3", "20", "21"));
  EXPECT_THAT(paths_below(stores_, "_lakemill/flows/p/n/0/plans"),
              Contains(HasSubstr("0000000002-r0001.json")));
  const auto objects = stores_.objects();
  ASSERT_TRUE(all_well(lake.run(plain())));
  EXPECT_TRUE(stores_.objects() == objects) << "a second run changes nothing";
}

TEST_F(PlannedFiles, ThatAreGoneAreLeftOut) {
  remove_file(stores_, "in/b.csv");
  Lakehouse lake(stores_);
  const RunReport report = lake.run(plain());
  ASSERT_TRUE(all_well(report));
  EXPECT_THAT(messages(report_of(report, "n")),
              ElementsAre(HasSubstr("in/b.csv is gone, and no batch had read it")));
  EXPECT_THAT(lake.rows("t", kValues), ElementsAre("1", "3"));
  const auto objects = stores_.objects();
  ASSERT_TRUE(all_well(lake.run(plain())));
  EXPECT_TRUE(stores_.objects() == objects);
  put_file(stores_, "in/b.csv", "v\n4\n");
  ASSERT_TRUE(all_well(lake.run(plain())));
  EXPECT_THAT(lake.rows("t", kValues), ElementsAre("1", "3", "4")) << "it came back";
  ASSERT_TRUE(all_well(lake.run(plain())));
  EXPECT_THAT(lake.rows("t", kValues), ElementsAre("1", "3", "4"));
}

TEST_F(PlannedFiles, ThatAreAllGoneLeaveNothingToDo) {
  remove_file(stores_, "in/b.csv");
  remove_file(stores_, "in/c.csv");
  Lakehouse lake(stores_);
  EXPECT_EQ(report_of(lake.run(plain()), "n").status, NodeStatus::skipped);
  put_file(stores_, "in/d.csv", "v\n4\n");
  ASSERT_TRUE(all_well(lake.run(plain())));
  EXPECT_THAT(lake.rows("t", kValues), ElementsAre("1", "4"));
}

TEST_F(PlannedFiles, ThatWereRewrittenDoNotStopAFullRefresh) {
  put_file(stores_, "in/b.csv", "v\n20\n");
  remove_file(stores_, "in/c.csv");
  Lakehouse lake(stores_);
  Start refresh;
  refresh.full_refresh = refresh.named = true;
  refresh.nodes = {"n"};
  ASSERT_TRUE(all_well(lake.run(plain(), refresh)));
  EXPECT_THAT(lake.rows("t", kValues), ElementsAre("1", "20"));
}

TEST_F(PlannedFiles, WithABoundStillReadWhatWasRewritten) {
  const std::string bounded =
      pipeline(", max_files: 1", "  sinks: [{path: ./t, format: DELTA}]\n");
  put_file(stores_, "in/b.csv", "v\n20\n");
  Lakehouse lake(stores_);
  ASSERT_TRUE(all_well(lake.run(bounded)));
  EXPECT_THAT(lake.rows("t", kValues), ElementsAre("1", "3", "20"));
  EXPECT_EQ(lake.version("t"), 2);
}

// Wherever a runner dies that plans anew, the next one ends with the right table.
TEST_F(PlannedFiles, ThatWereRewrittenAreReadOnceWhereverTheNextRunnerDies) {
  put_file(stores_, "in/b.csv", "v\n20\n");
  std::int64_t calls = 0;
  {
    const auto copy = stores_.copy();
    testkit::CrashingStoreProvider counted(*copy, {});
    Lakehouse lake(counted);
    ASSERT_TRUE(all_well(lake.run(plain())));
    calls = counted.calls();
  }
  for (const auto fault : {testkit::Fault::die_before, testkit::Fault::die_after,
                           testkit::Fault::lose_answer}) {
    for (std::int64_t call = 0; call < calls; ++call) {
      const auto copy = stores_.copy();
      {
        testkit::CrashingStoreProvider dying(*copy, {fault, call});
        Lakehouse lake(dying);
        (void)lake.run(plain());
      }
      Lakehouse lake(*copy);
      ASSERT_TRUE(all_well(lake.run(plain()))) << "call " << call;
      EXPECT_THAT(lake.rows("t", kValues), ElementsAre("1", "3", "20"))
          << "call " << call;
    }
  }
}

// A runner has read the files as they were and is about to commit; the file changes,
// and another runner plans the batch anew.
TEST_F(PlannedFiles, AreReadByOneOfTwoRunners) {
  const auto other_runner = [&] {
    put_file(stores_, "in/b.csv", "v\n20\n");
    Lakehouse lake(stores_, 7);
    ASSERT_TRUE(all_well(lake.run(plain())));
  };
  testkit::InterruptingProvider interrupted(stores_, {commit_of("t", 1), other_runner});
  {
    Lakehouse lake(interrupted, 6);
    ASSERT_TRUE(all_well(lake.run(plain())));
  }
  ASSERT_TRUE(interrupted.interrupted());
  Lakehouse lake(stores_, 8);
  EXPECT_THAT(lake.rows("t", kValues), ElementsAre("1", "3", "20"));
}

// Nothing may come of a mixture of what a file was and what it is.
TEST_F(PlannedFiles, ThatAreOverwrittenWhileTheyAreReadAreReadAgain) {
  const auto writer = [&] { put_file(stores_, "in/b.csv", "v\n20\n21\n"); };
  testkit::InterruptingProvider interrupted(stores_, {".parquet", writer});
  {
    Lakehouse lake(interrupted, 6);
    ASSERT_TRUE(all_well(lake.run(plain())));
  }
  ASSERT_TRUE(interrupted.interrupted());
  Lakehouse lake(stores_, 8);
  EXPECT_THAT(lake.rows("t", kValues), ElementsAre("1", "3", "20", "21"));
  EXPECT_THAT(messages(report_of(lake.run(plain()), "n")), IsEmpty());
}

// The other runner dies between its plan and its commit: then the first one's commit
// stands, and what the file became since is a change of a file that was read.
TEST_F(PlannedFiles, ThatWereReadAfterAllAreNotReadAgain) {
  const auto other_runner = [&] {
    put_file(stores_, "in/b.csv", "v\n20\n");
    die_at(stores_, plain(), testkit::Fault::die_before, commit_of("t", 1));
  };
  testkit::InterruptingProvider interrupted(stores_, {commit_of("t", 1), other_runner});
  {
    Lakehouse lake(interrupted, 6);
    ASSERT_TRUE(all_well(lake.run(plain())));
  }
  ASSERT_TRUE(interrupted.interrupted());
  Lakehouse lake(stores_, 8);
  ASSERT_TRUE(all_well(lake.run(plain())));
  EXPECT_THAT(lake.rows("t", kValues), ElementsAre("1", "2", "3"));
  put_file(stores_, "in/d.csv", "v\n4\n");
  ASSERT_TRUE(all_well(lake.run(plain())));
  EXPECT_THAT(lake.rows("t", kValues), ElementsAre("1", "2", "3", "4"));
}

TEST(HeldBatches, AreCompletedOnlyAsTheyWere) {
  testkit::MemoryStoreProvider stores;
  put_file(stores, "in/a.csv", "v\n1\n2\n");
  die_at(stores, with_quarantine(), testkit::Fault::die_before, commit_of("t", 0));
  const std::string url = std::string(kLake) + "/in/a.csv";
  const auto before = stores.copy();
  put_file(stores, "in/a.csv", "v\n10\n");
  Lakehouse lake(stores);
  ASSERT_EQ(lake.version("q"), 0);
  const std::string error = error_of(lake.run(with_quarantine()), "n");
  EXPECT_THAT(error, HasSubstr("in/a.csv has changed"));
  EXPECT_THAT(error, HasSubstr("put it back as it was"));
  EXPECT_THAT(error, HasSubstr("--full-refresh"));
  EXPECT_EQ(lake.version("t"), -1);
  Lakehouse healed(*before);
  ASSERT_TRUE(all_well(healed.run(with_quarantine())));
  EXPECT_THAT(healed.rows("t", kValues), ElementsAre("2"));
  Start refresh;
  refresh.full_refresh = refresh.named = true;
  refresh.nodes = {"n"};
  ASSERT_TRUE(all_well(lake.run(with_quarantine(), refresh)));
  EXPECT_THAT(lake.rows("t", kValues), ElementsAre("10"));
  EXPECT_THAT(lake.rows("q", kValues), IsEmpty());
}

TEST(HeldBatches, AreNotRefreshedWhereAFileThatTheyReadIsNotThere) {
  testkit::MemoryStoreProvider stores;
  put_file(stores, "in/a.csv", "v\n1\n");
  put_file(stores, "in/b.csv", "v\n2\n");
  Lakehouse lake(stores);
  ASSERT_TRUE(all_well(lake.run(plain())));
  remove_file(stores, "in/a.csv");
  Start refresh;
  refresh.full_refresh = refresh.named = true;
  refresh.nodes = {"n"};
  const std::string error = error_of(lake.run(plain(), refresh), "n");
  EXPECT_THAT(error, HasSubstr("cannot be refreshed"));
  EXPECT_THAT(error, HasSubstr("in/a.csv is gone"));
  EXPECT_THAT(lake.rows("t", kValues), ElementsAre("1", "2"));
  remove_folder(stores, "t");  // what the message says
  ASSERT_TRUE(all_well(lake.run(plain())));
  EXPECT_THAT(lake.rows("t", kValues), ElementsAre("2"));
}

// A table that goes away while a run of several batches writes it: what is added to it
// then would be all that it holds.
void lose_table_before_batch_two(const std::string& sink) {
  testkit::MemoryStoreProvider stores;
  for (int file = 1; file <= 3; ++file) {
    const std::string value = std::to_string(file);
    put_file(stores, "in/" + value + ".csv", "id,v\n" + value + "," + value + "\n");
  }
  const std::string yaml =
      "name: p\nnodes:\n- name: n\n  primary_keys: [id]\n"
      "  sources: [{path: ./in, format: CSV, as_stream: true, max_files: 1}]\n"
      "  sinks: [{path: ./t, format: DELTA" +
      sink + "}]\n";
  const auto deletes = [&] { remove_folder(stores, "t"); };
  testkit::InterruptingProvider interrupted(stores,
                                            {"/plans/0000000002.json", deletes});
  {
    Lakehouse lake(interrupted, 6);
    const RunReport report = lake.run(yaml);
    EXPECT_EQ(report_of(report, "n").status, NodeStatus::failed);
    EXPECT_THAT(error_of(report, "n"), HasSubstr("was deleted during the run"));
  }
  ASSERT_TRUE(interrupted.interrupted());
  Lakehouse lake(stores, 8);
  ASSERT_TRUE(all_well(lake.run(yaml)));
  EXPECT_THAT(lake.rows("t", kValues), ElementsAre("1", "2", "3"));
  EXPECT_EQ(report_of(lake.run(yaml), "n").status, NodeStatus::skipped);
}

TEST(LostTable, OfAnAppendDuringARunFailsItAndTheNextRunReadsEverything) {
  lose_table_before_batch_two("");
}

TEST(LostTable, OfAMergeDuringARunFailsItAndTheNextRunReadsEverything) {
  lose_table_before_batch_two(", mode: MERGE");
}

}  // namespace
}  // namespace lakemill::flow
