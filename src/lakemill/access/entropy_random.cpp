#include "lakemill/access/entropy_random.h"

#include <sys/random.h>

#include "lakemill/base/check.h"

namespace lakemill::access {

std::uint64_t EntropyRandom::next() {
  std::uint64_t number = 0;
  // Fails only where there is no such call or no such memory.
  LAKEMILL_CHECK(getentropy(&number, sizeof number) == 0);
  return number;
}

}  // namespace lakemill::access
