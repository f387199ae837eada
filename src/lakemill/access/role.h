#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace lakemill::access {

/// What somebody may do; each may do all that the ones before it may.
enum class Role : std::uint8_t {
  viewer,  ///< see everything but who has access
  runner,  ///< start, cancel and pause runs; send events and rows
  editor,  ///< change tables and subscriptions, refresh fully
  admin,   ///< give and take access
};

/// "viewer".
std::string_view to_text(Role role);
/// Nothing where no role has that name.
std::optional<Role> role_from_text(std::string_view text);

}  // namespace lakemill::access
