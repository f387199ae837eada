#pragma once

#include <span>
#include <string>

namespace lakemill {

/// "a", "b": names as SQL identifiers, with commas between them.
std::string quoted_list(std::span<const std::string> names);

}  // namespace lakemill
