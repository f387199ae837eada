#pragma once

#include <exception>
#include <string_view>
#include <type_traits>
#include <utility>

#include "lakemill/base/result.h"

namespace lakemill {

/// Calls into a library that throws (DuckDB's C++ API, yaml-cpp) and turns what it
/// throws into an Error. The only place where lakemill catches; nothing of ours throws.
template <typename Call>
auto guard(std::string_view activity, Call&& call)
    -> Result<std::invoke_result_t<Call>> {
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<Call>>) {
      std::forward<Call>(call)();
      return {};
    } else {
      return std::forward<Call>(call)();
    }
  } catch (const std::exception& exception) {
    return Error(ErrorCode::invalid, exception.what()).while_doing(activity);
  }
}

}  // namespace lakemill
