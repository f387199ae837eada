// Goal: whatever a receiver does, whenever the process dies: every event is delivered at
// least once, those of a subject in their order, no kept position is ahead of what was
// delivered, and no more events are held than the window allows. Method: runs from one
// seed; a receiver that is up, fails or stalls by turns; a store of which one call goes
// wrong, and a receiver whose answer the process does not live to hear; then a new
// subscription on what is there. Steps on one thread, and the same with threads.
#include <cstdlib>
#include <map>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "lakemill/notify/subscription_fixture_test.h"
#include "lakemill/testing/crashing_store.h"
#include "lakemill/testing/forwarding_store.h"

namespace lakemill::notify {
namespace {

using std::chrono::milliseconds;
using testkit::IsOk;

constexpr std::int64_t kSubjects = 13;
constexpr std::int64_t kEvents = 300;
constexpr std::size_t kWindow = 50;

// Every seventh is for nobody.
bool is_selected(std::int64_t number) { return number % 7 != 3; }

std::string subject_of_number(std::int64_t number) {
  return "pipeline/p" + std::to_string(number * number % kSubjects);
}

events::Event make(std::int64_t number) {
  events::Event event;
  event.type = is_selected(number) ? events::EventType::run_failed
                                   : events::EventType::notice;
  event.subject = subject_of_number(number);
  return event;
}

/// What the world has seen, over all lives of the process.
struct World {
  explicit World(unsigned seed) : engine(seed) {}

  // Chances are drawn by several threads.
  bool chance(int percent) {
    const std::lock_guard lock(mutex);
    return static_cast<int>(engine() % 100) < percent;
  }

  std::mutex mutex;
  std::mt19937 engine;                        // guarded by mutex
  std::vector<std::int64_t> delivered;        // at first; guarded by mutex
  std::map<std::int64_t, int> times;          // delivered; guarded by mutex
  int mood = 0;                               // percent that fail; guarded by mutex
};

/// Sees each position that is kept, before it is.
class WatchedStore final : public testkit::ForwardingStore {
 public:
  WatchedStore(std::shared_ptr<storage::ObjectStore> inner, World& world)
      : ForwardingStore(std::move(inner)), world_(world) {}

  Status put(std::string_view path, std::string_view bytes) override {
    if (path == kPositionPath) check(bytes);
    return ForwardingStore::put(path, bytes);
  }

 private:
  void check(std::string_view bytes) {
    const auto progress = parse_progress(bytes);
    ASSERT_THAT(progress, IsOk());
    EXPECT_LE(progress.value().done_beyond.size(), 2 * kWindow);
    std::set<events::FeedPosition> done(progress.value().done_beyond.begin(),
                                        progress.value().done_beyond.end());
    const std::lock_guard lock(world_.mutex);
    for (std::int64_t number = 0; number < kEvents; ++number) {
      const auto at = FakeLog::position_of(number);
      const bool is_done = at <= progress.value().position || done.contains(at);
      if (!is_done || !is_selected(number)) continue;
      EXPECT_GT(world_.times[number], 0) << "ahead of event " << number;
    }
  }

  World& world_;
};

/// One life of the process: from `death` target calls on it is dead.
class MoodyReceiver final : public Target {
 public:
  MoodyReceiver(World& world, testkit::ManualClock& clock, int death)
      : world_(world), clock_(clock), calls_left_(death) {}

  DeliveryOutcome deliver(const Delivery& delivery, std::stop_token) override {
    const int left = --calls_left_;
    if (left < 0) return {Verdict::again, "dead"};
    const auto number = delivery.event.event->sequence;
    EXPECT_TRUE(is_selected(number));
    int mood = 0;
    {
      const std::lock_guard lock(world_.mutex);
      if (world_.engine() % 20 == 0) {  // it fails, or comes back
        world_.mood = static_cast<int>(world_.engine() % 3 * 50);
      }
      mood = world_.mood;
    }
    if (world_.chance(10)) clock_.advance(std::chrono::seconds(30));  // stalls
    const bool answers = !world_.chance(mood);
    // It may have it although it does not say so.
    if (answers || world_.chance(30)) {
      const std::lock_guard lock(world_.mutex);
      if (++world_.times[number] == 1) world_.delivered.push_back(number);
    }
    if (!answers || left == 0) return {Verdict::again, "no answer"};
    return {};
  }
  bool is_dead() const { return calls_left_ <= 0; }

 private:
  World& world_;
  testkit::ManualClock& clock_;
  std::atomic<int> calls_left_;
};

SubscriptionSpec spec() {
  SubscriptionSpec spec;
  spec.name = "ops";
  spec.selector.types = {events::EventType::run_failed};
  spec.begin = events::FeedPosition{};
  spec.limits.events_max = kWindow;
  return spec;
}

void expect_all_in_order(const World& world) {
  std::map<std::string, std::int64_t> last;
  for (const std::int64_t number : world.delivered) {
    const auto [found, is_first] = last.emplace(subject_of_number(number), number);
    if (is_first) continue;
    EXPECT_LT(found->second, number) << "first deliveries of " << found->first;
    found->second = number;
  }
  std::int64_t selected = 0;
  for (std::int64_t number = 0; number < kEvents; ++number) {
    selected += is_selected(number) ? 1 : 0;
  }
  EXPECT_EQ(static_cast<std::int64_t>(world.delivered.size()), selected);
}

struct Life {
  bool with_threads = false;
  testkit::Fault fault = testkit::Fault::none;
  std::int64_t at_store_call = 0;
  int target_calls = 1'000'000;
};

class Simulation {
 public:
  explicit Simulation(unsigned seed) : world_(seed), random_(seed) {}

  /// Until all is done (true) or the process is dead.
  bool live(const Life& life) {
    testkit::CrashingStoreProvider crashing(disk_, {life.fault, life.at_store_call});
    WatchedStore store(*crashing.open("memory://lake"), world_);
    MoodyReceiver receiver(world_, clock_, life.target_calls);
    FakeObserver observer;
    auto opened = Subscription::open(
        spec(), {log_, nullptr, store, receiver, clock_, random_, observer});
    const auto is_dead = [&] { return crashing.died() || receiver.is_dead(); };
    if (!opened) {
      EXPECT_NE(life.fault, testkit::Fault::none) << opened.error().message();
      return false;
    }
    Subscription& subscription = **opened;
    const auto is_done = [&] {
      return subscription.status().position == FakeLog::position_of(kEvents - 1);
    };
    if (life.with_threads) {
      std::jthread thread(
          [&](const std::stop_token& stop) { subscription.run(stop); });
      while (!is_dead() && !is_done()) {
        go_on();
        subscription.wake();
        std::this_thread::yield();
      }
    } else {
      while (!is_dead() && !is_done()) {
        if (!subscription.step({})) go_on();
      }
    }
    return !is_dead() && is_done();
  }

  World& world() { return world_; }
  const FakeLog& log() const { return log_; }

 private:
  void go_on() {
    clock_.advance(milliseconds(300));
    const bool grows = world_.chance(30);
    if (grows && told_ < kEvents) {
      const std::int64_t count = std::min<std::int64_t>(kEvents - told_, 25);
      log_.grow(count);
      told_ += count;
    }
  }

  World world_;
  testkit::MemoryStoreProvider disk_;
  testkit::ManualClock clock_;
  SeededRandom random_;
  FakeLog log_{&make};
  std::int64_t told_ = 0;
};

void run(unsigned seed, bool with_threads) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Simulation simulation(seed);
  auto& world = simulation.world();
  constexpr testkit::Fault kFaults[] = {
      testkit::Fault::die_before, testkit::Fault::die_after,
      testkit::Fault::lose_answer, testkit::Fault::refuse};
  Life life;
  life.with_threads = with_threads;
  for (int lives = 0; lives < 15; ++lives) {
    {
      const std::lock_guard lock(world.mutex);
      life.fault = testkit::Fault::none;
      life.target_calls = 1'000'000;
      if (world.engine() % 2 == 0) {
        life.fault = kFaults[world.engine() % 4];
        life.at_store_call = static_cast<std::int64_t>(world.engine() % 25);
      } else {
        life.target_calls = 1 + static_cast<int>(world.engine() % 60);
      }
    }
    (void)simulation.live(life);
  }
  EXPECT_TRUE(simulation.live({.with_threads = with_threads}));
  expect_all_in_order(world);
  EXPECT_EQ(simulation.log().held(), 0);
  EXPECT_LE(simulation.log().most_held(), static_cast<std::int64_t>(kWindow) + 64);
}

unsigned runs_of(unsigned usually) {
  const char* soak = std::getenv("LAKEMILL_SOAK");
  return soak != nullptr && std::string(soak) == "1" ? 20 * usually : usually;
}

TEST(SubscriptionProperty, DeliversAllInOrderWhereverItDies) {
  for (unsigned seed = 1; seed <= runs_of(25) && !::testing::Test::HasFailure(); ++seed) {
    run(seed, false);
  }
}

TEST(SubscriptionProperty, DeliversAllInOrderWhereverItDiesWithThreads) {
  for (unsigned seed = 1; seed <= runs_of(5) && !::testing::Test::HasFailure(); ++seed) {
    run(seed, true);
  }
}

}  // namespace
}  // namespace lakemill::notify
