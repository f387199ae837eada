#pragma once

#include <optional>

#include "lakemill/server/gate.h"

namespace lakemill::api {

/// Why a request does not come from this machine's own pages and programs, for a server
/// that asks for no login (`--dev`): another host name than the loopback's (a page of
/// elsewhere whose name was made to lead here), or an unsafe method that a page of
/// another origin sends. Nothing: it does.
std::optional<server::Refusal> foreign_request(const server::RequestHead& head,
                                               const server::Peer& peer, int own_port);

}  // namespace lakemill::api
