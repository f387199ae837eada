#pragma once

#include <cstdint>

#include "lakemill/base/json.h"

namespace lakemill {

/// This process as others can recognize it, for as long as its machine runs: an object
/// with `machine`, `process` and `process_start`.
Json this_process();

enum class ProcessLife : std::uint8_t {
  alive,
  gone,
  elsewhere,  ///< on a machine, or in a container, that cannot be looked at from here
};

/// What has become of the process of which this_process() was `mark`.
ProcessLife life_of(const Json& mark);

}  // namespace lakemill
