#include "lakemill/sources/postgres/spool_error.h"

#include <cerrno>
#include <cstring>
#include <string_view>

#include <unistd.h>

namespace lakemill::sources::postgres {

Error spool_error(const std::string& path) {
  return Error(
      ErrorCode::denied,
      "cannot write " + path + ": " + std::strerror(errno) +
          "; changes wait there on their way to a table, so there must be room");
}

Status write_out(int file, const std::string& path, std::string& buffer,
                 std::int64_t& written) {
  std::string_view rest = buffer;
  while (!rest.empty()) {
    const ssize_t count = ::pwrite(file, rest.data(), rest.size(), written);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      Error error = spool_error(path);
      buffer.erase(0, buffer.size() - rest.size());
      return error;
    }
    written += count;
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  buffer.clear();
  return {};
}

}  // namespace lakemill::sources::postgres
