#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include <gmock/gmock.h>

#include "lakemill/base/result.h"

namespace lakemill {

/// So that a failed EXPECT prints the code's name.
inline void PrintTo(ErrorCode code, std::ostream* out) {
  constexpr std::string_view kNames[] = {"invalid", "not_found",   "exists",
                                         "denied",  "unavailable", "unknown",
                                         "corrupt", "unsupported", "cancelled"};
  const auto index = static_cast<std::size_t>(code);
  *out << (index < std::size(kNames) ? kNames[index] : "?");
}

}  // namespace lakemill

// The namespace is not named after the folder: inside `lakemill` that would hide
// GoogleTest's `testing`.
namespace lakemill::testkit {

/// `EXPECT_THAT(store.put(…), IsOk())`, for any Result.
MATCHER(IsOk, negation ? "is an error" : "is a success") {
  if (arg.has_value()) return true;
  *result_listener << "which is the error "
                   << ::testing::PrintToString(arg.error().code()) << ": "
                   << arg.error().message();
  return false;
}

/// A success whose value matches: `EXPECT_THAT(store.get("a"), IsOkAnd(StrEq("x")))`.
MATCHER_P(IsOkAnd, matcher, "is a success whose value matches") {
  if (!arg.has_value()) {
    *result_listener << "which is the error "
                     << ::testing::PrintToString(arg.error().code()) << ": "
                     << arg.error().message();
    return false;
  }
  return ::testing::ExplainMatchResult(matcher, *arg, result_listener);
}

/// An error of that code whose message holds `part` ("" for any).
MATCHER_P2(HasError, code, part,
           "is an error " + ::testing::PrintToString(ErrorCode(code)) +
               " that says \"" + std::string(part) + "\"") {
  if (arg.has_value()) {
    *result_listener << "which is a success";
    return false;
  }
  *result_listener << "which is the error "
                   << ::testing::PrintToString(arg.error().code()) << ": "
                   << arg.error().message();
  return arg.error().code() == code &&
         arg.error().message().find(part) != std::string::npos;
}

}  // namespace lakemill::testkit
