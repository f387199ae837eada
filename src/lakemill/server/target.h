#pragma once

// The target of a request: the path by which a route is found, and the query.
//
// One resource has one spelling: a path that is not in its canonical form is refused
// and never normalized, so that what a rule about access was checked for is what a
// handler gets, and what a proxy in front saw.

#include <string>
#include <string_view>
#include <vector>

#include "lakemill/base/result.h"

namespace lakemill::server {

struct QueryParameter {
  std::string name;
  std::string value;
  bool operator==(const QueryParameter&) const = default;
};

struct Target {
  /// What stands between the slashes, unescaped, none of them empty, ".", ".."; empty
  /// for "/". UTF-8 without control characters, '/' and '\'.
  std::vector<std::string> segments;
  /// In their order, unescaped ('+' is a space); "" for a name without '='. UTF-8
  /// without NUL. Names may repeat.
  std::vector<QueryParameter> query;

  /// The value of the first parameter of that name; null if there is none.
  const std::string* parameter(std::string_view name) const;
};

/// Reads "/api/v1/runs?limit=10". Errors: invalid, for a path with empty segments (a
/// slash at the end too), dot segments however escaped, ';', '\', escaped '/', '\' and
/// control characters, escapes that are none, of lower-case digits or of letters that
/// need none, bytes that are no UTF-8; for a query with bad escapes, NUL, no UTF-8, a
/// parameter without name, or more than 64 parameters; for a '#'.
Result<Target> parse_target(std::string_view raw);

}  // namespace lakemill::server
