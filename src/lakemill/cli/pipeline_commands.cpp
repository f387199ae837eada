#include <algorithm>
#include <array>
#include <cstdio>
#include <thread>

#include "lakemill/app/pipeline_orders.h"
#include "lakemill/app/run.h"
#include "lakemill/app/run_events.h"
#include "lakemill/base/text.h"
#include "lakemill/cli/commands.h"
#include "lakemill/cli/output.h"
#include "lakemill/cli/run_display.h"
#include "lakemill/language/graph.h"
#include "lakemill/language/keys.h"

namespace lakemill::cli {

namespace {

data::Field text_column(std::string name) {
  return {std::move(name), data::make_type(data::TypeKind::string)};
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

// Runs one pipeline and shows it; the exit code.
int run_one(app::Workbench& workbench, const language::Pipeline& pipeline,
            const CommonOptions& common, const app::RunRequest& request,
            OrderedJson& results) {
  Result<app::PipelineRun> run = Error(ErrorCode::invalid, "");
  {
    RunDisplay display(common.json);
    run = app::run(workbench, pipeline, request, display);
  }
  if (!run) return report_error(run.error(), common.json);
  if (common.json) {
    OrderedJson nodes = OrderedJson::array();
    for (const flow::NodeReport& node : run->report.nodes) {
      nodes.push_back(OrderedJson(app::to_json(node)));
    }
    results.push_back({{"pipeline", run->pipeline},
                       {"run_id", run->run_id},
                       {"succeeded", run->report.succeeded()},
                       {"seconds", run->report.seconds},
                       {"nodes", std::move(nodes)}});
  } else {
    print_summary(*run);
  }
  if (run->report.succeeded()) return kSuccess;
  const bool other_failure = std::any_of(
      run->report.nodes.begin(), run->report.nodes.end(), [](const auto& node) {
        return node.status == flow::NodeStatus::failed ||
               node.status == flow::NodeStatus::cancelled;
      });
  return run->report.expectation_failed() && !other_failure ? kExpectationFailed
                                                            : kFailure;
}

app::RunRequest make_run_request(const RunOptions& options) {
  app::RunRequest request;
  request.selectors = options.select;
  request.full_refresh = options.full_refresh;
  request.continuous = options.continuous;
  request.adopt = options.adopt;
  return request;
}

// The pipelines that have the selected nodes. None, and `code` set, if no one has.
std::vector<const language::Pipeline*> selected_pipelines(
    const app::Workbench& workbench, const std::vector<std::string>& selectors,
    const CommonOptions& common, int& code) {
  std::vector<const language::Pipeline*> chosen;
  std::optional<Error> fault;
  for (const language::Pipeline& pipeline : workbench.pipelines()) {
    const auto nodes = language::select_nodes(pipeline, selectors);
    if (nodes) {
      chosen.push_back(&pipeline);
    } else if (!fault) {
      fault = nodes.error();
    }
  }
  if (!chosen.empty() || !fault) return chosen;
  report_error(*fault, common.json);
  code = kUsage;
  return {};
}

// An error about the first of the names that no test has.
std::optional<Error> unknown_test(const std::vector<language::Pipeline>& pipelines,
                                  const std::vector<std::string>& names) {
  std::vector<std::string> known;
  for (const language::Pipeline& pipeline : pipelines) {
    for (const language::PipelineTest& test : pipeline.tests) {
      known.push_back(test.name);
    }
  }
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const auto guess = nearest(name, known);
    return Error(
        ErrorCode::not_found,
        "no test '" + name + "'" + (guess ? "; did you mean '" + *guess + "'?" : ""));
  }
  return std::nullopt;
}

// The only pipeline, or the one that has the node; null if that cannot be told.
const language::Pipeline* pipeline_with(const app::Workbench& workbench,
                                        const std::string& node) {
  if (workbench.pipelines().size() == 1) return &workbench.pipelines().front();
  const language::Pipeline* found = nullptr;
  for (const language::Pipeline& pipeline : workbench.pipelines()) {
    if (pipeline.find_node(node) == nullptr) continue;
    if (found != nullptr) return nullptr;
    found = &pipeline;
  }
  return found;
}

// What a run would do with the node; one that fails does not come to a strategy.
std::string planned_text(const app::PlannedNode& node) {
  if (!node.waits_for.empty()) return "waits";
  if (!node.error) return std::string(to_text(node.strategy));
  return node.error->code() == ErrorCode::cancelled ? "blocked" : "fails";
}

// Why a node's strategy is not told yet.
std::string wait_text(const app::PlannedNode& node) {
  return "waits for " + node.waits_for +
         ", which has not run yet: what is done is decided when it runs";
}

OrderedJson to_json(const app::PlannedNode& node) {
  const bool waits = !node.waits_for.empty();
  return {{"node", node.node},
          {"layer", node.layer},
          {"upstream", node.upstream},
          {"target", node.target},
          {"strategy", planned_text(node)},
          {"reason",
           node.error || waits ? Json() : Json(std::string(to_text(node.reason)))},
          {"detail", waits ? wait_text(node) : node.detail},
          {"changes", node.changes},
          {"error", node.error ? Json(node.error->message()) : Json()}};
}

void print_plan(const language::Pipeline& pipeline,
                const std::vector<app::PlannedNode>& planned) {
  data::Rows rows;
  rows.schema.fields = {text_column("node"),     text_column("layer"),
                        text_column("strategy"), text_column("reason"),
                        text_column("target"),   text_column("after"),
                        text_column("changes")};
  for (const app::PlannedNode& node : planned) {
    std::string reason(explain(node.reason));
    if (!node.detail.empty()) reason += " (" + node.detail + ")";
    if (!node.waits_for.empty()) reason = wait_text(node);
    if (node.error) reason = "error: " + node.error->message();
    rows.rows.push_back({node.node, node.layer, planned_text(node), reason, node.target,
                         joined(node.upstream), joined(node.changes)});
  }
  std::printf("pipeline %s\n\n", pipeline.name.c_str());
  print_table(stdout, rows, 0);
}

// Keys that `lakemill serve` acts on.
bool is_served(const std::string& key) {
  constexpr std::array<std::string_view, 5> kServed = {"triggers", "retries", "timeout",
                                                       "concurrency", "server"};
  return std::find(kServed.begin(), kServed.end(), key) != kServed.end();
}

// Notices of what is checked and not done yet: one for all keys, at the first place of
// them, and one for each trigger.
void tell_of_orchestration(app::Workbench& workbench) {
  std::vector<std::string> keys;
  const language::Location* first = nullptr;
  const auto add = [&](const std::vector<language::Name>& written) {
    for (const language::Name& key : written) {
      if (is_served(key.text)) continue;
      if (first == nullptr) first = &key.location;
      const std::string quoted = "`" + key.text + "`";
      if (std::find(keys.begin(), keys.end(), quoted) == keys.end()) {
        keys.push_back(quoted);
      }
    }
  };
  for (const language::Pipeline& pipeline : workbench.pipelines()) {
    add(pipeline.orchestration.written);
    for (const language::Diagnostic& fault : app::orders_of(workbench, pipeline).faults) {
      std::fprintf(stderr, "%s\n", to_text(fault).c_str());
    }
  }
  add(workbench.project().operation);
  if (first == nullptr) return;
  std::fprintf(stderr, "%s: notice: nothing acts on %s yet\n",
               to_text(*first).c_str(), joined(keys).c_str());
}

}  // namespace

int validate_command(const CommonOptions& common) {
  int code = kSuccess;
  CommonOptions options = common;
  options.with_test_files = true;
  options.check_project = true;
  options.allow_missing_parameters = true;  // they are of a run
  const auto workbench = open_workbench(options, true, code);
  if (workbench == nullptr) return code;
  tell_of_orchestration(*workbench);
  OrderedJson list = OrderedJson::array();
  for (const language::Pipeline& pipeline : workbench->pipelines()) {
    if (common.json) {
      list.push_back({{"pipeline", pipeline.name},
                      {"nodes", pipeline.nodes.size()},
                      {"valid", true}});
    } else {
      std::printf("%s: pipeline %s is valid (%zu nodes)\n", pipeline.file.c_str(),
                  pipeline.name.c_str(), pipeline.nodes.size());
    }
  }
  // As of a run: one of one pipeline, a list of several.
  if (common.json) {
    std::printf("%s\n", json_text(list.size() == 1 ? list.front() : list).c_str());
  }
  return kSuccess;
}

int plan_command(const CommonOptions& common, const RunOptions& options) {
  int code = kSuccess;
  const auto workbench = open_workbench(common, true, code);
  if (workbench == nullptr) return code;
  OrderedJson list = OrderedJson::array();
  for (const auto* chosen :
       selected_pipelines(*workbench, options.select, common, code)) {
    const language::Pipeline& pipeline = *chosen;
    const auto planned = app::plan(*workbench, pipeline, make_run_request(options));
    if (!planned) return report_error(planned.error(), common.json), kUsage;
    for (const app::PlannedNode& node : *planned) {
      if (node.error) code = kUsage;
      list.push_back(to_json(node));
    }
    if (!common.json) print_plan(pipeline, *planned);
  }
  if (common.json) std::printf("%s\n", json_text(list).c_str());
  return code;
}

int run_command(const CommonOptions& common, const RunOptions& options) {
  app::RunRequest request = make_run_request(options);
  request.stop = stop_on_interrupt();
  int code = kSuccess;
  const auto workbench = open_workbench(common, true, code);
  if (workbench == nullptr) return code;
  const auto chosen = selected_pipelines(*workbench, options.select, common, code);
  std::vector<OrderedJson> shown_by(chosen.size(), OrderedJson::array());
  std::vector<int> ended(chosen.size(), kSuccess);
  const auto run_at = [&](std::size_t i) {
    ended[i] = run_one(*workbench, *chosen[i], common, request, shown_by[i]);
  };
  {
    std::vector<std::jthread> threads;  // pipelines that do not end run side by side
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      if (request.continuous && chosen.size() > 1) {
        threads.emplace_back([&run_at, i] { run_at(i); });
      } else {
        run_at(i);
      }
    }
  }
  OrderedJson results = OrderedJson::array();
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    for (OrderedJson& result : shown_by[i]) results.push_back(std::move(result));
    if (code == kSuccess || ended[i] == kFailure) {
      code = ended[i] == kSuccess ? code : ended[i];
    }
  }
  if (common.json) {
    const OrderedJson& shown = results.size() == 1 ? results.front() : results;
    std::printf("%s\n", json_text(shown).c_str());
  }
  return code;
}

int preview_command(const CommonOptions& common, const std::string& node,
                    std::int64_t rows_max) {
  int code = kSuccess;
  const auto workbench = open_workbench(common, true, code);
  if (workbench == nullptr) return code;
  const language::Pipeline* pipeline = pipeline_with(*workbench, node);
  if (pipeline == nullptr) {
    report_error(Error(ErrorCode::invalid,
                       "no pipeline of this project, or more than "
                       "one, has a node '" +
                           node + "'; name its pipeline after it"),
                 common.json);
    return kUsage;
  }
  const auto rows = app::preview(*workbench, *pipeline, node, rows_max);
  if (!rows && pipeline->find_node(node) == nullptr) {
    report_error(rows.error(), common.json);
    return kUsage;
  }
  if (!rows) return report_error(rows.error(), common.json);
  if (common.json) {
    std::printf("%s\n", rows_to_json(*rows).c_str());
  } else {
    print_table(stdout, *rows, 48);
  }
  return kSuccess;
}

int test_command(const CommonOptions& common, const std::vector<std::string>& names) {
  int code = kSuccess;
  CommonOptions options = common;
  options.with_test_files = true;
  const auto workbench = open_workbench(options, true, code);
  if (workbench == nullptr) return code;
  if (const auto unknown = unknown_test(workbench->pipelines(), names)) {
    report_error(*unknown, common.json);
    return kUsage;
  }
  std::size_t passed = 0;
  std::size_t failed = 0;
  OrderedJson list = OrderedJson::array();
  for (const language::Pipeline& pipeline : workbench->pipelines()) {
    const auto results = app::run_tests(*workbench, pipeline, names);
    if (!results) return report_error(results.error(), common.json);
    for (const flow::TestResult& result : *results) {
      ++(result.passed ? passed : failed);
      if (common.json) {
        list.push_back({{"test", result.name},
                        {"node", result.node},
                        {"passed", result.passed},
                        {"message", result.message},
                        {"note", result.note}});
        continue;
      }
      std::printf("%s  %s (node %s)%s%s\n", result.passed ? "ok    " : "FAILED",
                  result.name.c_str(), result.node.c_str(), result.passed ? "" : ": ",
                  result.message.c_str());
      if (!result.note.empty()) std::printf("        %s\n", result.note.c_str());
    }
  }
  if (common.json) {
    std::printf("%s\n", json_text(list).c_str());
  } else {
    std::printf("%zu passed, %zu failed\n", passed, failed);
  }
  return failed == 0 ? kSuccess : kFailure;
}

int graph_command(const CommonOptions& common) {
  int code = kSuccess;
  CommonOptions options = common;
  options.allow_missing_parameters = true;
  const auto workbench = open_workbench(options, true, code);
  if (workbench == nullptr) return code;
  for (const language::Pipeline& pipeline : workbench->pipelines()) {
    std::fputs(app::mermaid(pipeline).c_str(), stdout);
  }
  return kSuccess;
}

int schema_command(bool markdown) {
  if (markdown) {
    std::fputs(language::reference_markdown().c_str(), stdout);
  } else {
    std::printf("%s\n", language::json_schema().dump(2).c_str());
  }
  return kSuccess;
}

}  // namespace lakemill::cli
