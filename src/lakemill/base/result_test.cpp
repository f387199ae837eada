#include "lakemill/base/result.h"

#include <stdexcept>

#include <gtest/gtest.h>

#include "lakemill/base/guard.h"

namespace lakemill {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0)
    return Error(ErrorCode::invalid, "odd: " + std::to_string(number));
  return number / 2;
}

Result<int> quarter(int number) {
  LAKEMILL_TRY(const int once, half(number));
  LAKEMILL_TRY(const int twice, half(once));
  return twice;
}

TEST(Result, TryBindsTheValueOrReturnsTheError) {
  EXPECT_EQ(*quarter(8), 2);
  const auto failed = quarter(6);
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().message(), "odd: 3");
}

TEST(Result, PutsContextInFront) {
  EXPECT_EQ(Error(ErrorCode::not_found, "no x").while_doing("open y").message(),
            "open y: no x");
}

TEST(Guard, TurnsWhatALibraryThrowsIntoAnError) {
  const auto result = guard("parse", []() -> int { throw std::runtime_error("bad"); });
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().message(), "parse: bad");
}

}  // namespace
}  // namespace lakemill
