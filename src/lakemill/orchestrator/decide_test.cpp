#include "lakemill/orchestrator/decide.h"

#include <set>

#include <gtest/gtest.h>

#include "lakemill/testing/matchers.h"

namespace lakemill::orchestrator {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testkit::IsOk;

Instant at(const char* text) { return *parse_instant(text); }

Trigger cron(const char* text) {
  return {std::string("cron ") + text,
          CronTrigger{CronInZone(*Cron::parse(text), TimeZone::utc())},
          Catchup::last,
          {},
          0};
}

// Orders, a state and a world that tests move on.
class Deciding : public testing::Test {
 protected:
  // All that is to be decided now, in order.
  std::vector<JournalEntry> decisions() {
    std::vector<JournalEntry> all;
    World world;
    world.now = now_;
    world.may_start = may_start_;
    world.is_gone = [this](const std::string& member) {
      return gone_.contains(member);
    };
    world.last_success = [this](const std::string&) { return upstream_success_; };
    world.position = [this](const std::string&, bool now) {
      return now ? std::optional(position_now_) : position_known_;
    };
    world.new_id = [this] { return "run" + std::to_string(++ids_); };
    while (auto entry = decide(state_, orders_, world)) {
      entry->number = state_.entries + 1;
      entry->member = member_;
      apply(state_, *entry);
      all.push_back(*std::move(entry));
      if (all.size() > 5'000) ADD_FAILURE() << "deciding does not end";
      if (all.size() > 5'000) break;
    }
    return all;
  }

  std::vector<std::string> kinds() {
    std::vector<std::string> all;
    for (const JournalEntry& entry : decisions()) {
      all.emplace_back(std::string(to_text(entry.kind)) +
                       (entry.reason.empty() ? "" : " " + entry.reason) +
                       (entry.count > 1 ? " " + std::to_string(entry.count) : ""));
    }
    return all;
  }

  // What is watched stands there, and that is known.
  void stand(const std::string& position) {
    position_known_ = position;
    position_now_ = position;
  }

  void end_all(RunOutcome outcome) {
    const auto open = state_.open;
    for (const RunState& run : open) {
      if (run.status == RunStatus::running) end(run.run_id, outcome);
    }
  }

  void end(const std::string& run_id, RunOutcome outcome) {
    JournalEntry entry;
    entry.number = state_.entries + 1;
    entry.kind = EntryKind::run_ended;
    entry.at = now_;
    entry.run_id = run_id;
    entry.attempt = state_.find_run(run_id)->attempt;
    entry.outcome = outcome;
    apply(state_, entry);
  }

  void request(const std::string& run_id, int priority) {
    JournalEntry entry;
    entry.number = state_.entries + 1;
    entry.kind = EntryKind::run_requested;
    entry.at = now_;
    entry.run_id = run_id;
    entry.wish.priority = priority;
    apply(state_, entry);
  }

  PipelineOrders orders_{"p", {}, Overlap::skip, 1, {}};
  PipelineState state_;
  Instant now_ = at("2026-01-01");
  bool may_start_ = true;
  std::set<std::string> gone_;
  std::int64_t upstream_success_ = 0;
  std::optional<std::string> position_known_;
  std::string position_now_;
  std::string member_ = "me";
  int ids_ = 0;
};

using Texts = std::vector<std::string>;

TEST_F(Deciding, BeginsWithATriggerWithoutARun) {
  orders_.triggers = {cron("0 6 * * *")};
  EXPECT_EQ(kinds(), Texts{"trigger_began"});
  EXPECT_EQ(kinds(), Texts());
  EXPECT_EQ(next_instant(state_, orders_, now_), at("2026-01-01T06:00:00Z"));
}

TEST_F(Deciding, FiresAtItsInstantOnce) {
  orders_.triggers = {cron("0 6 * * *")};
  decisions();
  now_ = at("2026-01-01T05:59:59.999999Z");
  EXPECT_EQ(kinds(), Texts());
  now_ = at("2026-01-01T06:00:00Z");
  EXPECT_EQ(kinds(), (Texts{"run_requested", "run_started"}));
  end_all(RunOutcome::succeeded);
  EXPECT_EQ(kinds(), Texts());
  now_ = at("2026-01-01T05:00:00Z");  // the clock goes back
  EXPECT_EQ(kinds(), Texts());
  now_ = at("2026-01-01T06:00:01Z");
  EXPECT_EQ(kinds(), Texts());
}

TEST_F(Deciding, MakesUpForMissedInstantsAsTold) {
  orders_.triggers = {cron("0 * * * *"), cron("0 */1 * * *"), cron("0 0-23 * * *")};
  orders_.triggers[1].catchup = Catchup::all;
  orders_.triggers[2].catchup = Catchup::skip;
  orders_.overlap = Overlap::queue;
  decisions();
  now_ += hours(10) + minutes(30);
  EXPECT_EQ(kinds(),
            (Texts{"run_skipped missed 9", "run_requested", "run_requested",
                   "run_requested", "run_requested", "run_requested", "run_requested",
                   "run_requested", "run_requested", "run_requested", "run_requested",
                   "run_requested", "run_skipped missed 10", "run_started"}));
  EXPECT_EQ(state_.cursors.at("cron 0 * * * *"), "2026-01-01T10:00:00.000000Z");
  EXPECT_EQ(state_.cursors.at("cron 0 0-23 * * *"), "2026-01-01T10:00:00.000000Z");
}

TEST_F(Deciding, BoundsWhatIsMadeUpForAll) {
  orders_.triggers = {{"every", IntervalTrigger{seconds(1)}, Catchup::all, {}, 0}};
  orders_.overlap = Overlap::queue;
  decisions();
  now_ += hours(24 * 365);
  const auto all = decisions();
  ASSERT_FALSE(all.empty());
  EXPECT_EQ(all[0].reason, "missed");
  EXPECT_EQ(all[0].count, 365 * 86'400 - kCatchupMax);
  EXPECT_EQ(state_.open.size(), kQueueMax);
  EXPECT_EQ(state_.cursors.at("every"), format_instant(now_));
}

TEST_F(Deciding, KeepsTheGridOfAnInterval) {
  orders_.triggers = {{"every", IntervalTrigger{minutes(7)}, Catchup::last, {}, 0}};
  decisions();
  now_ += minutes(45);
  EXPECT_EQ(kinds(), (Texts{"run_skipped missed 5", "run_requested", "run_started"}));
  EXPECT_EQ(state_.cursors.at("every"), "2026-01-01T00:42:00.000000Z");
  EXPECT_EQ(next_instant(state_, orders_, now_), at("2026-01-01T00:49:00Z"));
}

TEST_F(Deciding, DoesWithWhatOverlapsAsTold) {
  orders_.triggers = {cron("* * * * *")};
  decisions();
  now_ += minutes(1);
  EXPECT_EQ(kinds(), (Texts{"run_requested", "run_started"}));
  now_ += minutes(1);
  EXPECT_EQ(kinds(), Texts{"run_skipped overlap"});
  orders_.overlap = Overlap::queue;
  now_ += minutes(1);
  EXPECT_EQ(kinds(), Texts{"run_requested"});
  now_ += minutes(1);
  EXPECT_EQ(kinds(), Texts{"run_skipped waits"});
  end_all(RunOutcome::failed);
  EXPECT_EQ(kinds(), Texts{"run_started"});
  orders_.overlap = Overlap::cancel_running;
  now_ += minutes(1);
  EXPECT_EQ(kinds(), (Texts{"run_requested", "cancel_requested"}));
  end_all(RunOutcome::cancelled);
  EXPECT_EQ(kinds(), Texts{"run_started"});
}

TEST_F(Deciding, MakesNoRunsWhilePaused) {
  orders_.triggers = {cron("* * * * *")};
  decisions();
  state_.paused = true;
  now_ += minutes(1);
  EXPECT_EQ(kinds(), Texts{"run_skipped paused"});
  state_.paused = false;
  EXPECT_EQ(kinds(), Texts());
  now_ += minutes(1);
  EXPECT_EQ(kinds(), (Texts{"run_requested", "run_started"}));
}

TEST_F(Deciding, StartsWhatMattersMostAndThenWhatWaitsLongest) {
  request("first", 0);
  request("second", 0);
  request("urgent", 5);
  may_start_ = false;
  EXPECT_EQ(kinds(), Texts());
  may_start_ = true;
  Texts order;
  for (int i = 0; i < 3; ++i) {
    for (const JournalEntry& entry : decisions()) order.push_back(entry.run_id);
    end_all(RunOutcome::succeeded);
  }
  EXPECT_EQ(order, (Texts{"urgent", "first", "second"}));
}

TEST_F(Deciding, RunsAsManyAtATimeAsAreAllowed) {
  orders_.runs_max = 2;
  for (const char* id : {"a", "b", "c"}) request(id, 0);
  EXPECT_EQ(kinds(), (Texts{"run_started", "run_started"}));
  end("a", RunOutcome::succeeded);
  EXPECT_EQ(kinds(), Texts{"run_started"});
}

TEST_F(Deciding, MakesARunAgainWhoseProcessIsGone) {
  request("a", 0);
  for (int i = 0; i <= orders_.interruptions_max; ++i) {
    member_ = "member" + std::to_string(i);
    EXPECT_EQ(kinds(),
              i == 0 ? Texts{"run_started"} : (Texts{"run_ended", "run_started"}));
    EXPECT_EQ(state_.find_run("a")->attempt, i + 1);
    gone_.insert(member_);
  }
  EXPECT_EQ(kinds(), Texts{"run_ended"});
  EXPECT_EQ(state_.find_run("a")->outcome, RunOutcome::interrupted);
  EXPECT_EQ(state_.find_run("a")->status, RunStatus::ended);
}

TEST_F(Deciding, LeavesARunInterruptedWhereItIsNotToGoOn) {
  orders_.interruptions_max = 0;
  request("a", 0);
  EXPECT_EQ(kinds(), Texts{"run_started"});
  gone_.insert(member_);
  EXPECT_EQ(kinds(), Texts{"run_ended"});
  EXPECT_EQ(state_.find_run("a")->status, RunStatus::ended);
}

TEST_F(Deciding, EndsWhatIsCancelledBeforeItRuns) {
  request("a", 0);
  state_.open[0].cancel_requested = true;
  EXPECT_EQ(kinds(), Texts{"run_ended"});
  EXPECT_EQ(state_.find_run("a")->outcome, RunOutcome::cancelled);
}

TEST_F(Deciding, FollowsAnotherPipelinesSuccess) {
  orders_.triggers = {{"after q", AfterTrigger{"q"}, Catchup::last, {}, 0}};
  upstream_success_ = 12;  // before this trigger was there
  EXPECT_EQ(kinds(), Texts{"trigger_began"});
  upstream_success_ = 20;
  EXPECT_EQ(kinds(), (Texts{"run_requested", "run_started"}));
  EXPECT_EQ(kinds(), Texts());
  upstream_success_ = 15;  // a process that has not read all of the other journal
  EXPECT_EQ(kinds(), Texts());
}

TEST_F(Deciding, FollowsWhatIsWatched) {
  orders_.overlap = Overlap::queue;
  orders_.triggers = {{"on_table t", ChangeTrigger{"t"}, Catchup::last, {}, 0}};
  EXPECT_EQ(kinds(), Texts());  // nobody has looked yet
  stand("1");
  EXPECT_EQ(kinds(), Texts{"trigger_began"});  // what is there began without it
  EXPECT_EQ(kinds(), Texts());
  stand("2");
  EXPECT_EQ(kinds(), (Texts{"run_requested", "run_started"}));
  stand("3");  // amid a run: one more is to see it
  EXPECT_EQ(kinds(), Texts{"run_requested"});
  stand("4");  // the one that waits sees that too
  EXPECT_EQ(kinds(), Texts{"run_skipped waits"});
  EXPECT_EQ(state_.cursors.at("on_table t"), "4");
  end_all(RunOutcome::succeeded);
  EXPECT_EQ(kinds(), Texts{"run_started"});
}

TEST_F(Deciding, LooksAgainBeforeItFollows) {
  orders_.triggers = {{"on_table t", ChangeTrigger{"t"}, Catchup::last, {}, 0}};
  stand("5");
  EXPECT_EQ(kinds(), Texts{"trigger_began"});
  position_known_ = "4";  // looked at before another process moved the cursor to 5
  EXPECT_EQ(kinds(), Texts());
}

TEST_F(Deciding, FollowsOnceWhatChangedInAPause) {
  orders_.triggers = {{"on_files f", ChangeTrigger{"f"}, Catchup::last, {}, 0}};
  stand("1");
  EXPECT_EQ(kinds(), Texts{"trigger_began"});
  state_.paused = true;
  stand("2");
  EXPECT_EQ(kinds(), Texts());
  stand("3");
  state_.paused = false;
  EXPECT_EQ(kinds(), (Texts{"run_requested", "run_started"}));
}

TEST_F(Deciding, KeepsARunWithoutEndGoing) {
  orders_.triggers = {{"continuous", ContinuousTrigger{}, Catchup::last, {}, 0}};
  EXPECT_EQ(kinds(), (Texts{"trigger_began", "run_requested", "run_started"}));
  EXPECT_TRUE(state_.open.front().wish.continuous);
  EXPECT_EQ(kinds(), Texts());
  end_all(RunOutcome::failed);
  EXPECT_EQ(kinds(), Texts());
  EXPECT_EQ(next_instant(state_, orders_, now_), now_ + kContinuousDelay);
  now_ += kContinuousDelay;
  EXPECT_EQ(kinds(), (Texts{"run_requested", "run_started"}));
  state_.paused = true;
  EXPECT_EQ(kinds(), Texts{"cancel_requested"});
  EXPECT_EQ(kinds(), Texts());
  end_all(RunOutcome::cancelled);
  now_ += hours(1);
  EXPECT_EQ(kinds(), Texts());
  state_.paused = false;
  EXPECT_EQ(kinds(), (Texts{"run_requested", "run_started"}));
}

TEST_F(Deciding, GivesRunsWithoutEndARoomOfTheirOwn) {
  orders_.triggers = {{"continuous", ContinuousTrigger{}, Catchup::last, {}, 0}};
  may_start_ = false;
  EXPECT_EQ(kinds(), (Texts{"trigger_began", "run_requested", "run_started"}));
}

TEST(RetryDelay, GrowsAndStaysWithinItsJitter) {
  const Retries retries{5, seconds(10), 2, 0.5};
  EXPECT_EQ(retry_delay(retries, 1, 0.5), seconds(10));
  EXPECT_EQ(retry_delay(retries, 3, 0.5), seconds(40));
  EXPECT_EQ(retry_delay(retries, 1, 0), seconds(5));
  EXPECT_EQ(retry_delay(retries, 60, 0.5), hours(24));
}

}  // namespace
}  // namespace lakemill::orchestrator
