// What several processes do to one store at once, and what one leaves that dies at any
// call of it.

#include <atomic>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

#include "lakemill/access/access_fixture_test.h"
#include "lakemill/testing/crashing_store.h"
#include "lakemill/testing/forwarding_store.h"

namespace lakemill::access {
namespace {

using testkit::CrashingStoreProvider;
using testkit::Fault;
using testkit::HasError;
using testkit::IsOk;
using testkit::MemoryStoreProvider;
using AccessCrashTest = AccessTest;

constexpr Fault kFaults[] = {Fault::die_before, Fault::die_after, Fault::lose_answer,
                             Fault::refuse};

// Does `work` in a process on a copy of `begin`, with each fault at each call of the
// store, and then `look` with the copy.
void sweep(const MemoryStoreProvider& begin, Clock& clock,
           const std::function<void(Process&)>& work,
           const std::function<void(MemoryStoreProvider&)>& look) {
  std::int64_t calls = 0;
  {
    const auto copy = begin.copy();
    CrashingStoreProvider counted(*copy, {});
    Process process(counted, clock, 11);
    work(process);
    calls = counted.calls();
  }
  ASSERT_GT(calls, 2);
  for (const Fault fault : kFaults) {
    for (std::int64_t call = 0; call < calls; ++call) {
      SCOPED_TRACE("fault " + std::to_string(static_cast<int>(fault)) + " at call " +
                   std::to_string(call));
      const auto copy = begin.copy();
      CrashingStoreProvider crashing(*copy, {fault, call});
      Process process(crashing, clock, 11);
      work(process);
      look(*copy);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST_F(AccessCrashTest, SetupThatDiesIsDoneOrCanBeDone) {
  const auto offer = here.setup.offer();
  ASSERT_THAT(offer, IsOk());
  const SecretText link = *(*offer)->secret;
  sweep(
      stores, clock,
      [&](Process& process) {
        (void)process.setup.redeem(link, "ann", good_password());
      },
      [&](MemoryStoreProvider& left) {
        Process next(left, clock, 12);
        const auto over = next.setup.is_over();
        ASSERT_THAT(over, IsOk());
        const auto again = next.setup.redeem(link, "bob", good_password());
        // Never both, and never neither: whoever is there can log in.
        ASSERT_EQ(again.has_value(), !*over);
        const auto accounts = next.accounts.list("", 10);
        ASSERT_THAT(accounts, IsOk());
        ASSERT_EQ(accounts->size(), 1U);
        ASSERT_EQ(accounts->front().name, *over ? "ann" : "bob");
        ASSERT_EQ(accounts->front().role, Role::admin);
        ASSERT_THAT(next.accounts.login(accounts->front().name, good_password()),
                    IsOk());
      });
}

TEST_F(AccessCrashTest, SetupIsUsedOnceByManyAtOnce) {
  const auto offer = here.setup.offer();
  ASSERT_THAT(offer, IsOk());
  std::atomic<int> made = 0;
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        Process process(stores, clock, 20 + i);
        const auto admin = process.setup.redeem(
            *(*offer)->secret, "admin" + std::to_string(i), good_password());
        if (admin) {
          ++made;
        } else {
          EXPECT_EQ(admin.error().code(), ErrorCode::exists);
        }
      });
    }
  }
  EXPECT_EQ(made, 1);
  const auto accounts = there.accounts.list("", 10);
  ASSERT_THAT(accounts, IsOk());
  EXPECT_EQ(accounts->size(), 1U);
}

TEST_F(AccessCrashTest, OffersOfSetupAreShownByOneOfMany) {
  std::atomic<int> shown = 0;
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        Process process(stores, clock, 30 + i);
        const auto offer = process.setup.offer();
        ASSERT_THAT(offer, IsOk());
        ASSERT_TRUE(*offer);
        if ((*offer)->secret) ++shown;
      });
    }
  }
  EXPECT_EQ(shown, 1);
}

TEST_F(AccessCrashTest, OffersOfSetupThatDieAreMadeAnewAnHourLater) {
  sweep(
      stores, clock, [](Process& process) { (void)process.setup.offer(); },
      [&](MemoryStoreProvider& left) {
        testkit::ManualClock later(clock.now() + Setup::kLifetime);
        Process next(left, later, 12);
        const auto offer = next.setup.offer();
        ASSERT_THAT(offer, IsOk());
        ASSERT_TRUE(*offer && (*offer)->secret);
      });
}

// Whatever a change says of itself is true, and what it says nothing of is whole.
TEST_F(AccessCrashTest, ChangesOfAccountsAreWhollyMadeOrNot) {
  add_user("ann", Role::viewer);
  Result<Account> changed = Error(ErrorCode::cancelled, "");
  sweep(
      stores, clock,
      [&](Process& process) {
        changed = process.accounts.set_role("ann", 1, Role::runner);
      },
      [&](MemoryStoreProvider& left) {
        Process next(left, clock, 12);
        const auto found = next.accounts.find("ann");
        ASSERT_THAT(found, IsOk());
        ASSERT_TRUE(*found);
        ASSERT_EQ((*found)->role,
                  (*found)->version == 1 ? Role::viewer : Role::runner);
        if (changed) {
          ASSERT_EQ((*found)->version, 2);
        } else if (changed.error().code() == ErrorCode::exists) {
          FAIL() << "nobody else was there";
        }
        // What was not cleared up is with the next change.
        const auto next_change =
            next.accounts.set_role("ann", (*found)->version, Role::editor);
        ASSERT_THAT(next_change, IsOk());
        int whole = 0;
        for (const auto& [url, bytes] : left.objects()) {
          if (bytes.find("argon2id") != std::string::npos) ++whole;
        }
        ASSERT_EQ(whole, 1);
      });
}

TEST_F(AccessCrashTest, OneOfManyChangesToOneVersionWins) {
  add_user("ann", Role::viewer);
  constexpr int kRounds = 50;
  constexpr int kThreads = 4;
  std::atomic<int> won = 0;
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        Process process(stores, clock, 40 + i);
        for (int version = 1; version <= kRounds;) {
          const auto changed =
              process.accounts.set_role("ann", version, Role::runner);
          if (changed) {
            ++won;
            ASSERT_EQ(changed->version, version + 1);
            ++version;
          } else {
            ASSERT_EQ(changed.error().code(), ErrorCode::exists);
            const auto found = process.accounts.find("ann");
            ASSERT_THAT(found, IsOk());
            version = static_cast<int>((*found)->version);
          }
        }
      });
    }
  }
  const auto found = there.accounts.find("ann");
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ((*found)->version, won + 1);
  EXPECT_GE(won, kRounds);
}

TEST_F(AccessCrashTest, AnAccountIsReadWhileItIsChanged) {
  add_user("ann", Role::viewer);
  // Between its listing and its reading of version 1, version 2 comes and clears that.
  CrashingStoreProvider meanwhile(
      stores, {Fault::none, 1, [&] {
                 ASSERT_THAT(here.accounts.set_role("ann", 1, Role::editor), IsOk());
               }});
  Process process(meanwhile, clock, 12);
  const auto found = process.accounts.find("ann");
  ASSERT_THAT(found, IsOk());
  ASSERT_TRUE(*found);
  EXPECT_EQ((*found)->version, 2);
  EXPECT_EQ((*found)->role, Role::editor);
}

TEST_F(AccessCrashTest, WhatARevocationSaysOfItselfIsTrue) {
  TokenWish wish;
  wish.role = Role::viewer;
  wish.lifetime = std::chrono::hours(1);
  const auto token = here.tokens.make(wish, local_admin());
  ASSERT_THAT(token, IsOk());
  Status revoked;
  sweep(
      stores, clock,
      [&](Process& process) {
        (void)process.tokens.check(token->secret);
        revoked = process.tokens.revoke(token->info.id, "ann");
        if (revoked) {
          ASSERT_FALSE(process.tokens.check(token->secret));
        }
      },
      [&](MemoryStoreProvider& left) {
        Process next(left, clock, 12);
        if (revoked) {
          ASSERT_FALSE(next.tokens.check(token->secret));
        }
        ASSERT_THAT(next.tokens.revoke(token->info.id, "ann"), IsOk());
        ASSERT_FALSE(next.tokens.check(token->secret));
      });
}

// Does something once, after a revocation was looked for and before that is told.
class LateStore final : public testkit::ForwardingStore {
 public:
  using testkit::ForwardingStore::ForwardingStore;

  Result<std::string> get(std::string_view path) override {
    auto bytes = testkit::ForwardingStore::get(path);
    if (path.ends_with(".revoked.json") && then) std::exchange(then, nullptr)();
    return bytes;
  }

  std::function<void()> then;
};

TEST_F(AccessCrashTest, ATokenThatIsRevokedWhileItIsReadIsNotRemembered) {
  TokenWish wish;
  wish.role = Role::viewer;
  wish.lifetime = std::chrono::hours(1);
  const auto token = here.tokens.make(wish, local_admin());
  ASSERT_THAT(token, IsOk());
  LateStore late(*stores.open("memory://s"));
  SeededRandom random(12);
  Tokens tokens({late, clock, random}, here.accounts);
  late.then = [&] { ASSERT_THAT(tokens.revoke(token->info.id, "ann"), IsOk()); };
  EXPECT_THAT(tokens.check(token->secret), IsOk());  // it was read before
  EXPECT_FALSE(late.then);
  EXPECT_FALSE(tokens.recall(token->secret));
  EXPECT_THAT(tokens.check(token->secret), HasError(ErrorCode::denied, ""));
}

TEST_F(AccessCrashTest, SessionsThatWereEndedStayEnded) {
  const Account ann = add_user("ann", Role::viewer);
  const auto session = here.sessions.begin(ann);
  ASSERT_THAT(session, IsOk());
  clock.advance(Sessions::kNotedEach);
  Status ended;
  sweep(
      stores, clock,
      [&](Process& process) {
        (void)process.sessions.check(session->secret);
        ended = process.sessions.end(session->secret);
      },
      [&](MemoryStoreProvider& left) {
        Process next(left, clock, 12);
        if (ended) {
          ASSERT_FALSE(next.sessions.check(session->secret));
        }
        ASSERT_THAT(next.sessions.end(session->secret), IsOk());
        ASSERT_FALSE(next.sessions.check(session->secret));
        ASSERT_THAT(next.sessions.tidy(), IsOk());
        ASSERT_EQ(left.objects().size(), 1U);
      });
}

// Fails closed: what cannot be read lets nobody in, and is no refusal for good.
TEST_F(AccessCrashTest, AStoreThatIsDownLetsNobodyIn) {
  const Account ann = add_user("ann", Role::viewer);
  const auto session = here.sessions.begin(ann);
  ASSERT_THAT(session, IsOk());
  CrashingStoreProvider down(stores, {Fault::die_before, 0});
  Process process(down, clock, 12);
  const auto unavailable = HasError(ErrorCode::unavailable, "");
  EXPECT_THAT(process.sessions.check(session->secret), unavailable);
  EXPECT_THAT(process.accounts.login("ann", good_password()), unavailable);
  EXPECT_THAT(process.setup.offer(), unavailable);
}

}  // namespace
}  // namespace lakemill::access
