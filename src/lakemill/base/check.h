#pragma once

#include <source_location>

namespace lakemill::internal {

/// Prints the condition and its place to standard error, then aborts.
[[noreturn]] void check_failed(const char* condition, std::source_location where);

}  // namespace lakemill::internal

/// States what must be true for the code below to be right; always on. For bugs only:
/// what a user, a file or a network can cause is an Error.
#define LAKEMILL_CHECK(condition)                                                      \
  do {                                                                                 \
    if (!(condition)) [[unlikely]] {                                                   \
      ::lakemill::internal::check_failed(#condition, std::source_location::current()); \
    }                                                                                  \
  } while (false)
