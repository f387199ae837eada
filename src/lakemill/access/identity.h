#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/access/role.h"
#include "lakemill/base/clock.h"

namespace lakemill::access {

/// How somebody showed who they are.
enum class LoginKind : std::uint8_t {
  session,  ///< with a password, then a cookie
  token,    ///< with a token
  local,    ///< by being on this machine: the command line, `serve --dev`
};

/// "session".
std::string_view to_text(LoginKind kind);

/// Who makes a request, and what that one may do. Holds no secret: it may be logged.
struct Identity {
  std::string name;      ///< of the user, or of who made the token
  std::string account;   ///< id of that user's account; empty: there is none
  std::string token_id;  ///< of a token
  LoginKind how = LoginKind::local;
  std::optional<Role> role;  ///< nothing: only `scopes` count
  /// What is allowed beside the role: "events", "ingest:clicks", "ingest:*".
  std::vector<std::string> scopes;
  std::string pipelines = "*";  ///< a glob; other than "*": the role is for those alone
  Instant expires_at = Instant::max();  ///< of its session or token
};

/// May do what needs `wanted` to the pipeline `pipeline`.
bool may(const Identity& identity, Role wanted, std::string_view pipeline);

/// May do what needs `wanted` and belongs to no pipeline, or to all. Nobody may who is
/// limited to some pipelines.
bool may_everywhere(const Identity& identity, Role wanted);

/// Has the scope, or may do everywhere what needs a runner.
bool may_use_scope(const Identity& identity, std::string_view scope);

/// True if `name` fits `glob`: `*` stands for any characters, `?` for one byte; all
/// else, and letter case, for itself. Takes at most name × glob steps.
bool fits_glob(std::string_view name, std::string_view glob);

}  // namespace lakemill::access
