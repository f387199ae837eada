#include <array>
#include <condition_variable>
#include <cstdio>
#include <mutex>

#include "lakemill/app/status.h"
#include "lakemill/cli/commands.h"
#include "lakemill/cli/output.h"

namespace lakemill::cli {

namespace {

constexpr std::chrono::seconds kLookEvery{2};
constexpr std::size_t kErrorWidthMax = 72;

data::Field text_column(std::string name) {
  return {std::move(name), data::make_type(data::TypeKind::string)};
}

std::string bytes_text(std::int64_t bytes) {
  constexpr std::array kUnits = {"B", "kB", "MB", "GB", "TB"};
  auto size = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (size >= 1000 && unit + 1 < kUnits.size()) {
    size /= 1000;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", size,
                kUnits[unit]);
  return text.data();
}

std::string seconds_text(double seconds) {
  std::array<char, 32> text{};
  if (seconds < 120) {
    std::snprintf(text.data(), text.size(), "%.0f s", seconds);
  } else if (seconds < 7200) {
    std::snprintf(text.data(), text.size(), "%.0f min", seconds / 60);
  } else {
    std::snprintf(text.data(), text.size(), "%.0f h", seconds / 3600);
  }
  return text.data();
}

// "1 file", "3 files".
std::string count_text(std::int64_t count, std::string units) {
  if (count == 1 && units.ends_with('s')) units.pop_back();
  return with_thousands(count) + " " + units;
}

void add_part(std::string& text, const std::string& part) {
  if (part.empty()) return;
  if (!text.empty()) text += ", ";
  text += part;
}

// "orders: version 7", or only the position where there is one source.
std::string offsets_text(const flow::FlowStatus& flow) {
  std::string text;
  for (const flow::SourceStatus& source : flow.sources) {
    const std::string name = source.upstream.empty() ? source.source : source.upstream;
    const std::string position =
        source.lag.position.empty() ? "-" : source.lag.position;
    add_part(text, flow.sources.size() == 1 ? position : name + ": " + position);
  }
  return text;
}

std::string lag_text(const app::NodeStatusLine& line) {
  std::string text;
  bool any = false;
  for (const flow::SourceStatus& source : line.flow.sources) {
    if (source.error) add_part(text, source.source + ": " + source.error->message());
    if (!source.lag.entries && !source.lag.bytes) continue;
    any = true;
    if (source.lag.entries.value_or(0) > 0) {
      add_part(text, count_text(*source.lag.entries, source.lag.unit));
    }
  }
  const app::LagTotal total = app::total_lag(line.flow);
  if (total.rows.value_or(0) > 0) add_part(text, count_text(*total.rows, "rows"));
  if (total.bytes.value_or(0) > 0) add_part(text, bytes_text(*total.bytes));
  if (line.lag_seconds > 0) add_part(text, seconds_text(line.lag_seconds));
  if (text.empty()) return any ? "none" : "-";
  return text;
}

std::string batch_text(const flow::FlowStatus& flow) {
  if (flow.batch == 0) return flow.batch_planned ? "1 planned" : "-";
  std::string text = std::to_string(flow.batch);
  if (flow.generation > 0) text += " of generation " + std::to_string(flow.generation);
  if (flow.underway != flow::Underway::nothing) {
    text += ", " + std::string(to_text(flow.underway)) + " begun";
  }
  return text;
}

std::string error_text(const app::NodeStatusLine& line) {
  if (line.error) return line.error->message();
  if (line.last_error.empty()) return "";
  std::string text = line.is_failing ? "failing: " : "";
  if (line.last_error_at)
    text += format_instant(*line.last_error_at).substr(0, 19) + "Z ";
  return text + line.last_error;
}

void print_lines(const std::string& pipeline,
                 const std::vector<app::NodeStatusLine>& lines) {
  data::Rows rows;
  for (const char* column :
       {"node", "strategy", "batch", "at", "read to", "lag", "rows/s", "last error"}) {
    rows.schema.fields.push_back(text_column(column));
  }
  for (const app::NodeStatusLine& line : lines) {
    const flow::FlowStatus& flow = line.flow;
    std::array<char, 32> rate{};
    if (line.rows_per_second) {
      std::snprintf(rate.data(), rate.size(), "%.0f", *line.rows_per_second);
    }
    rows.rows.push_back(
        {flow.node, flow.strategy ? std::string(to_text(*flow.strategy)) : "-",
         batch_text(flow), flow.at ? format_instant(*flow.at).substr(0, 19) + "Z" : "-",
         offsets_text(flow), lag_text(line),
         line.rows_per_second ? std::string(rate.data()) : "-", error_text(line)});
  }
  std::printf("pipeline %s\n\n", pipeline.c_str());
  print_table(stdout, rows, is_terminal(stdout) ? kErrorWidthMax : 0);
}

Json number_or_null(const std::optional<std::int64_t>& number) {
  return number ? Json(*number) : Json();
}

OrderedJson to_json(const std::string& pipeline, const app::NodeStatusLine& line) {
  const flow::FlowStatus& flow = line.flow;
  OrderedJson sources = OrderedJson::array();
  for (const flow::SourceStatus& source : flow.sources) {
    sources.push_back(
        {{"source", source.source},
         {"upstream", source.upstream},
         {"incremental", source.incremental},
         {"position", source.lag.position},
         {"end", source.lag.end},
         {"unit", source.lag.unit},
         {"entries", number_or_null(source.lag.entries)},
         {"rows", number_or_null(source.lag.rows)},
         {"bytes", number_or_null(source.lag.bytes)},
         {"error", source.error ? Json(source.error->message()) : Json()}});
  }
  const app::LagTotal total = app::total_lag(flow);
  return {
      {"pipeline", pipeline},
      {"node", flow.node},
      {"target", flow.target},
      {"strategy", flow.strategy ? Json(std::string(to_text(*flow.strategy))) : Json()},
      {"generation", flow.generation},
      {"batch", flow.batch},
      {"batch_planned", flow.batch_planned},
      {"underway", flow.underway == flow::Underway::nothing
                       ? Json()
                       : Json(std::string(to_text(flow.underway)))},
      {"at", flow.at ? Json(format_instant(*flow.at)) : Json()},
      {"run_id", flow.run_id},
      {"version", flow.version < 0 ? Json() : Json(flow.version)},
      {"lag_rows", number_or_null(total.rows)},
      {"lag_bytes", number_or_null(total.bytes)},
      {"lag_seconds", line.lag_seconds},
      {"rows_per_second", line.rows_per_second ? Json(*line.rows_per_second) : Json()},
      {"failing", line.is_failing},
      {"last_error", line.last_error.empty() ? Json() : Json(line.last_error)},
      {"last_error_at",
       line.last_error_at ? Json(format_instant(*line.last_error_at)) : Json()},
      {"error", line.error ? Json(line.error->message()) : Json()},
      {"sources", std::move(sources)}};
}

// Looks once at all pipelines; the exit code.
int show_status(app::Workbench& workbench, const CommonOptions& common,
                const StatusOptions& options) {
  OrderedJson list = OrderedJson::array();
  for (const language::Pipeline& pipeline : workbench.pipelines()) {
    const auto lines = app::status(workbench, pipeline, options.select);
    if (!lines) return report_error(lines.error(), common.json);
    if (!common.json) {
      print_lines(pipeline.name, *lines);
      continue;
    }
    for (const app::NodeStatusLine& line : *lines) {
      list.push_back(to_json(pipeline.name, line));
    }
  }
  if (common.json) std::printf("%s\n", json_text(list).c_str());
  std::fflush(stdout);
  return kSuccess;
}

}  // namespace

int status_command(const CommonOptions& common, const StatusOptions& options) {
  const std::stop_token stop = options.follow ? stop_on_interrupt() : std::stop_token();
  int code = kSuccess;
  CommonOptions loaded = common;
  loaded.allow_missing_parameters = true;
  const auto workbench = open_workbench(loaded, true, code);
  if (workbench == nullptr) return code;
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  const bool clears = options.follow && !common.json && is_terminal(stdout);
  while (true) {
    if (clears) std::fputs("\033[H\033[2J", stdout);
    code = show_status(*workbench, common, options);
    if (!options.follow || code != kSuccess) return code;
    if (!clears && !common.json) std::fputs("\n", stdout);
    stopped.wait_for(lock, stop, kLookEvery, [] { return false; });
    if (stop.stop_requested()) return kSuccess;
  }
}

}  // namespace lakemill::cli
