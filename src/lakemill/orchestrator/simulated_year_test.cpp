#include <array>
#include <cstdlib>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "lakemill/orchestrator/decide.h"
#include "lakemill/orchestrator/journal.h"
#include "lakemill/testing/crashing_store.h"
#include "lakemill/testing/matchers.h"
#include "lakemill/testing/memory_store.h"

namespace lakemill::orchestrator {
namespace {

using testkit::IsOk;

// Three processes that share a storage, live and die through a year. What they decided
// is compared with the schedule itself.
class SimulatedYear {
 public:
  SimulatedYear(std::uint64_t seed, PipelineOrders orders)
      : random_(seed), orders_(std::move(orders)) {}

  void live_through(Instant from, Instant to) {
    now_ = from;
    for (std::size_t i = 0; i < kProcesses; ++i) begin(i);
    while (now_ < to) {
      now_ += std::chrono::seconds(60 + random_.next() % 5'000);
      for (std::size_t i = 0; i < kProcesses; ++i) {
        if (random_.next() % 50 == 0) begin(i);  // dies, and another one begins
        work(i);
      }
    }
    for (int round = 0; round < 5; ++round) {
      for (std::size_t i = 0; i < kProcesses; ++i) work(i);
    }
  }

  PipelineState state() {
    const auto store = stores_.open("memory://s");
    const auto journal = Journal::open(**store, "j", "reader", random_);
    return (*journal)->state();
  }

  // Every entry that was ever written, in order.
  std::vector<JournalEntry> entries() {
    std::vector<JournalEntry> all;
    for (const auto& [url, text] : stores_.objects()) {
      if (url.find("state") != std::string::npos || url.ends_with("newest.json"))
        continue;
      all.push_back(*entry_from_json(*parse_json(text)));
    }
    return all;
  }

  int deaths() const { return deaths_; }

 private:
  static constexpr std::size_t kProcesses = 3;

  struct Process {
    std::string member;
    std::unique_ptr<testkit::CrashingStoreProvider> stores;
    std::shared_ptr<storage::ObjectStore> store;
    std::unique_ptr<Journal> journal;
    std::map<std::string, Instant> runs;  // that it makes, and when they end
  };

  void begin(std::size_t index) {
    Process& process = processes_[index];
    if (!process.member.empty()) {
      gone_.insert(process.member);
      ++deaths_;
    }
    process = Process();
    process.member = "member" + std::to_string(++members_);
    // It dies at some store call by itself, sooner or later.
    const auto fault = static_cast<testkit::Fault>(1 + random_.next() % 4);
    const auto call = static_cast<std::int64_t>(random_.next() % 400);
    process.stores = std::make_unique<testkit::CrashingStoreProvider>(
        stores_, testkit::FaultPlan{fault, call});
    process.store = *process.stores->open("memory://s");
    auto journal = Journal::open(*process.store, "j", process.member, random_);
    if (journal) process.journal = *std::move(journal);
  }

  void work(std::size_t index) {
    if (processes_[index].journal == nullptr || processes_[index].stores->died()) {
      begin(index);
    }
    Process& process = processes_[index];
    if (process.journal == nullptr) return;
    end_runs(process);
    World world;
    world.now = now_;
    world.is_gone = [&](const std::string& member) { return gone_.contains(member); };
    world.last_success = [](const std::string&) { return std::int64_t{0}; };
    world.position = [](const std::string&, bool) { return std::nullopt; };
    world.new_id = [&] { return make_uuid(random_); };
    while (true) {
      const auto entry = process.journal->append(
          [&](const PipelineState& state) { return decide(state, orders_, world); },
          {});
      if (!entry || !*entry) return;
      if ((*entry)->kind != EntryKind::run_started) continue;
      process.runs[(*entry)->run_id] =
          now_ + std::chrono::seconds(random_.next() % 2'000);
    }
  }

  void end_runs(Process& process) {
    for (auto run = process.runs.begin(); run != process.runs.end();) {
      if (run->second > now_) {
        ++run;
        continue;
      }
      const auto ended = process.journal->append(
          [&](const PipelineState& state) -> std::optional<JournalEntry> {
            const RunState* held = state.find_run(run->first);
            if (held == nullptr || held->status != RunStatus::running ||
                held->member != process.member) {
              return std::nullopt;
            }
            JournalEntry entry;
            entry.kind = EntryKind::run_ended;
            entry.at = now_;
            entry.run_id = run->first;
            entry.attempt = held->attempt;
            entry.outcome = RunOutcome::succeeded;
            return entry;
          },
          {});
      if (!ended) return;
      run = process.runs.erase(run);
    }
  }

  SeededRandom random_;
  PipelineOrders orders_;
  testkit::MemoryStoreProvider stores_;
  std::array<Process, kProcesses> processes_;
  std::set<std::string> gone_;
  Instant now_{};
  int members_ = 0;
  int deaths_ = 0;
};

void expect_schedule(const std::vector<JournalEntry>& entries, const Trigger& trigger,
                     Instant to) {
  std::optional<Instant> cursor;
  std::int64_t fired = 0;
  std::int64_t expected = 0;
  for (const JournalEntry& entry : entries) {
    if (entry.trigger != trigger.id) continue;
    const Instant told = *parse_instant(entry.cursor);
    if (entry.kind == EntryKind::trigger_began) {
      ASSERT_FALSE(cursor) << "began twice";
      cursor = told;
      continue;
    }
    ASSERT_TRUE(cursor);
    fired += entry.kind == EntryKind::run_requested ? 1 : entry.count;
    Instant last = *cursor;
    for (auto next = instants_after(trigger, last, 1); !next.empty() && next[0] <= told;
         next = instants_after(trigger, last, 1)) {
      last = next[0];
      ++expected;
    }
    ASSERT_EQ(fired, expected) << "at " << entry.cursor;
    if (entry.kind == EntryKind::run_requested) {
      ASSERT_EQ(last, told);
    }
    cursor = told;
  }
  ASSERT_TRUE(cursor);
  const auto left = instants_after(trigger, *cursor, 1);
  ASSERT_FALSE(left.empty());
  EXPECT_GT(left[0], to) << "an instant was not decided on";
}

CronTrigger by_clocks_of(const char* zone, const char* cron) {
  return {CronInZone(*Cron::parse(cron), *TimeZone::find(zone))};
}

TEST(Orchestration, KeepsItsScheduleThroughAYearOfDeaths) {
  const Instant from = *parse_instant("2026-01-01");
  const Instant to = *parse_instant("2027-01-01");
  const int seeds = std::getenv("LAKEMILL_SOAK") != nullptr ? 40 : 1;
  for (int seed = 0; seed < seeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    PipelineOrders orders{"p", {}, Overlap::queue, 2, {}};
    orders.triggers = {
        {"hourly", by_clocks_of("UTC", "17 */6 * * *"), Catchup::last, {}, 0},
        {"daily", by_clocks_of("Europe/Berlin", "30 2 * * *"), Catchup::all, {}, 1},
        {"weekdays", by_clocks_of("UTC", "0 9 * * 1-5"), Catchup::skip, {}, 0},
        {"interval", IntervalTrigger{std::chrono::hours(11)}, Catchup::all, {}, 0}};
    SimulatedYear year(static_cast<std::uint64_t>(seed), orders);
    year.live_through(from, to);
    EXPECT_GT(year.deaths(), 100);
    const auto entries = year.entries();
    for (const Trigger& trigger : orders.triggers) {
      SCOPED_TRACE(trigger.id);
      expect_schedule(entries, trigger, to);
    }
    std::map<std::string, int> requests;
    std::map<std::string, int> successes;
    std::map<std::pair<std::string, int>, int> attempts;
    for (const JournalEntry& entry : entries) {
      if (entry.kind == EntryKind::run_requested) ++requests[entry.run_id];
      if (entry.kind == EntryKind::run_started)
        ++attempts[{entry.run_id, entry.attempt}];
      if (entry.outcome == RunOutcome::succeeded) ++successes[entry.run_id];
    }
    for (const auto& [run, count] : requests) EXPECT_EQ(count, 1) << run;
    for (const auto& [run, count] : attempts) EXPECT_EQ(count, 1) << run.first;
    for (const auto& [run, count] : successes) EXPECT_EQ(count, 1) << run;
    EXPECT_GT(successes.size(), requests.size() * 9 / 10);
  }
}

}  // namespace
}  // namespace lakemill::orchestrator
