#include <cstdio>
#include <thread>

#include "lakemill/api/event_hub.h"
#include "lakemill/api/service.h"
#include "lakemill/app/operation.h"
#include "lakemill/cli/commands.h"
#include "lakemill/server/listener.h"

namespace lakemill::cli {

namespace {

int usage(const char* message) {
  std::fprintf(stderr, "error: %s\n", message);
  return kUsage;
}

Result<server::Address> address_of(const ServeOptions& options,
                                   const language::Server& settings) {
  if (options.listen.empty()) return server::Address{settings.host, settings.port};
  return server::Address::parse(options.listen);
}

void tell_problem(const std::string& subject, const Error& error) {
  std::fprintf(stderr, "lakemill: warning: %s: %s\n", subject.c_str(),
               error.message().c_str());
}

// Pipelines that cannot be served as their files are now.
void print_faults(const app::Operation& operation) {
  for (const app::ServedPipeline& pipeline : operation.pipelines()) {
    if (!pipeline.file.fault.empty()) {
      std::fprintf(stderr, "lakemill: warning: %s is not served: %s\n",
                   pipeline.file.file.c_str(), pipeline.file.fault.c_str());
    }
    for (const std::string& fault : pipeline.faults) {
      std::fprintf(stderr, "lakemill: warning: %s\n", fault.c_str());
    }
  }
}

}  // namespace

int serve_command(const CommonOptions& common, const ServeOptions& options,
                  const std::string& version) {
  if (!options.dev) {
    return usage(
        "there are no logins yet; `lakemill serve --dev` serves this machine alone");
  }
  const std::stop_token stop = stop_on_interrupt();
  CommonOptions opened = common;
  opened.allow_missing_parameters = true;  // they are of runs
  opened.follows_events = true;
  int code = kSuccess;
  const auto workbench = open_workbench(opened, false, code);
  if (workbench == nullptr) return code;
  if (workbench->project().pipelines.empty()) {
    return usage("no lakemill.yaml here or above names pipelines; `lakemill init` makes "
                 "a project");
  }
  const auto address = address_of(options, workbench->project().server);
  if (!address) {
    report_error(address.error(), false);
    return kUsage;
  }
  api::EventHub hub(tell_problem);
  const auto operation = app::Operation::open(*workbench, hub);
  if (!operation) return report_error(operation.error(), false);
  api::Service service(**operation, hub, version);
  server::ListenerOptions listening;
  listening.address = *address;
  const auto listener =
      server::Listener::open(listening, service, workbench->clock());
  if (!listener) return report_error(listener.error(), false);
  if (!(*listener)->is_loopback()) {
    return usage("--dev has no login, so it listens on loopback addresses only");
  }
  service.set_port((*listener)->address().port);
  std::printf("serving http://%s\n", (*listener)->address().text().c_str());
  std::fflush(stdout);
  std::jthread working([&](const std::stop_token&) {
    (*operation)->run(stop);
  });
  std::jthread faults([&](const std::stop_token& end) {
    while (!(*operation)->is_ready() && !end.stop_requested()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    print_faults(**operation);
  });
  (*listener)->run(stop);
  return kSuccess;
}

}  // namespace lakemill::cli
