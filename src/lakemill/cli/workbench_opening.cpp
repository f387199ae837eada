#include <csignal>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "lakemill/cli/commands.h"
#include "lakemill/cli/output.h"

namespace lakemill::cli {

namespace {

Result<std::vector<std::pair<std::string, std::string>>> assignments(
    const std::vector<std::string>& texts, const std::string& option) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Error(ErrorCode::invalid,
                   option + " takes name=value, not '" + text + "'");
    }
    pairs.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return pairs;
}

void print_diagnostics(const language::Diagnostics& diagnostics, bool json) {
  if (!json) {
    std::fputs(diagnostics.to_text().c_str(), stderr);
    return;
  }
  OrderedJson list = OrderedJson::array();
  for (const language::Diagnostic& item : diagnostics.sorted()) {
    const char* severity = item.severity == language::Severity::error     ? "error"
                           : item.severity == language::Severity::warning ? "warning"
                                                                          : "notice";
    list.push_back({{"severity", severity},
                    {"file", item.location.file},
                    {"line", item.location.line},
                    {"column", item.location.column},
                    {"path", item.path},
                    {"message", item.message},
                    {"hint", item.hint}});
  }
  std::fprintf(stderr, "%s\n", json_text(list).c_str());
}

}  // namespace

Result<app::OpenRequest> make_request(const CommonOptions& common) {
  app::OpenRequest request;
  request.pipeline = common.pipeline;
  std::error_code failed;
  request.working_folder = std::filesystem::current_path(failed).string();
  if (failed) {
    return Error(ErrorCode::not_found,
                 "the current folder is gone: " + failed.message());
  }
  request.environment = common.environment;
  LAKEMILL_TRY(request.variables, assignments(common.variables, "--var"));
  request.variable_files = common.variable_files;
  LAKEMILL_TRY(request.parameters, assignments(common.parameters, "--param"));
  request.confine_user_sql = common.confined;
  constexpr std::chrono::milliseconds kSoon{300};
  if (common.follows_events) request.event_delay = kSoon;
  request.with_test_files = common.with_test_files;
  request.check_project = common.check_project;
  request.allow_missing_parameters = common.allow_missing_parameters;
  return request;
}

int report_error(const Error& error, bool json) {
  if (json) {
    std::fprintf(stderr, "%s\n", json_text(Json{{"error", error.message()}}).c_str());
  } else {
    std::fprintf(stderr, "error: %s\n", error.message().c_str());
  }
  return kFailure;
}

std::unique_ptr<app::Workbench> open_workbench(const CommonOptions& common,
                                               bool with_pipelines, int& code) {
  code = kUsage;
  const auto request = make_request(common);
  if (!request) {
    report_error(request.error(), common.json);
    return nullptr;
  }
  language::Diagnostics diagnostics;
  auto workbench = with_pipelines ? app::Workbench::open(*request, diagnostics)
                                  : app::Workbench::open_project(*request, diagnostics);
  if (!diagnostics.empty()) print_diagnostics(diagnostics, common.json);
  if (!workbench) {
    if (!diagnostics.has_errors()) report_error(workbench.error(), common.json);
    return nullptr;
  }
  code = kSuccess;
  return *std::move(workbench);
}

std::stop_token stop_on_interrupt() {
  static std::stop_source source;
  static std::jthread waiter;
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // threads made later inherit it
  waiter = std::jthread([signals](const std::stop_token&) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) return;
    std::fputs("\nstopping; press Ctrl-C again to end at once\n", stderr);
    source.request_stop();
    if (sigwait(&signals, &signal) == 0) std::_Exit(128 + signal);
  });
  waiter.detach();
  return source.get_token();
}

}  // namespace lakemill::cli
