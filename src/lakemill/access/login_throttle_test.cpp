#include "lakemill/access/login_throttle.h"

#include <gtest/gtest.h>

#include "lakemill/testing/manual_clock.h"

namespace lakemill::access {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class LoginThrottleTest : public ::testing::Test {
 protected:
  // How many attempts pass in a row; then how long the next one must wait.
  int pass(const std::string& name, const std::string& address) {
    int passed = 0;
    while (passed < 1'000) {
      const auto wait = throttle.begin(name, address);
      if (wait) {
        told = *wait;
        return passed;
      }
      ++passed;
    }
    return passed;
  }

  testkit::ManualClock clock;
  SeededRandom random{1};
  LoginThrottle throttle{clock, random};
  seconds told{};
};

TEST_F(LoginThrottleTest, HoldsANameBackWhateverAddressesItComesFrom) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(throttle.begin("ann", "192.0.2." + std::to_string(i)));
  }
  EXPECT_EQ(throttle.begin("ann", "192.0.2.99"), seconds(60));
  EXPECT_FALSE(throttle.begin("bob", "192.0.2.99"));
}

TEST_F(LoginThrottleTest, HoldsAnAddressBackWhateverNamesItTries) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(throttle.begin("user" + std::to_string(i), "192.0.2.1"));
  }
  EXPECT_EQ(throttle.begin("another", "192.0.2.1"), seconds(60));
  EXPECT_FALSE(throttle.begin("another", "192.0.2.2"));
  // What was held back did not count for the name.
  EXPECT_EQ(pass("another", "192.0.2.3"), 4);
}

TEST_F(LoginThrottleTest, TakesANetworkOfIpv6ForOneClient) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(throttle.begin("", "2001:db8:0:1::" + std::to_string(i)));
  }
  EXPECT_TRUE(throttle.begin("", "2001:db8:0:1:ffff::1"));
  EXPECT_FALSE(throttle.begin("", "2001:db8:0:2::1"));
  EXPECT_FALSE(throttle.begin("", "192.0.2.1"));
  EXPECT_FALSE(throttle.begin("", "192.0.2.2"));
}

TEST_F(LoginThrottleTest, DoublesTheTimeUpToAQuarterOfAnHour) {
  for (const int expected : {1, 2, 4, 8, 15, 15, 15}) {
    EXPECT_EQ(pass("ann", "192.0.2.1"), 5);
    EXPECT_EQ(told, minutes(expected));
    clock.advance(told - std::chrono::microseconds(1));
    EXPECT_EQ(throttle.begin("ann", "192.0.2.1"), seconds(1));
    clock.advance(std::chrono::microseconds(1));
  }
}

TEST_F(LoginThrottleTest, ForgetsAfterAnHourWithoutAttempts) {
  EXPECT_EQ(pass("ann", "192.0.2.1"), 5);
  clock.advance(told);
  EXPECT_EQ(pass("ann", "192.0.2.1"), 5);
  EXPECT_EQ(told, minutes(2));
  clock.advance(told + minutes(60) - seconds(1));
  EXPECT_EQ(pass("ann", "192.0.2.1"), 5);
  EXPECT_EQ(told, minutes(4));
  clock.advance(told + minutes(60));
  EXPECT_EQ(pass("ann", "192.0.2.1"), 5);
  EXPECT_EQ(told, minutes(1));
}

TEST_F(LoginThrottleTest, LetsFivePassEachMinute) {
  for (int minute = 0; minute < 10; ++minute) {
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(throttle.begin("ann", "192.0.2.1"));
    clock.advance(minutes(1));
  }
}

TEST_F(LoginThrottleTest, CountsNoSuccess) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(throttle.begin("ann", "192.0.2.1"));
    throttle.succeeded("ann", "192.0.2.1");
  }
  // A success takes back one attempt, not those of somebody who guesses meanwhile.
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(throttle.begin("ann", "192.0.2.1"));
  EXPECT_FALSE(throttle.begin("ann", "192.0.2.1"));
  throttle.succeeded("ann", "192.0.2.1");
  EXPECT_EQ(pass("ann", "192.0.2.1"), 1);
}

TEST_F(LoginThrottleTest, DoesNotGoByTheWallClock) {
  EXPECT_EQ(pass("ann", "192.0.2.1"), 5);
  clock.set(clock.now() + std::chrono::hours(48));
  EXPECT_EQ(throttle.begin("ann", "192.0.2.1"), seconds(60));
  clock.set(clock.now() - std::chrono::hours(96));
  clock.advance(seconds(30));
  EXPECT_EQ(throttle.begin("ann", "192.0.2.1"), seconds(30));
}

// Whoever tries as many names as there can be does not free the one that is held back.
TEST_F(LoginThrottleTest, IsNotMadeToForgetByMuch) {
  EXPECT_EQ(pass("ann", "192.0.2.1"), 5);
  for (int i = 0; i < 40'000; ++i) {
    (void)throttle.begin("name" + std::to_string(i), "host" + std::to_string(i));
  }
  EXPECT_EQ(throttle.begin("ann", "192.0.2.2"), seconds(60));
}

}  // namespace
}  // namespace lakemill::access
