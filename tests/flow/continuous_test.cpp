// Runs that go on: what was asked for once is done once, also where the first round
// fails; what a failing round had committed is not forgotten; what is not there yet is
// waited for. The clock runs fast, so that nobody waits.
#include <atomic>
#include <mutex>
#include <thread>

#include "two_layers_fixture.h"

#include "lakemill/flow/continuous_runner.h"
#include "lakemill/testing/forwarding_store.h"

namespace lakemill::flow {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr std::chrono::seconds kPatience{60};

// Refuses the first put of an object whose path ends so.
class RefusingProvider final : public storage::StoreProvider {
 public:
  RefusingProvider(storage::StoreProvider& inner, std::string path_end)
      : inner_(inner), path_end_(std::move(path_end)) {}

  Result<std::shared_ptr<storage::ObjectStore>> open(std::string_view url) override {
    LAKEMILL_TRY(auto store, inner_.open(url));
    return std::shared_ptr<storage::ObjectStore>(
        std::make_shared<Store>(std::move(store), *this));
  }
  bool refused() const { return refused_; }

 private:
  class Store final : public testkit::ForwardingStore {
   public:
    Store(std::shared_ptr<storage::ObjectStore> inner, RefusingProvider& provider)
        : ForwardingStore(std::move(inner)), provider_(provider) {}

    Status put_if_absent(std::string_view path, std::string_view bytes) override {
      if (path.ends_with(provider_.path_end_) && !provider_.refused_.exchange(true)) {
        return Error(ErrorCode::unavailable, "refused");
      }
      return ForwardingStore::put_if_absent(path, bytes);
    }

   private:
    RefusingProvider& provider_;
  };

  storage::StoreProvider& inner_;
  const std::string path_end_;
  std::atomic<bool> refused_ = false;
};

class Heard final : public RunObserver {
 public:
  bool wants_progress() const override { return false; }
  void on_node_started(const language::Node& node) override { add(node, "started"); }
  void on_node_progress(const language::Node&, const engine::Progress&) override {}
  void on_node_finished(const language::Node& node, const NodeReport& report) override {
    add(node, std::string(to_text(report.status)));
  }
  void on_node_retry(const language::Node& node, const Error& error,
                     std::chrono::milliseconds) override {
    add(node, "retry: " + error.message());
  }
  std::vector<std::string> all() {
    const std::scoped_lock lock(mutex_);
    return heard_;
  }

 private:
  void add(const language::Node& node, const std::string& what) {
    const std::scoped_lock lock(mutex_);
    heard_.push_back(node.name + " " + what);
  }

  std::mutex mutex_;
  std::vector<std::string> heard_;  // guarded by mutex_
};

// A run in the background.
class Continuous {
 public:
  Continuous(storage::StoreProvider& stores, const std::string& yaml, bool full_refresh)
      : lake_(stores, 17), workspace_(lake_.workspace(yaml)) {
    options_.run_id = "continuous";
    for (const language::Node& node : workspace_.pipeline.nodes) {
      options_.nodes.push_back(node.name);
    }
    options_.full_refresh = full_refresh;
    options_.stop = stop_.get_token();
    ticking_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        lake_.clock().advance(std::chrono::seconds(1));
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    });
    running_ = std::jthread([this] {
      auto report = run_continuously(workspace_, options_, heard_);
      if (report) report_ = *std::move(report);
      ended_ = true;
    });
  }
  ~Continuous() { (void)end(); }

  bool until(const std::function<bool()>& holds) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (!holds()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return true;
  }
  bool ended() const { return ended_; }
  std::vector<std::string> heard() { return heard_.all(); }

  const RunReport& end() {
    stop_.request_stop();
    if (running_.joinable()) running_.join();
    return report_;
  }

 private:
  Lakehouse lake_;
  const Workspace& workspace_;
  RunOptions options_;
  std::stop_source stop_;
  Heard heard_;
  RunReport report_;
  std::atomic<bool> ended_ = false;
  std::jthread ticking_;
  std::jthread running_;
};

class ContinuousRuns : public TwoLayers {
 protected:
  bool are(const std::string& table, const RowTexts& expected) {
    return rows(table) == expected;
  }

  void forget_all() {
    for (const char* folder : {"_lakemill", "b", "t", "q"})
      remove_folder(stores_, folder);
  }

  // Two layers over a folder in which nothing is yet, and nothing done.
  std::string nothing_there() {
    forget_all();
    std::string yaml = two_layers(1);
    yaml.replace(yaml.find("./in"), 4, "./empty");
    return yaml;
  }
};

TEST_F(ContinuousRuns, RefreshAlsoWhereTheFirstRoundFailed) {
  RefusingProvider refusing(stores_, "/s/1/plans/0000000001.json");
  Continuous run(refusing, two_layers(10), true);
  EXPECT_TRUE(run.until([&] { return are("t", {"1|10", "3|30", "5|50"}); }));
  put_file(stores_, "in/2.csv", "id\n7\n");
  EXPECT_TRUE(run.until([&] { return are("t", {"1|10", "3|30", "5|50", "7|70"}); }));
  ASSERT_TRUE(refusing.refused());
  EXPECT_THAT(run.heard(), Contains(HasSubstr("s retry")));
  const RunReport& report = run.end();
  ASSERT_TRUE(all_well(report));
  EXPECT_EQ(report_of(report, "s").generation, 2)
      << "begun by the round that failed and by the next, not by each";
}

TEST_F(ContinuousRuns, WakeWhatReadsTheBatchesThatCameBeforeAFailure) {
  std::string yaml = two_layers(1);
  yaml.replace(yaml.find("format: CSV"), 11,
               "format: JSONL, schema: {id: bigint}, max_files: 1");
  yaml.replace(yaml.find("./in"), 4, "./js");
  put_file(stores_, "js/0.jsonl", "{\"id\": 11}\n");
  forget_all();
  Continuous run(stores_, yaml, false);
  EXPECT_TRUE(run.until([&] { return are("t", {"11|11"}); }));
  put_file(stores_, "js/1.jsonl", "{\"id\": 13}\n");  // and, in the same look:
  put_file(stores_, "js/2.jsonl", "poison\n");
  EXPECT_TRUE(run.until([&] {
    const auto heard = run.heard();
    return std::count(heard.begin(), heard.end(), "b failed") == 1;
  }));
  EXPECT_TRUE(run.until([&] { return are("t", {"11|11", "13|13"}); }));
}

TEST_F(ContinuousRuns, WaitForWhatIsNotThereYet) {
  Continuous run(stores_, nothing_there(), false);
  EXPECT_TRUE(run.until([&] { return run.heard().size() >= 2; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(500));  // looks again and again
  EXPECT_FALSE(run.ended());
  EXPECT_THAT(run.heard(),
              ElementsAre("b started", HasSubstr("b retry: no file at memory://lake")))
      << "told once";
  put_file(stores_, "empty/0.csv", "id\n1\n");
  EXPECT_TRUE(run.until([&] { return are("t", {"1|1"}); }));
  EXPECT_TRUE(all_well(run.end()));
}

TEST_F(ContinuousRuns, ThatAlwaysHaveSomethingToDoKeepNobodyWaiting) {
  forget_all();
  std::string yaml = two_layers(1);
  for (int i = 0; i < 30; ++i) {  // more comes than there is time for
    const std::string number = std::to_string(i);
    yaml.insert(yaml.find("- name: b"), "- name: a" + number +
                                            "\n  sources: [{path: ./in, format: CSV, "
                                            "as_stream: true}]\n  sinks: [{path: ./a" +
                                            number + ", format: DELTA}]\n");
  }
  Continuous run(stores_, yaml, false);
  int files = 2;
  EXPECT_TRUE(run.until([&] {
    put_file(stores_, "in/" + std::to_string(files++) + ".csv", "id\n7\n");
    return rows("t").size() >= 2;
  })) << files;
  EXPECT_TRUE(all_well(run.end()));
}

TEST_F(ContinuousRuns, FailWhereWhatWasThereIsGone) {
  forget_all();
  put_file(stores_, "whole/0.csv", "id\n1\n");
  const std::string yaml =
      "name: p\nnodes:\n- name: s\n  sources: [{path: ./whole, format: CSV}]\n"
      "  transformer: {nodes: [{expr: \"SELECT id, id AS v FROM {df}\"}]}\n"
      "  sinks: [{path: ./t, format: DELTA}]\n";
  Continuous run(stores_, yaml, false);
  EXPECT_TRUE(run.until([&] { return are("t", {"1|1"}); }));
  remove_folder(stores_, "whole");
  const auto told = [&](std::ptrdiff_t times) {
    return run.until([&] {
      const auto heard = run.heard();
      return std::count_if(heard.begin(), heard.end(), [](const std::string& what) {
               return what.starts_with("s retry: no file at memory://lake");
             }) >= times;
    });
  };
  EXPECT_TRUE(told(4)) << "again and again, with longer and longer pauses";
  EXPECT_FALSE(run.ended());
  put_file(stores_, "whole/1.csv", "id\n5\n");
  EXPECT_TRUE(run.until([&] { return are("t", {"5|5"}); }));
  remove_folder(stores_, "whole");
  EXPECT_TRUE(told(5));
  EXPECT_EQ(report_of(run.end(), "s").status, NodeStatus::failed);
}

TEST_F(ContinuousRuns, ThatWaitedInVainEndWell) {
  Continuous run(stores_, nothing_there(), false);
  EXPECT_TRUE(run.until([&] { return run.heard().size() >= 2; }));
  const RunReport& report = run.end();
  ASSERT_THAT(report.nodes, SizeIs(2));
  EXPECT_TRUE(all_well(report));
}

}  // namespace
}  // namespace lakemill::flow
