#pragma once

#include <string_view>

#include "lakemill/delta/action.h"

namespace lakemill::delta {

/// Whether a reader must respect `feature`: it is listed, or the reader version implies
/// it (columnMapping from version 2).
bool has_reader_feature(const Protocol& protocol, std::string_view feature);

/// Success if this module can read a table of that protocol. Errors: unsupported,
/// naming the version or every feature that is missing.
Status check_readable(const Protocol& protocol);

}  // namespace lakemill::delta
