#include "lakemill/api/service.h"

#include "lakemill/api/event_routes.h"
#include "lakemill/api/own_origin.h"
#include "lakemill/api/page_routes.h"
#include "lakemill/api/pipeline_routes.h"
#include "lakemill/api/project_routes.h"
#include "lakemill/api/run_routes.h"

namespace lakemill::api {

namespace {

std::vector<Route> all_routes(app::Operation& operation, EventHub& hub,
                              std::string version) {
  std::vector<Route> routes;
  for (auto& group :
       {project_routes(operation, std::move(version)), pipeline_routes(operation),
        run_routes(operation), event_routes(operation, hub), page_routes()}) {
    routes.insert(routes.end(), group.begin(), group.end());
  }
  return routes;
}

access::Identity local_identity() {
  access::Identity identity;
  identity.name = "local";
  identity.how = access::LoginKind::local;
  identity.role = access::Role::admin;
  return identity;
}

}  // namespace

Service::Service(app::Operation& operation, EventHub& hub, std::string version)
    : local_(local_identity()),
      table_(all_routes(operation, hub, std::move(version))) {}

server::Verdict Service::judge(const server::RequestHead& head,
                               const server::Target& target,
                               const server::Peer& peer) {
  if (const auto refusal = foreign_request(head, peer, port_)) {
    return server::error_answer(*refusal);
  }
  auto found = table_.find(head, target);
  if (auto* refused = std::get_if<server::Answer>(&found)) return std::move(*refused);
  auto& [route, arguments] = std::get<FoundRoute>(found);
  const std::int64_t body_bytes_max = route->body_bytes_max;
  return server::Admitted{[this, route = route, arguments = std::move(arguments)](
                              const server::Request& request) {
                            return route->handler({request, arguments, local_});
                          },
                          body_bytes_max};
}

}  // namespace lakemill::api
