#pragma once

#include <cstdint>

namespace lakemill::language {

/// How refined the rows of a node are.
enum class Layer : std::uint8_t { none, bronze, silver, gold };

}  // namespace lakemill::language
