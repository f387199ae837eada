#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lakemill/access/identity.h"
#include "lakemill/api/permit.h"
#include "lakemill/server/gate.h"

namespace lakemill::api {

/// A request that a route takes.
struct Call {
  const server::Request& request;
  /// What stands where the route's path has `{…}`, in order.
  std::span<const std::string> arguments;
  /// Who asks; of routes that are open to all it may be nobody.
  const access::Identity& caller;
};

/// One entry of the table of all that is served. What is not in it does not exist.
struct Route {
  std::string_view method;  ///< GET, POST, PUT or DELETE; HEAD goes by GET
  /// "/api/v1/runs/{run}": each `{…}` is one segment.
  std::string_view path;
  Permit permit;
  std::string_view doc;  ///< one sentence
  std::int64_t body_bytes_max = 0;
  std::function<server::Answer(const Call&)> handler;
};

/// What most routes take as a body.
inline constexpr std::int64_t kBodyBytesMax = 1 << 20;

/// A route that a request is for.
struct FoundRoute {
  const Route* route;
  std::vector<std::string> arguments;
};

/// Finds routes by method and path.
///
/// Thread-safety: concurrent calls are allowed.
class RouteTable {
 public:
  explicit RouteTable(std::vector<Route> routes);

  const std::vector<Route>& routes() const { return routes_; }

  /// The route of a request, which must not outlive the table; or 404 and 405 for what
  /// is not there.
  std::variant<FoundRoute, server::Answer> find(const server::RequestHead& head,
                                                const server::Target& target) const;

 private:
  std::vector<Route> routes_;
  std::vector<std::vector<std::string>> segments_;  // of each route's path
};

}  // namespace lakemill::api
