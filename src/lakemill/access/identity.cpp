#include "lakemill/access/identity.h"

#include <algorithm>

namespace lakemill::access {

std::string_view to_text(LoginKind kind) {
  switch (kind) {
    case LoginKind::session:
      return "session";
    case LoginKind::token:
      return "token";
    case LoginKind::local:
      return "local";
  }
  return "";
}

bool may(const Identity& identity, Role wanted, std::string_view pipeline) {
  return identity.role && *identity.role >= wanted &&
         fits_glob(pipeline, identity.pipelines);
}

bool may_everywhere(const Identity& identity, Role wanted) {
  return identity.role && *identity.role >= wanted && identity.pipelines == "*";
}

bool may_use_scope(const Identity& identity, std::string_view scope) {
  if (may_everywhere(identity, Role::runner)) return true;
  return std::any_of(identity.scopes.begin(), identity.scopes.end(),
                     [&](const std::string& has) { return fits_glob(scope, has); });
}

bool fits_glob(std::string_view name, std::string_view glob) {
  std::size_t at = 0;
  std::size_t in_glob = 0;
  // Where the last star was, and up to where it has eaten: only that one is taken back.
  std::size_t star = std::string_view::npos;
  std::size_t eaten = 0;
  while (at < name.size()) {
    if (in_glob < glob.size() && glob[in_glob] == '*') {
      star = in_glob++;
      eaten = at;
    } else if (in_glob < glob.size() &&
               (glob[in_glob] == '?' || glob[in_glob] == name[at])) {
      ++in_glob;
      ++at;
    } else if (star != std::string_view::npos) {
      in_glob = star + 1;
      at = ++eaten;
    } else {
      return false;
    }
  }
  return glob.find_first_not_of('*', in_glob) == std::string_view::npos;
}

}  // namespace lakemill::access
