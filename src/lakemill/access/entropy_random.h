#pragma once

#include <cstdint>

#include "lakemill/base/random.h"

namespace lakemill::access {

/// Every number from the operating system's generator, so that nobody foresees one from
/// the others. SystemRandom is no such source: from some of its numbers (the ids of
/// runs, say) all later ones can be computed.
///
/// Thread-safe.
class EntropyRandom final : public Random {
 public:
  std::uint64_t next() override;
};

}  // namespace lakemill::access
