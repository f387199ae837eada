#include <cstdio>

#include "lakemill/app/replay.h"
#include "lakemill/app/run_events.h"
#include "lakemill/cli/commands.h"
#include "lakemill/cli/output.h"
#include "lakemill/cli/run_display.h"

namespace lakemill::cli {

namespace {

int exit_code(const flow::RunReport& report) {
  if (report.succeeded()) return kSuccess;
  return report.expectation_failed() ? kExpectationFailed : kFailure;
}

OrderedJson to_json(const app::Replay& replay) {
  OrderedJson nodes = OrderedJson::array();
  for (const flow::NodeReport& node : replay.run.report.nodes) {
    nodes.push_back(OrderedJson(app::to_json(node)));
  }
  OrderedJson tables = OrderedJson::array();
  for (const app::ReplayedTable& table : replay.tables) {
    OrderedJson shown = difference_json(table.difference);
    shown["live"] = table.live;
    shown["side"] = table.side;
    tables.push_back(std::move(shown));
  }
  return {{"pipeline", replay.run.pipeline},
          {"run_id", replay.run.run_id},
          {"succeeded", replay.run.report.succeeded()},
          {"seconds", replay.run.report.seconds},
          {"nodes", std::move(nodes)},
          {"tables", std::move(tables)}};
}

void print_tables(const app::Replay& replay) {
  for (const app::ReplayedTable& table : replay.tables) {
    std::printf("%s and %s: %s\n", table.live.c_str(), table.side.c_str(),
                difference_text(table.difference).c_str());
  }
}

}  // namespace

int replay_command(const CommonOptions& common, const ReplayOptions& options) {
  app::ReplayRequest request{options.node, options.from, options.into,
                             stop_on_interrupt()};
  int code = kSuccess;
  const auto workbench = open_workbench(common, true, code);
  if (workbench == nullptr) return code;
  if (workbench->pipelines().size() != 1) {
    report_error(Error(ErrorCode::invalid,
                       "a replay is of one pipeline: name it, by file or by name"),
                 common.json);
    return kUsage;
  }
  Result<app::Replay> replay = Error(ErrorCode::invalid, "");
  {
    RunDisplay display(common.json);
    replay = app::replay(*workbench, workbench->pipelines().front(), request, display);
  }
  if (!replay) {
    const bool bad_usage = replay.error().code() == ErrorCode::invalid;
    report_error(replay.error(), common.json);
    return bad_usage ? kUsage : kFailure;
  }
  if (common.json) {
    std::printf("%s\n", json_text(to_json(*replay)).c_str());
  } else {
    print_summary(replay->run);
    print_tables(*replay);
  }
  return exit_code(replay->run.report);
}

}  // namespace lakemill::cli
