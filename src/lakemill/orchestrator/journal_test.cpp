#include "lakemill/orchestrator/journal.h"

#include <atomic>
#include <cstdlib>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "lakemill/testing/crashing_store.h"
#include "lakemill/testing/matchers.h"
#include "lakemill/testing/memory_store.h"

namespace lakemill::orchestrator {
namespace {

using testkit::HasError;
using testkit::IsOk;

JournalEntry requested(const std::string& key) {
  JournalEntry entry;
  entry.kind = EntryKind::run_requested;
  entry.key = key;
  entry.run_id = "run of " + key;
  return entry;
}

// A request that is made once under its key.
Journal::Decide once(const std::string& key) {
  return [key](const PipelineState& state) -> std::optional<JournalEntry> {
    if (state.run_of_key(key) != nullptr) return std::nullopt;
    return requested(key);
  };
}

TEST(Journal, IsReadByOthersAsItWasWritten) {
  const auto store = testkit::make_memory_store();
  SeededRandom random(1);
  auto mine = Journal::open(*store, "j", "me", random);
  ASSERT_THAT(mine, IsOk());
  JournalEntry told = requested("a");
  told.at = Instant(std::chrono::microseconds(1'767'225'600'123'456));
  told.actor = "ann";
  told.wish = {{"a", "b*"}, true, {{"day", "2026-01-01"}}, {"c"}, 7};
  ASSERT_THAT((*mine)->append(
                  [&](const PipelineState& state) {
                    return state.entries == 0 ? std::optional(told) : std::nullopt;
                  },
                  {}),
              IsOk());
  JournalEntry ended;
  ended.kind = EntryKind::run_ended;
  ended.run_id = told.run_id;
  ended.outcome = RunOutcome::failed;
  ended.message = "no";
  ended.done_nodes = {"a"};
  ended.retry_at = told.at;
  ASSERT_THAT((*mine)->append(
                  [&](const PipelineState& state) {
                    return state.entries == 1 ? std::optional(ended) : std::nullopt;
                  },
                  {}),
              IsOk());
  const auto theirs = Journal::open(*store, "j", "they", random);
  ASSERT_THAT(theirs, IsOk());
  EXPECT_EQ((*theirs)->state(), (*mine)->state());
  ASSERT_EQ((*theirs)->state().open.size(), 1U);
  EXPECT_EQ((*theirs)->state().open[0].wish, told.wish);
  EXPECT_EQ((*theirs)->state().open[0].done_nodes, ended.done_nodes);
}

TEST(Journal, LetsOneOfManyDecide) {
  const auto store = testkit::make_memory_store();
  constexpr int kWriters = 6;
  constexpr int kKeys = 40;
  std::atomic<int> written = 0;
  {
    std::vector<std::jthread> writers;
    for (int i = 0; i < kWriters; ++i) {
      writers.emplace_back([&, i] {
        SeededRandom random(static_cast<std::uint64_t>(i));
        auto journal = Journal::open(*store, "j", std::to_string(i), random);
        ASSERT_THAT(journal, IsOk());
        for (int key = 0; key < kKeys; ++key) {
          const auto entry = (*journal)->append(once(std::to_string(key)), {});
          ASSERT_THAT(entry, IsOk());
          if (*entry) ++written;
        }
      });
    }
  }
  EXPECT_EQ(written, kKeys);
  SeededRandom random(9);
  const auto journal = Journal::open(*store, "j", "reader", random);
  ASSERT_THAT(journal, IsOk());
  EXPECT_EQ((*journal)->state().entries, kKeys);
  EXPECT_EQ((*journal)->state().open.size(), static_cast<std::size_t>(kKeys));
}

TEST(Journal, IsOpenedByItsNewestState) {
  testkit::MemoryStoreProvider stores;
  const auto store = stores.open("memory://s");
  ASSERT_THAT(store, IsOk());
  SeededRandom random(1);
  auto journal = Journal::open(**store, "j", "me", random);
  ASSERT_THAT(journal, IsOk());
  for (int i = 0; i < 1'000; ++i) {
    const std::string id = std::to_string(i);
    ASSERT_THAT((*journal)->append(once(id), {}), IsOk());
    ASSERT_THAT((*journal)->append(
                    [&](const PipelineState& state) {
                      if (state.open.empty()) return std::optional<JournalEntry>();
                      JournalEntry ended;
                      ended.kind = EntryKind::run_ended;
                      ended.run_id = state.open[0].run_id;
                      ended.outcome = RunOutcome::succeeded;
                      return std::optional(ended);
                    },
                    {}),
                IsOk());
  }
  testkit::CrashingStoreProvider counted(stores, {});
  const auto counting = counted.open("memory://s");
  ASSERT_THAT(counting, IsOk());
  const auto opened = Journal::open(**counting, "j", "other", random);
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ((*opened)->state(), (*journal)->state());
  EXPECT_EQ((*opened)->state().entries, 2'000);
  EXPECT_EQ((*opened)->state().ended.size(), kEndedRunsMax);
  EXPECT_LE(counted.calls(), Journal::kStatePeriod + 3);
}

TEST(Journal, TellsWhichEntryIsDamaged) {
  testkit::MemoryStoreProvider stores;
  const auto store = stores.open("memory://s");
  ASSERT_THAT(store, IsOk());
  SeededRandom random(1);
  auto journal = Journal::open(**store, "j", "me", random);
  ASSERT_THAT(journal, IsOk());
  ASSERT_THAT((*journal)->append(once("a"), {}), IsOk());
  for (const std::string text : {"{", "{}", R"({"kind":"run_started","number":1})"}) {
    stores.tamper("memory://s/j/000000000001.json", &text);
    EXPECT_THAT(Journal::open(**store, "j", "other", random),
                HasError(ErrorCode::corrupt, "000000000001.json"));
  }
}

// Whatever store call fails, and however: each request stands once.
TEST(Journal, LosesAndDoublesNothingWhateverCallFails) {
  constexpr int kKeys = 70;  // a state is written on the way
  const auto work = [](storage::StoreProvider& stores) {
    SeededRandom random(3);
    const auto store = stores.open("memory://s");
    if (!store) return;
    auto journal = Journal::open(**store, "j", "first", random);
    if (!journal) return;
    for (int key = 0; key < kKeys; ++key) {
      (void)(*journal)->append(once(std::to_string(key)), {});
    }
  };
  std::int64_t calls = 0;
  {
    testkit::MemoryStoreProvider stores;
    testkit::CrashingStoreProvider counted(stores, {});
    work(counted);
    calls = counted.calls();
  }
  ASSERT_GT(calls, 2 * kKeys);
  const std::int64_t step = std::getenv("LAKEMILL_SOAK") != nullptr ? 1 : 7;
  for (const auto fault : {testkit::Fault::die_before, testkit::Fault::die_after,
                           testkit::Fault::lose_answer, testkit::Fault::refuse}) {
    for (std::int64_t call = 0; call < calls; call += step) {
      SCOPED_TRACE("fault " + std::to_string(static_cast<int>(fault)) + " at call " +
                   std::to_string(call));
      testkit::MemoryStoreProvider stores;
      testkit::CrashingStoreProvider crashing(stores, {fault, call});
      work(crashing);
      SeededRandom random(4);
      const auto store = stores.open("memory://s");
      ASSERT_THAT(store, IsOk());
      auto journal = Journal::open(**store, "j", "second", random);
      ASSERT_THAT(journal, IsOk());
      for (int key = 0; key < kKeys; ++key) {
        ASSERT_THAT((*journal)->append(once(std::to_string(key)), {}), IsOk());
      }
      ASSERT_EQ((*journal)->state().entries, kKeys);
      std::set<std::string> keys;
      for (const RunState& run : (*journal)->state().open) keys.insert(run.key);
      ASSERT_EQ(keys.size(), static_cast<std::size_t>(kKeys));
    }
  }
}

}  // namespace
}  // namespace lakemill::orchestrator
