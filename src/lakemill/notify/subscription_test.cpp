#include "lakemill/notify/subscription.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/notify/subscription_fixture_test.h"
#include "lakemill/testing/crashing_store.h"

namespace lakemill::notify {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using testkit::HasError;
using testkit::IsOk;

class SubscriptionTest : public ::testing::Test {
 protected:
  std::unique_ptr<Subscription> open() {
    auto opened = Subscription::open(
        spec_, {log_, predicates_, *store_, receiver_, clock_, random_, observer_});
    EXPECT_THAT(opened, IsOk());
    return opened ? *std::move(opened) : nullptr;
  }
  // All that can be done without the clock going on.
  static void work(Subscription& subscription) {
    while (subscription.step({})) {
    }
  }
  Progress kept() {
    const auto text = store_->get(kPositionPath);
    EXPECT_THAT(text, IsOk());
    auto progress = parse_progress(text.value());
    EXPECT_THAT(progress, IsOk());
    return *progress;
  }

  SubscriptionSpec spec_ = [] {
    SubscriptionSpec spec;
    spec.name = "ops";
    spec.begin = events::FeedPosition{};
    return spec;
  }();
  FakeLog log_{[this](std::int64_t number) { return make_(number); }};
  FakeLog::Make make_ = [](std::int64_t number) {
    events::Event event;
    event.subject = "pipeline/p" + std::to_string(number % 5);
    return event;
  };
  EventPredicates* predicates_ = nullptr;
  std::shared_ptr<storage::ObjectStore> store_ = testkit::make_memory_store();
  FakeReceiver receiver_;
  testkit::ManualClock clock_;
  SeededRandom random_{1};
  FakeObserver observer_;
};

TEST_F(SubscriptionTest, DeliversWhatItsSelectorPasses) {
  spec_.selector.subjects = {"pipeline/p1"};
  log_.grow(20);
  const auto subscription = open();
  work(*subscription);
  EXPECT_THAT(receiver_.came, ElementsAre(1, 6, 11, 16));
  const auto status = subscription->status();
  EXPECT_EQ(status.position, FakeLog::position_of(19));
  EXPECT_EQ(status.delivered, 4);
  EXPECT_EQ(status.waiting, 0U);
  EXPECT_EQ(log_.held(), 0);
}

TEST_F(SubscriptionTest, BeginsWithWhatComesAndMissesNothingFromThenOn) {
  spec_.begin = std::nullopt;
  log_.grow(10);
  (void)open();  // dies before it has done anything
  log_.grow(3);
  work(*open());
  EXPECT_THAT(receiver_.came, UnorderedElementsAre(10, 11, 12));
}

TEST_F(SubscriptionTest, KeepsItsPositionEachSecondAtMost) {
  log_.grow(1);
  const auto subscription = open();
  work(*subscription);
  EXPECT_EQ(kept().position, events::FeedPosition());
  clock_.advance(milliseconds(999));
  work(*subscription);
  EXPECT_EQ(kept().position, events::FeedPosition());
  clock_.advance(milliseconds(1));
  work(*subscription);
  EXPECT_EQ(kept().position, FakeLog::position_of(0));
}

TEST_F(SubscriptionTest, TriesAgainWithGrowingPauses) {
  receiver_.answer = [](const Delivery&, const std::stop_token&) {
    return DeliveryOutcome{Verdict::again, "busy"};
  };
  log_.grow(1);
  const auto subscription = open();
  std::vector<double> pauses;
  auto last = clock_.elapsed();
  while (receiver_.count() < 14) {
    const auto before = receiver_.count();
    (void)subscription->step({});
    if (receiver_.count() == before) {
      clock_.advance(milliseconds(10));
    } else {
      const auto now = clock_.elapsed();
      pauses.push_back(std::chrono::duration<double>(now - last).count());
      last = now;
    }
  }
  for (std::size_t attempt = 1; attempt < pauses.size(); ++attempt) {
    const double delay = std::min(300.0, static_cast<double>(1U << (attempt - 1)));
    EXPECT_GE(pauses[attempt], 0.5 * delay) << attempt;
    EXPECT_LE(pauses[attempt], 1.5 * delay + 0.02) << attempt;
  }
  EXPECT_EQ(receiver_.attempts.back(), 14);
  EXPECT_EQ(subscription->status().failures, 14);
  EXPECT_EQ(subscription->status().last_error, "busy");
}

TEST_F(SubscriptionTest, WaitsAsLongAsTheReceiverAsks) {
  receiver_.answer = [](const Delivery& delivery, const std::stop_token&) {
    if (delivery.attempt > 1) return DeliveryOutcome{};
    return DeliveryOutcome{Verdict::again, "busy", minutes(10)};
  };
  log_.grow(1);
  const auto subscription = open();
  work(*subscription);
  clock_.advance(minutes(10) - milliseconds(1));
  work(*subscription);
  EXPECT_EQ(receiver_.count(), 1U);
  clock_.advance(milliseconds(1));
  work(*subscription);
  EXPECT_EQ(receiver_.count(), 2U);
}

TEST_F(SubscriptionTest, KeepsTheOrderOfASubjectBehindAnEventThatFails) {
  receiver_.answer = [](const Delivery& delivery, const std::stop_token&) {
    const bool fails = delivery.event.event->sequence == 1 && delivery.attempt < 4;
    return fails ? DeliveryOutcome{Verdict::again, "busy"} : DeliveryOutcome{};
  };
  spec_.limits.lanes = 64;
  log_.grow(20);
  const auto subscription = open();
  for (int round = 0; round < 100; ++round) {
    work(*subscription);
    clock_.advance(seconds(1));
  }
  std::vector<std::int64_t> of_subject;
  for (const auto number : receiver_.came) {
    if (number % 5 == 1) of_subject.push_back(number);
  }
  EXPECT_THAT(of_subject, ElementsAre(1, 1, 1, 1, 6, 11, 16));
  EXPECT_EQ(subscription->status().position, FakeLog::position_of(19));
}

TEST_F(SubscriptionTest, SparesWhatIsDoneBeyondTheOldestThatIsOpen) {
  receiver_.answer = [](const Delivery& delivery, const std::stop_token&) {
    return delivery.event.event->sequence == 1 ? DeliveryOutcome{Verdict::again, "busy"}
                                               : DeliveryOutcome{};
  };
  spec_.limits.lanes = 64;
  log_.grow(10);
  {
    const auto subscription = open();
    work(*subscription);
    clock_.advance(seconds(2));
    (void)subscription->step({});
  }
  const auto before = kept();
  EXPECT_EQ(before.position, FakeLog::position_of(0));
  EXPECT_THAT(before.done_beyond, SizeIs(7));  // but 1 and, behind it, 6
  ASSERT_THAT(before.failing, SizeIs(1));
  EXPECT_EQ(before.failing[0].at, FakeLog::position_of(1));
  receiver_.came.clear();
  receiver_.attempts.clear();
  receiver_.answer = nullptr;
  work(*open());
  EXPECT_THAT(receiver_.came, ElementsAre(1, 6));
  EXPECT_GT(receiver_.attempts[0], 1) << "attempts of the process before count";
}

TEST_F(SubscriptionTest, GivesUpAfterADayAndGoesOn) {
  receiver_.answer = [](const Delivery& delivery, const std::stop_token&) {
    return delivery.event.event->sequence == 0
               ? DeliveryOutcome{Verdict::again, "the disk is full"}
               : DeliveryOutcome{};
  };
  log_.grow(10);
  const auto subscription = open();
  const auto begin = clock_.elapsed();
  while (observer_.told.empty()) {
    work(*subscription);
    clock_.advance(seconds(5));
  }
  const auto took = clock_.elapsed() - begin;
  EXPECT_GT(took, hours(23));
  EXPECT_LE(took, hours(24));
  work(*subscription);
  EXPECT_EQ(subscription->status().position, FakeLog::position_of(9));
  const auto letters = subscription->dead_letters(std::nullopt, 10);
  ASSERT_THAT(letters, IsOk());
  ASSERT_THAT(letters.value(), SizeIs(1));
  const DeadLetter& letter = letters.value()[0];
  EXPECT_EQ(letter.error, "the disk is full");
  EXPECT_THAT(observer_.told,
              ElementsAre("ops dead w-0 " + std::to_string(letter.attempts) +
                          " the disk is full"));
}

TEST_F(SubscriptionTest, GivesUpAfterSoManyAttemptsAndWhatIsRefusedAtOnce) {
  spec_.retries.attempts_max = 3;
  receiver_.answer = [](const Delivery& delivery, const std::stop_token&) {
    const auto number = delivery.event.event->sequence;
    if (number == 0) return DeliveryOutcome{Verdict::again, "busy"};
    if (number == 1) return DeliveryOutcome{Verdict::refused, "gone"};
    return DeliveryOutcome{};
  };
  log_.grow(3);
  const auto subscription = open();
  for (int round = 0; round < 10; ++round) {
    work(*subscription);
    clock_.advance(seconds(5));
  }
  EXPECT_THAT(observer_.told, UnorderedElementsAre("ops dead w-0 3 busy",
                                                              "ops dead w-1 1 gone"));
  EXPECT_EQ(subscription->status().dead_letters, 2);
  EXPECT_EQ(subscription->status().delivered, 1);
}

TEST_F(SubscriptionTest, DeliversADeadLetterWhenItIsAsked) {
  bool refuse = true;
  receiver_.answer = [&](const Delivery&, const std::stop_token&) {
    return refuse ? DeliveryOutcome{Verdict::refused, "no"} : DeliveryOutcome{};
  };
  log_.grow(1);
  const auto subscription = open();
  work(*subscription);
  const auto at = FakeLog::position_of(0);
  EXPECT_THAT(subscription->redeliver(at, {}),
              HasError(ErrorCode::unavailable, "w-0 was not delivered"));
  refuse = false;
  EXPECT_THAT(subscription->redeliver(at, {}), IsOk());
  EXPECT_THAT(receiver_.came, ElementsAre(0, 0, 0));
  EXPECT_THAT(receiver_.attempts, ElementsAre(1, 2, 2));
  EXPECT_THAT(subscription->redeliver(at, {}), HasError(ErrorCode::not_found, ""));
}

TEST_F(SubscriptionTest, HearsNothingOfItselfAndIsNotToldOfTellings) {
  make_ = [](std::int64_t number) {
    events::Event event;
    event.type = events::EventType::delivery_failed;
    event.details = Json{{"subscription", number % 2 == 0 ? "ops" : "other"}};
    return event;
  };
  receiver_.answer = [](const Delivery&, const std::stop_token&) {
    return DeliveryOutcome{Verdict::refused, "no"};
  };
  log_.grow(4);
  const auto subscription = open();
  work(*subscription);
  EXPECT_THAT(receiver_.came, ElementsAre(1, 3));
  EXPECT_THAT(observer_.told, IsEmpty());
  EXPECT_EQ(subscription->status().dead_letters, 2);
}

TEST_F(SubscriptionTest, LosesNoEventWhoseDeadLetterCannotBeWritten) {
  receiver_.answer = [](const Delivery&, const std::stop_token&) {
    return DeliveryOutcome{Verdict::refused, "no"};
  };
  testkit::MemoryStoreProvider disk;
  std::int64_t refused = 0;
  for (std::int64_t call = 3; call < 5; ++call) {
    SCOPED_TRACE(call);
    const auto copy = disk.copy();
    testkit::CrashingStoreProvider crashing(*copy, {testkit::Fault::refuse, call});
    store_ = *crashing.open("memory://lake");
    observer_.told.clear();
    log_.grow(call == 3 ? 1 : 0);
    const auto subscription = open();
    ASSERT_NE(subscription, nullptr);
    for (int round = 0; round < 5; ++round) {
      work(*subscription);
      if (!observer_.told.empty() && observer_.told[0].find("dead letter") !=
                                         std::string::npos) {
        ++refused;
      }
      clock_.advance(seconds(2));
    }
    EXPECT_EQ(subscription->status().position, FakeLog::position_of(0));
    EXPECT_THAT(subscription->dead_letters(std::nullopt, 9).value(), SizeIs(1));
  }
  EXPECT_GT(refused, 0) << "the put of the letter was not met";
}

TEST_F(SubscriptionTest, GoesOnAtTheOldestWhereTheLogWasCleaned) {
  log_.grow(20);
  log_.clean(5);
  const auto subscription = open();
  work(*subscription);
  EXPECT_THAT(observer_.told, ElementsAre("ops reset 0.0 5.0"));
  EXPECT_EQ(*std::min_element(receiver_.came.begin(), receiver_.came.end()), 10);
  EXPECT_THAT(receiver_.came, SizeIs(10));
}

TEST_F(SubscriptionTest, TellsOnceThatItCannotReadAndGoesOnThen) {
  log_.grow(2);
  log_.fails = true;
  const auto subscription = open();
  for (int round = 0; round < 3; ++round) EXPECT_FALSE(subscription->step({}));
  EXPECT_THAT(observer_.told, ElementsAre("ops problem read events: no engine"));
  EXPECT_THAT(subscription->status().last_error, HasSubstr("no engine"));
  log_.fails = false;
  work(*subscription);
  EXPECT_THAT(receiver_.came, SizeIs(2));
}

TEST_F(SubscriptionTest, ReadsNoFurtherThanItsWindow) {
  receiver_.answer = [](const Delivery&, const std::stop_token&) {
    return DeliveryOutcome{Verdict::again, "down"};
  };
  log_.grow(50'000);
  const auto subscription = open();
  for (int round = 0; round < 50; ++round) {
    work(*subscription);
    clock_.advance(minutes(1));
  }
  EXPECT_EQ(subscription->status().waiting, 1'000U);
  EXPECT_TRUE(subscription->status().is_full);
  EXPECT_LE(log_.most_held(), 1'064);
  receiver_.answer = nullptr;
  for (int round = 0; round < 10; ++round) {
    work(*subscription);
    clock_.advance(minutes(10));
  }
  EXPECT_EQ(subscription->status().delivered, 50'000);
  EXPECT_LE(log_.most_held(), 1'064);
}

/// Holds where the number of the event is a multiple of three; cannot judge number 4.
class Thirds final : public EventPredicates {
 public:
  Result<std::vector<bool>> hold(std::string_view where,
                                 std::span<const events::FedEvent> events) override {
    EXPECT_EQ(where, "sequence % 3 = 0");
    if (is_down) return Error(ErrorCode::unavailable, "no engine");
    std::vector<bool> holds;
    for (const auto& fed : events) {
      if (fed.event->sequence == 4) return Error(ErrorCode::invalid, "no number");
      holds.push_back(fed.event->sequence % 3 == 0);
    }
    return holds;
  }
  bool is_down = false;
};

TEST_F(SubscriptionTest, AsksWhetherItsConditionHolds) {
  Thirds thirds;
  predicates_ = &thirds;
  spec_.selector.where = "sequence % 3 = 0";
  thirds.is_down = true;
  log_.grow(10);
  const auto subscription = open();
  work(*subscription);
  EXPECT_THAT(receiver_.came, IsEmpty());
  thirds.is_down = false;
  work(*subscription);
  EXPECT_THAT(receiver_.came, UnorderedElementsAre(0, 3, 6, 9));
  EXPECT_THAT(observer_.told,
              ElementsAre("ops problem read events: no engine",
                          "ops problem judge event w-4: no number"));
}

TEST_F(SubscriptionTest, RefusesWhatItCannotWorkWith) {
  const auto opened = [this] {
    return Subscription::open(
        spec_, {log_, predicates_, *store_, receiver_, clock_, random_, observer_});
  };
  spec_.selector.where = "true";
  EXPECT_THAT(opened(), HasError(ErrorCode::invalid, "condition"));
  spec_.selector.where = "";
  ASSERT_THAT(store_->put(kPositionPath, "{}"), IsOk());
  EXPECT_THAT(opened(), HasError(ErrorCode::corrupt, kPositionPath));
  spec_.name = "../ops";
  EXPECT_THAT(opened(), HasError(ErrorCode::invalid, "../ops"));
}

// ------------------------------------------------------------------------ with threads

/// Waits until it is so; the clock goes on meanwhile.
template <typename Condition>
void wait_for(testkit::ManualClock& clock, Subscription& subscription,
              Condition&& condition) {
  for (int round = 0; round < 60'000; ++round) {
    if (condition()) return;
    clock.advance(milliseconds(100));
    subscription.wake();
    std::this_thread::sleep_for(milliseconds(1));
  }
  ADD_FAILURE() << "it does not happen";
}

TEST_F(SubscriptionTest, HasOneEventOfALaneInFlightAndSeveralLanes) {
  std::atomic<int> in_flight = 0;
  std::atomic<int> most = 0;
  std::array<std::atomic<int>, 5> of_subject{};
  receiver_.answer = [&](const Delivery& delivery, const std::stop_token&) {
    auto& own = of_subject.at(
        static_cast<std::size_t>(delivery.event.event->sequence % 5));
    EXPECT_EQ(++own, 1);
    const int now = ++in_flight;
    for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
    }
    std::this_thread::sleep_for(milliseconds(2));
    --in_flight;
    --own;
    return DeliveryOutcome{};
  };
  const auto subscription = open();
  std::jthread thread([&](const std::stop_token& stop) { subscription->run(stop); });
  log_.grow(200);
  wait_for(clock_, *subscription,
           [&] { return subscription->status().delivered == 200; });
  EXPECT_GT(most, 1);
  EXPECT_LE(most, 8);
  thread.request_stop();
  thread.join();
  EXPECT_EQ(kept().position, FakeLog::position_of(199));
}

TEST_F(SubscriptionTest, GivesUpWhatIsUnderWayAtAStopAndGoesOnLater) {
  std::atomic<bool> stalls = true;
  receiver_.answer = [&](const Delivery&, const std::stop_token& stop) {
    while (stalls && !stop.stop_requested()) {
      std::this_thread::sleep_for(milliseconds(1));
    }
    return stop.stop_requested() ? DeliveryOutcome{Verdict::again, "given up"}
                                 : DeliveryOutcome{};
  };
  log_.grow(30);
  const auto subscription = open();
  std::jthread first([&](const std::stop_token& stop) { subscription->run(stop); });
  while (receiver_.count() == 0) std::this_thread::yield();
  first.request_stop();
  first.join();
  EXPECT_EQ(subscription->status().failures, 0) << "a stop is no failure";
  EXPECT_EQ(kept().position, events::FeedPosition());
  stalls = false;
  std::jthread second([&](const std::stop_token& stop) { subscription->run(stop); });
  wait_for(clock_, *subscription,
           [&] { return subscription->status().delivered == 30; });
}

}  // namespace
}  // namespace lakemill::notify
