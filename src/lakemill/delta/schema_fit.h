#pragma once

#include <optional>
#include <string>

#include "lakemill/delta/action.h"

namespace lakemill::delta {

/// Why rows that were written under `before` cannot be read under `now`, as "column x
/// was dropped"; nothing if they can: columns came, or types were widened.
std::optional<std::string> why_unfit(const Metadata& before, const Metadata& now);

}  // namespace lakemill::delta
