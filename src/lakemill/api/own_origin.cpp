#include "lakemill/api/own_origin.h"

#include "lakemill/base/network_address.h"

namespace lakemill::api {

namespace {

bool is_own_host(std::string_view host, int own_port) {
  const auto place = parse_host_port(host);
  return place && place->is_loopback() && place->port == own_port;
}

bool is_safe(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

}  // namespace

std::optional<server::Refusal> foreign_request(const server::RequestHead& head,
                                               const server::Peer& peer, int own_port) {
  if (!peer.is_loopback) {
    return server::Refusal{403, "not_local", "only this machine is served"};
  }
  if (!is_own_host(head.host, own_port)) {
    return server::Refusal{421, "other_host",
                           "ask for localhost or a loopback address with the port"};
  }
  if (is_safe(head.method)) return std::nullopt;
  const std::string_view site = head.header("sec-fetch-site");
  const std::string_view origin = head.header("origin");
  const bool is_own_site = site.empty() || site == "same-origin" || site == "none";
  const bool is_own = origin.empty() || origin == "http://" + head.host;
  if (is_own_site && is_own) return std::nullopt;
  return server::Refusal{403, "other_origin", "a page of another origin asks for this"};
}

}  // namespace lakemill::api
