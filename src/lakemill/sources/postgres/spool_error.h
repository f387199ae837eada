#pragma once

#include <cstdint>
#include <string>

#include "lakemill/base/result.h"

namespace lakemill::sources::postgres {

/// What the system says (errno) of a file in which changes wait on their way to a
/// table.
Error spool_error(const std::string& path);

/// Writes `buffer` to `file` at `written`, and takes off its front what is there by
/// then, so that both hold together after an error too. Errors: spool_error.
Status write_out(int file, const std::string& path, std::string& buffer,
                 std::int64_t& written);

}  // namespace lakemill::sources::postgres
