#include "lakemill/sources/postgres/spool_error.h"

#include <cerrno>
#include <cstring>

namespace lakemill::sources::postgres {

Error spool_error(const std::string& path) {
  return Error(
      ErrorCode::denied,
      "cannot write " + path + ": " + std::strerror(errno) +
          "; changes wait there on their way to a table, so there must be room");
}

}  // namespace lakemill::sources::postgres
