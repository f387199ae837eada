#include "lakemill/access/role.h"

#include <array>
#include <cstddef>

namespace lakemill::access {

namespace {

constexpr std::array<std::string_view, 4> kRoles = {"viewer", "runner", "editor",
                                                    "admin"};

}  // namespace

std::string_view to_text(Role role) { return kRoles[static_cast<std::size_t>(role)]; }

std::optional<Role> role_from_text(std::string_view text) {
  for (std::size_t i = 0; i < kRoles.size(); ++i) {
    if (kRoles[i] == text) return static_cast<Role>(i);
  }
  return std::nullopt;
}

}  // namespace lakemill::access
