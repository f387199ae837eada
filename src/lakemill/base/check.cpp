#include "lakemill/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace lakemill::internal {

void check_failed(const char* condition, std::source_location where) {
  std::fprintf(stderr, "lakemill: a bug: %s does not hold (%s:%u)\n", condition,
               where.file_name(), static_cast<unsigned>(where.line()));
  std::abort();
}

}  // namespace lakemill::internal
