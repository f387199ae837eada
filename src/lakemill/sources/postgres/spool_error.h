#pragma once

#include <string>

#include "lakemill/base/result.h"

namespace lakemill::sources::postgres {

/// What the system says (errno) of a file in which changes wait on their way to a
/// table.
Error spool_error(const std::string& path);

}  // namespace lakemill::sources::postgres
