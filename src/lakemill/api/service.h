#pragma once

#include <atomic>
#include <string>

#include "lakemill/api/event_hub.h"
#include "lakemill/api/route.h"
#include "lakemill/app/operation.h"
#include "lakemill/server/gate.h"

namespace lakemill::api {

/// What `lakemill serve` answers: the table of routes, who may call them, and their
/// handlers. Served to this machine alone and without a login (`--dev`).
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
  std::vector<Route> make_routes();

  server::Answer health(const Call& call);
  server::Answer readiness(const Call& call);
  server::Answer overview(const Call& call);
  server::Answer pipelines(const Call& call);
  server::Answer pipeline(const Call& call);
  server::Answer graph(const Call& call);
  server::Answer whole_graph(const Call& call);
  server::Answer start_run(const Call& call);
  server::Answer set_paused(const Call& call, bool paused);
  server::Answer runs(const Call& call);
  server::Answer run(const Call& call);
  server::Answer cancel_run(const Call& call);
  server::Answer retry_run(const Call& call);
  server::Answer events(const Call& call);
  server::Answer follow_events(const Call& call);

  app::Operation& operation_;
  EventHub& hub_;
  const std::string version_;
  std::atomic<int> port_ = 0;
  const RouteTable table_;
};

}  // namespace lakemill::api
