#pragma once

#include <cstdint>

#include "lakemill/access/role.h"

namespace lakemill::api {

/// What a call happens to, which decides whose role counts.
enum class Subject : std::uint8_t {
  all,       ///< all of the project, or nothing in it
  pipeline,  ///< the pipeline that the path's first `{…}` names
  run,       ///< the pipeline of the run that the path's first `{…}` names
};

/// What somebody must be allowed to do to call a route. There is no usual one: a route
/// that does not say it does not compile.
class Permit {
 public:
  /// Everybody may, whoever it is: the page without data, health, login.
  static constexpr Permit open() { return Permit(true, access::Role::viewer, {}); }
  static constexpr Permit viewer(Subject subject = Subject::all) {
    return Permit(false, access::Role::viewer, subject);
  }
  static constexpr Permit runner(Subject subject = Subject::all) {
    return Permit(false, access::Role::runner, subject);
  }
  static constexpr Permit editor(Subject subject = Subject::all) {
    return Permit(false, access::Role::editor, subject);
  }
  static constexpr Permit admin() {
    return Permit(false, access::Role::admin, Subject::all);
  }

  constexpr bool is_open() const { return is_open_; }
  /// Of routes that are not open.
  constexpr access::Role role() const { return role_; }
  constexpr Subject subject() const { return subject_; }

 private:
  constexpr Permit(bool is_open, access::Role role, Subject subject)
      : is_open_(is_open), role_(role), subject_(subject) {}

  bool is_open_;
  access::Role role_;
  Subject subject_;
};

}  // namespace lakemill::api
