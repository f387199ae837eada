#include <cstdio>

#include "lakemill/app/backfill.h"
#include "lakemill/app/run_events.h"
#include "lakemill/cli/commands.h"
#include "lakemill/cli/run_display.h"

namespace lakemill::cli {

int backfill_command(const CommonOptions& common, const BackfillOptions& options) {
  app::BackfillRequest request{
      options.node,
      {options.column, options.from, options.to, options.where},
      stop_on_interrupt()};
  int code = kSuccess;
  const auto workbench = open_workbench(common, true, code);
  if (workbench == nullptr) return code;
  if (workbench->pipelines().size() != 1) {
    report_error(Error(ErrorCode::invalid,
                       "a backfill is of one pipeline: name it, by file or by name"),
                 common.json);
    return kUsage;
  }
  Result<app::PipelineRun> run = Error(ErrorCode::invalid, "");
  {
    RunDisplay display(common.json);
    run = app::backfill(*workbench, workbench->pipelines().front(), request, display);
  }
  if (!run) {
    const bool bad_usage = run.error().code() == ErrorCode::invalid;
    report_error(run.error(), common.json);
    return bad_usage ? kUsage : kFailure;
  }
  if (common.json) {
    OrderedJson nodes = OrderedJson::array();
    for (const flow::NodeReport& node : run->report.nodes) {
      nodes.push_back(OrderedJson(app::to_json(node)));
    }
    std::printf("%s\n", json_text(OrderedJson{{"pipeline", run->pipeline},
                                              {"run_id", run->run_id},
                                              {"succeeded", run->report.succeeded()},
                                              {"seconds", run->report.seconds},
                                              {"nodes", std::move(nodes)}})
                            .c_str());
  } else {
    print_summary(*run);
  }
  if (run->report.succeeded()) return kSuccess;
  return run->report.expectation_failed() ? kExpectationFailed : kFailure;
}

}  // namespace lakemill::cli
