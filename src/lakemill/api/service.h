#pragma once

#include <atomic>
#include <string>

#include "lakemill/api/event_hub.h"
#include "lakemill/api/route.h"
#include "lakemill/app/operation.h"
#include "lakemill/server/gate.h"

namespace lakemill::api {

/// What `lakemill serve` answers: the table of routes and who may call them. Served to
/// this machine alone and without a login (`--dev`).
///
/// Thread-safe once set_port() was called.
class Service final : public server::Gate {
 public:
  /// Both are borrowed. `version`: of the binary.
  Service(app::Operation& operation, EventHub& hub, std::string version);

  /// Where it is reached: requests for another place are refused.
  void set_port(int port) { port_ = port; }

  server::Verdict judge(const server::RequestHead& head, const server::Target& target,
                        const server::Peer& peer) override;

  const std::vector<Route>& routes() const { return table_.routes(); }

 private:
  std::atomic<int> port_ = 0;
  const access::Identity local_;  // who calls where nobody logs in
  const RouteTable table_;
};

}  // namespace lakemill::api
