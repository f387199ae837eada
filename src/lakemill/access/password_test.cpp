#include "lakemill/access/password.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "lakemill/access/slots.h"
#include "lakemill/testing/matchers.h"

namespace lakemill::access {
namespace {

using testkit::HasError;
using testkit::IsOk;
using testkit::IsOkAnd;

TEST(Password, IsKnownAgainAndNoOtherIs) {
  SeededRandom random(1);
  const SecretText password("correct horse battery");
  const auto hash = Password::hash(password, random);
  ASSERT_THAT(hash, IsOk());
  EXPECT_TRUE(hash->reveal().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
  EXPECT_EQ(hash->reveal().find("horse"), std::string_view::npos);
  EXPECT_THAT(Password::verify(password, &*hash), IsOkAnd(true));
  EXPECT_THAT(Password::verify(SecretText("correct horse batterz"), &*hash),
              IsOkAnd(false));
  EXPECT_THAT(Password::verify(SecretText(""), &*hash), IsOkAnd(false));
  const auto again = Password::hash(password, random);
  ASSERT_THAT(again, IsOk());
  EXPECT_NE(again->reveal(), hash->reveal());  // another salt
}

// Made with the reference program: argon2 somesaltsomesalt -id -t 2 -k 19456 -p 1 -l 32
TEST(Password, ThatOthersHashedIsKnown) {
  const SecretText hash(
      "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA"
      "$/HetJC6LZ4lnwgLB+wJSS2a9bFu2Kq4HxwNWzoJq2qU");
  EXPECT_THAT(Password::verify(SecretText("correct horse battery"), &hash),
              IsOkAnd(true));
}

TEST(Password, OfNobodyIsNeverRight) {
  for (const char* text : {"", "a", "correct horse battery"}) {
    EXPECT_THAT(Password::verify(SecretText(text), nullptr), IsOkAnd(false));
  }
}

TEST(Password, WithASizeOrBytesThatNoneHasIsRefused) {
  SeededRandom random(1);
  EXPECT_THAT(Password::check(SecretText(std::string(11, 'a'))),
              HasError(ErrorCode::invalid, "12 to 1024 bytes; this one has 11"));
  EXPECT_THAT(Password::check(SecretText(std::string(12, 'a'))), IsOk());
  EXPECT_THAT(Password::check(SecretText(std::string(1024, 'a'))), IsOk());
  EXPECT_THAT(Password::check(SecretText(std::string(1025, 'a'))),
              HasError(ErrorCode::invalid, "this one has 1025"));
  EXPECT_THAT(Password::check(SecretText("twelve bytes \xff")),
              HasError(ErrorCode::invalid, "UTF-8"));
  EXPECT_THAT(Password::hash(SecretText("short"), random),
              HasError(ErrorCode::invalid, ""));
  const auto hash = Password::hash(SecretText(std::string(1024, 'a')), random);
  ASSERT_THAT(hash, IsOk());
  EXPECT_THAT(Password::verify(SecretText(std::string(1024, 'a')), &*hash),
              IsOkAnd(true));
  EXPECT_THAT(Password::verify(SecretText(std::string(1025, 'a')), &*hash),
              IsOkAnd(false));
}

// What could be made to cost gigabytes, and what is no hash.
TEST(Password, IsNotComparedWithAHashThatIsNoneOfOurs) {
  for (const char* text :
       {"", "x", "$argon2id$v=19$m=4194304,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA",
        "$argon2i$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAA",
        "$argon2id$v=19$m=19456,t=2,p=1$", "$argon2id$v=19$m=19456,t=2,p=1$A$A"}) {
    const SecretText hash(text);
    EXPECT_THAT(Password::verify(SecretText("correct horse battery"), &hash),
                HasError(ErrorCode::corrupt, ""))
        << text;
  }
}

TEST(Slots, LetNoMoreThroughThanThereAre) {
  Slots slots(2);
  std::atomic<int> inside = 0;
  std::atomic<int> inside_max = 0;
  std::atomic<int> passed = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 6; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < 200; ++j) {
          const Slots::Held held(slots);
          const int now = ++inside;
          int seen = inside_max;
          while (now > seen && !inside_max.compare_exchange_weak(seen, now)) {
          }
          std::this_thread::yield();
          ++passed;
          --inside;
        }
      });
    }
  }
  EXPECT_LE(inside_max, 2);
  EXPECT_EQ(passed, 1'200);
}

}  // namespace
}  // namespace lakemill::access
