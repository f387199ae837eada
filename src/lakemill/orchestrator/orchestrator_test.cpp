#include "lakemill/orchestrator/orchestrator.h"

#include <atomic>
#include <set>

#include <gtest/gtest.h>

#include "lakemill/testing/matchers.h"
#include "lakemill/testing/memory_store.h"

namespace lakemill::orchestrator {
namespace {

using std::chrono::milliseconds;
using testkit::HasError;
using testkit::IsOk;

// Runs that go on until they are told how to end, or at once.
class Runs final : public RunPort {
 public:
  AttemptReport run(const RunOrder& order, std::stop_token stop) override {
    std::unique_lock lock(mutex_);
    orders.push_back(order);
    changed_.notify_all();
    changed_.wait(lock, stop, [this] { return !held_; });
    if (held_) return {RunOutcome::cancelled, "stopped", {"first"}, false};
    return next;
  }

  void hold(bool held) {
    const std::lock_guard lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }

  std::vector<RunOrder> seen() {
    const std::lock_guard lock(mutex_);
    return orders;
  }

  std::vector<RunOrder> orders;  // guarded by mutex_
  AttemptReport next{RunOutcome::succeeded, "", {}, false};

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool held_ = false;
};

class Members final : public MemberPort {
 public:
  bool is_gone(const std::string& member) override {
    const std::lock_guard lock(mutex_);
    return gone_.contains(member);
  }
  void end(const std::string& member) {
    const std::lock_guard lock(mutex_);
    gone_.insert(member);
  }

 private:
  std::mutex mutex_;
  std::set<std::string> gone_;
};

// Things outside that tests move.
class Watches final : public WatchPort {
 public:
  std::optional<std::string> position(const std::string& watch, bool) override {
    const std::lock_guard lock(mutex_);
    return positions_[watch];
  }
  void move(const std::string& watch, std::string position) {
    const std::lock_guard lock(mutex_);
    positions_[watch] = std::move(position);
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::string> positions_;
};

class Entries final : public DecisionObserver {
 public:
  void on_entry(const std::string&, const PipelineState&, const JournalEntry& entry,
                bool own) override {
    const std::lock_guard lock(mutex_);
    if (own) kinds_.emplace_back(to_text(entry.kind));
  }
  void on_problem(const std::string&, const Error&) override { ++problems; }

  std::vector<std::string> kinds() {
    const std::lock_guard lock(mutex_);
    return kinds_;
  }
  std::atomic<int> problems = 0;

 private:
  std::mutex mutex_;
  std::vector<std::string> kinds_;
};

// One process with an orchestrator that works on a thread.
class Process {
 public:
  Process(storage::ObjectStore& store, std::string member, Members& members)
      : random_(std::hash<std::string>()(member)),
        orchestrator({std::move(member), 3, 3, milliseconds(20)},
                     {store, clock_, random_, runs, members, watches, entries}) {}

  void begin() {
    thread_ =
        std::jthread([this](const std::stop_token& stop) { orchestrator.run(stop); });
  }
  void end() { thread_ = std::jthread(); }

  RunState wait_for(const std::string& pipeline, const std::string& run_id,
                    RunStatus status) {
    for (int i = 0; i < 1'000; ++i) {
      const auto view = orchestrator.view(pipeline);
      const RunState* run = view ? view->state.find_run(run_id) : nullptr;
      if (run != nullptr && run->status == status) return *run;
      std::this_thread::sleep_for(milliseconds(5));
    }
    ADD_FAILURE() << "run " << run_id << " is never " << to_text(status);
    return {};
  }

  Runs runs;
  Entries entries;
  Watches watches;

 private:
  SystemClock clock_;
  SeededRandom random_;

 public:
  Orchestrator orchestrator;

 private:
  std::jthread thread_;
};

class Orchestrating : public testing::Test {
 protected:
  std::shared_ptr<storage::ObjectStore> store_ = testkit::make_memory_store();
  Members members_;
};

PipelineOrders orders_of(const std::string& pipeline) {
  return {pipeline, {}, Overlap::queue, 1, {}};
}

TEST_F(Orchestrating, MakesARunThatIsAskedFor) {
  Process process(*store_, "a", members_);
  ASSERT_THAT(process.orchestrator.set_orders({orders_of("p")}), IsOk());
  process.begin();
  const auto ticket = process.orchestrator.request(
      "p", {{"x"}, true, {{"k", "v"}}, {}, 0}, "ann", "key");
  ASSERT_THAT(ticket, IsOk());
  const RunState run = process.wait_for("p", ticket->run_id, RunStatus::ended);
  EXPECT_EQ(run.outcome, RunOutcome::succeeded);
  EXPECT_EQ(run.actor, "ann");
  ASSERT_EQ(process.runs.seen().size(), 1U);
  EXPECT_EQ(process.runs.seen()[0].wish.parameters.at("k"), "v");
  const auto again = process.orchestrator.request("p", {}, "ann", "key");
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->run_id, ticket->run_id);
  EXPECT_FALSE(again->is_new);
  EXPECT_EQ(process.entries.kinds(),
            (std::vector<std::string>{"run_requested", "run_started", "run_ended"}));
  EXPECT_THAT(process.orchestrator.request("q", {}, "", ""),
              HasError(ErrorCode::not_found, "no pipeline 'q'"));
}

TEST_F(Orchestrating, CancelsWhatRunsAndWhatWaits) {
  Process process(*store_, "a", members_);
  process.runs.hold(true);
  ASSERT_THAT(process.orchestrator.set_orders({orders_of("p")}), IsOk());
  process.begin();
  const auto first = process.orchestrator.request("p", {}, "", "");
  ASSERT_THAT(first, IsOk());
  process.wait_for("p", first->run_id, RunStatus::running);
  const auto second = process.orchestrator.request("p", {}, "", "");
  ASSERT_THAT(second, IsOk());
  ASSERT_THAT(process.orchestrator.cancel(second->run_id, "ann"), IsOk());
  EXPECT_EQ(process.wait_for("p", second->run_id, RunStatus::ended).attempt, 0);
  ASSERT_THAT(process.orchestrator.cancel(first->run_id, "ann"), IsOk());
  EXPECT_EQ(process.wait_for("p", first->run_id, RunStatus::ended).outcome,
            RunOutcome::cancelled);
  EXPECT_THAT(process.orchestrator.cancel(first->run_id, "ann"),
              HasError(ErrorCode::invalid, "has ended"));
  EXPECT_THAT(process.orchestrator.cancel("nobody", "ann"),
              HasError(ErrorCode::not_found, "nobody"));
}

TEST_F(Orchestrating, TriesAgainWhatCanPassAndOnlyThat) {
  Process process(*store_, "a", members_);
  process.runs.next = {RunOutcome::failed, "busy", {"first"}, true};
  PipelineOrders orders = orders_of("p");
  orders.retries = {3, std::chrono::seconds(0), 1, 0};
  ASSERT_THAT(process.orchestrator.set_orders({orders}), IsOk());
  process.begin();
  const auto ticket = process.orchestrator.request("p", {}, "", "");
  ASSERT_THAT(ticket, IsOk());
  const RunState run = process.wait_for("p", ticket->run_id, RunStatus::ended);
  EXPECT_EQ(run.attempt, 3);
  EXPECT_EQ(run.message, "busy");
  const auto seen = process.runs.seen();
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_TRUE(seen[0].done_nodes.empty());
  EXPECT_EQ(seen[2].done_nodes, std::vector<std::string>{"first"});
  process.runs.next.can_pass = false;
  const auto by_hand = process.orchestrator.retry(ticket->run_id, false, "ann");
  ASSERT_THAT(by_hand, IsOk());
  EXPECT_EQ(process.wait_for("p", by_hand->run_id, RunStatus::ended).attempt, 1);
  EXPECT_EQ(process.runs.seen().back().wish.without, std::vector<std::string>{"first"});
}

TEST_F(Orchestrating, GoesOnInTheNextProcessWhereOneIsStopped) {
  std::string run_id;
  {
    Process process(*store_, "a", members_);
    process.runs.hold(true);
    ASSERT_THAT(process.orchestrator.set_orders({orders_of("p")}), IsOk());
    process.begin();
    const auto ticket = process.orchestrator.request("p", {}, "", "");
    ASSERT_THAT(ticket, IsOk());
    run_id = ticket->run_id;
    process.wait_for("p", run_id, RunStatus::running);
    process.end();
    const auto view = process.orchestrator.view("p");
    ASSERT_THAT(view, IsOk());
    EXPECT_EQ(view->state.find_run(run_id)->status, RunStatus::waiting_to_retry);
  }
  Process next(*store_, "b", members_);
  ASSERT_THAT(next.orchestrator.set_orders({orders_of("p")}), IsOk());
  next.begin();
  const RunState run = next.wait_for("p", run_id, RunStatus::ended);
  EXPECT_EQ(run.attempt, 2);
  EXPECT_EQ(run.interruptions, 0);
  EXPECT_EQ(run.outcome, RunOutcome::succeeded);
  EXPECT_EQ(next.runs.seen()[0].done_nodes, std::vector<std::string>{"first"});
}

TEST_F(Orchestrating, TakesOverFromAProcessThatIsGone) {
  Process process(*store_, "a", members_);
  process.runs.hold(true);
  ASSERT_THAT(process.orchestrator.set_orders({orders_of("p")}), IsOk());
  process.begin();
  const auto ticket = process.orchestrator.request("p", {}, "", "");
  ASSERT_THAT(ticket, IsOk());
  process.wait_for("p", ticket->run_id, RunStatus::running);
  members_.end("a");  // it is not, but the others think so
  Process next(*store_, "b", members_);
  ASSERT_THAT(next.orchestrator.set_orders({orders_of("p")}), IsOk());
  next.begin();
  const RunState run = next.wait_for("p", ticket->run_id, RunStatus::ended);
  EXPECT_EQ(run.attempt, 2);
  EXPECT_EQ(run.member, "b");
  process.runs.hold(false);  // the first one comes back, and changes nothing
  process.end();
  EXPECT_EQ(next.wait_for("p", ticket->run_id, RunStatus::ended).member, "b");
}

TEST_F(Orchestrating, FollowsWhatIsWatched) {
  Process process(*store_, "a", members_);
  PipelineOrders orders = orders_of("p");
  orders.triggers = {{"on_table t", ChangeTrigger{"t"}, Catchup::last, {}, 0}};
  process.watches.move("t", "1");
  ASSERT_THAT(process.orchestrator.set_orders({orders}), IsOk());
  process.begin();
  const auto ended = [&] { return process.orchestrator.view("p")->state.ended.size(); };
  const auto wait = [](const auto& holds) {
    for (int i = 0; i < 1'000 && !holds(); ++i) {
      std::this_thread::sleep_for(milliseconds(5));
    }
    return holds();
  };
  ASSERT_TRUE(wait([&] { return process.orchestrator.view("p")->state.entries == 1; }));
  process.watches.move("t", "2");
  process.orchestrator.wake();
  ASSERT_TRUE(wait([&] { return ended() == 1; }));
  process.orchestrator.wake();
  process.end();
  EXPECT_EQ(ended(), 1U);
}

TEST_F(Orchestrating, BeginsARunWithoutEndAnewWhereItWas) {
  Process process(*store_, "a", members_);
  process.runs.hold(true);
  PipelineOrders orders = orders_of("p");
  orders.triggers = {{"continuous", ContinuousTrigger{}, Catchup::last, {}, 0}};
  ASSERT_THAT(process.orchestrator.set_orders({orders}), IsOk());
  process.begin();
  const auto wait_for_attempts = [&](std::size_t count) {
    for (int i = 0; i < 1'000 && process.runs.seen().size() < count; ++i) {
      std::this_thread::sleep_for(milliseconds(5));
    }
    ASSERT_EQ(process.runs.seen().size(), count);
  };
  wait_for_attempts(1);
  process.orchestrator.restart_continuous("q");
  process.orchestrator.restart_continuous("p");
  wait_for_attempts(2);
  const auto seen = process.runs.seen();
  EXPECT_EQ(seen[1].run_id, seen[0].run_id);
  EXPECT_EQ(seen[1].attempt, 2);
  EXPECT_TRUE(seen[1].wish.continuous);
  process.end();
}

TEST_F(Orchestrating, SharesWorkWithOthersOnOneStorage) {
  Process first(*store_, "a", members_);
  Process second(*store_, "b", members_);
  const std::vector<PipelineOrders> orders = {orders_of("p"), orders_of("q")};
  for (Process* process : {&first, &second}) {
    ASSERT_THAT(process->orchestrator.set_orders(orders), IsOk());
    process->begin();
  }
  std::vector<std::pair<std::string, std::string>> asked;
  for (int i = 0; i < 40; ++i) {
    const std::string pipeline = i % 3 == 0 ? "q" : "p";
    Process& process = i % 2 == 0 ? first : second;
    const auto ticket = process.orchestrator.request(pipeline, {}, "", "");
    ASSERT_THAT(ticket, IsOk());
    asked.emplace_back(pipeline, ticket->run_id);
  }
  for (const auto& [pipeline, run_id] : asked) {
    EXPECT_EQ(first.wait_for(pipeline, run_id, RunStatus::ended).attempt, 1);
  }
  std::multiset<std::string> made;
  for (Process* process : {&first, &second}) {
    for (const RunOrder& order : process->runs.seen()) made.insert(order.run_id);
  }
  EXPECT_EQ(made.size(), asked.size());
  for (const auto& [pipeline, run_id] : asked) EXPECT_EQ(made.count(run_id), 1U);
}

TEST_F(Orchestrating, EndsWhatRunsOfAPipelineThatIsGone) {
  Process process(*store_, "a", members_);
  process.runs.hold(true);
  ASSERT_THAT(process.orchestrator.set_orders({orders_of("p"), orders_of("q")}),
              IsOk());
  process.begin();
  const auto ticket = process.orchestrator.request("p", {}, "", "");
  ASSERT_THAT(ticket, IsOk());
  process.wait_for("p", ticket->run_id, RunStatus::running);
  ASSERT_THAT(process.orchestrator.set_orders({orders_of("q")}), IsOk());
  process.runs.hold(false);
  EXPECT_EQ(process.wait_for("p", ticket->run_id, RunStatus::ended).outcome,
            RunOutcome::succeeded);
}

}  // namespace
}  // namespace lakemill::orchestrator
