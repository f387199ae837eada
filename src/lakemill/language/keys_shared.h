#pragma once

#include <span>

#include "lakemill/language/keys.h"

// What the files of the table of keys (keys.cpp, keys_operation.cpp) share.

namespace lakemill::language {

/// Of places, limits and the operation of pipelines: the second part of the table.
std::span<const ObjectSpec> operation_objects();

// clang-format off

inline constexpr KeySpec kVariables{.key = "variables", .type = ValueType::any_map,
    .doc = "Variables of this object and of those in it; the inner ones win."};
inline constexpr KeySpec kEngine{.key = "engine", .type = ValueType::object,
    .doc = "Memory, threads and temporary space of the engine.", .object = "engine", .ours = true};

// clang-format on

}  // namespace lakemill::language
