#include "lakemill/api/route.h"

#include <algorithm>
#include <optional>

#include "lakemill/base/check.h"
#include "lakemill/base/text.h"
#include "lakemill/server/target.h"

namespace lakemill::api {

namespace {

bool is_argument(std::string_view segment) { return segment.starts_with('{'); }

// What stands in the places of the pattern; nothing: it is another path.
std::optional<std::vector<std::string>> match(const std::vector<std::string>& pattern,
                                              const std::vector<std::string>& path) {
  if (pattern.size() != path.size()) return std::nullopt;
  std::vector<std::string> arguments;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (is_argument(pattern[i])) {
      arguments.push_back(path[i]);
    } else if (pattern[i] != path[i]) {
      return std::nullopt;
    }
  }
  return arguments;
}

}  // namespace

RouteTable::RouteTable(std::vector<Route> routes) : routes_(std::move(routes)) {
  for (const Route& route : routes_) {
    std::vector<std::string> segments;
    for (const std::string& segment : split(std::string(route.path), '/')) {
      if (!segment.empty()) segments.push_back(segment);
    }
    LAKEMILL_CHECK(route.path.starts_with('/'));
    segments_.push_back(std::move(segments));
  }
}

std::variant<FoundRoute, server::Answer> RouteTable::find(
    const server::RequestHead& head, const server::Target& target) const {
  const std::string method = head.method == "HEAD" ? "GET" : head.method;
  std::vector<std::string> allowed;
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    auto arguments = match(segments_[i], target.segments);
    if (!arguments) continue;
    const Route& route = routes_[i];
    if (route.method != method) {
      allowed.emplace_back(route.method);
      if (route.method == "GET") allowed.emplace_back("HEAD");
      continue;
    }
    return FoundRoute{&route, *std::move(arguments)};
  }
  if (allowed.empty()) {
    return server::error_answer({404, "not_found", "there is nothing at this path"});
  }
  std::sort(allowed.begin(), allowed.end());
  server::Answer answer = server::error_answer(
      {405, "method_not_allowed", "this path takes " + join(allowed, ", ")});
  answer.headers.push_back({"Allow", join(allowed, ", ")});
  return answer;
}

}  // namespace lakemill::api
