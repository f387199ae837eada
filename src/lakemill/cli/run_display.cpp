#include "lakemill/cli/run_display.h"

#include <algorithm>
#include <cstdio>

#include "lakemill/cli/output.h"

namespace lakemill::cli {

namespace {

constexpr int kBarWidth = 24;
constexpr std::chrono::milliseconds kDrawEvery{100};

std::string seconds_text(double seconds) {
  char text[32];
  if (seconds < 90) {
    std::snprintf(text, sizeof text, "%.0f s", seconds);
  } else {
    std::snprintf(text, sizeof text, "%.0f min", seconds / 60);
  }
  return text;
}

}  // namespace

std::string bar_line(const std::string& node, const engine::Progress& progress,
                     double seconds) {
  const double fraction = std::clamp(progress.fraction, 0.0, 1.0);
  const int filled = static_cast<int>(fraction * kBarWidth);
  std::string bar;
  for (int i = 0; i < kBarWidth; ++i) bar += i < filled ? "█" : "░";
  char tail[160];
  std::snprintf(tail, sizeof tail, " %3d%%  %s rows", static_cast<int>(fraction * 100),
                with_thousands(progress.rows_done).c_str());
  std::string line = "  " + node + "  " + bar + tail;
  if (progress.bytes_total > 0 && seconds > 0) {
    const double bytes = fraction * static_cast<double>(progress.bytes_total);
    std::snprintf(tail, sizeof tail, "  %.1f MB/s", bytes / seconds / 1e6);
    line += tail;
  }
  if (fraction > 0.02) {  // before that nobody can tell
    line += "  " + seconds_text(seconds / fraction - seconds) + " left";
  }
  return line;
}

namespace {

// A node that did not come to a decision has no strategy to show.
std::string strategy_text(const flow::NodeReport& node) {
  const bool decided =
      node.strategy != flow::Strategy::skip || node.status == flow::NodeStatus::skipped;
  return decided ? std::string(to_text(node.strategy)) : "-";
}

std::string finished_line(const flow::NodeReport& report) {
  std::string line = report.node + ": " + std::string(to_text(report.status));
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.2f s", report.seconds);
  if (report.status == flow::NodeStatus::succeeded) {
    line += ", " + std::string(to_text(report.strategy)) + ", " +
            with_thousands(report.written_rows) +
            (report.written_rows == 1 ? " row written, " : " rows written, ") + seconds;
  } else if (report.status == flow::NodeStatus::skipped) {
    line += " (" + std::string(explain(report.reason)) + ")";
  }
  if (report.error) line += "\n  error: " + report.error->message();
  for (const flow::ExpectationResult& result : report.expectations) {
    if (result.status == flow::ExpectationStatus::passed) continue;
    line += "\n  " + std::string(to_text(result.status)) + ": " + result.message;
  }
  for (const sources::Notice& notice : report.notices) {
    line += "\n  notice: " + notice.message;
  }
  if (!report.engine_notice.empty()) line += "\n  notice: " + report.engine_notice;
  for (const std::string& change : report.schema_changes)
    line += "\n  schema: " + change;
  return line;
}

}  // namespace

RunDisplay::RunDisplay(bool quiet) : quiet_(quiet), terminal_(is_terminal(stderr)) {}

RunDisplay::~RunDisplay() {
  const std::lock_guard lock(mutex_);
  erase();
}

void RunDisplay::on_node_started(const language::Node& node) {
  if (quiet_) return;
  const std::lock_guard lock(mutex_);
  bars_[node.name] = {{}, std::chrono::steady_clock::now()};
  if (terminal_) redraw();
}

void RunDisplay::on_node_progress(const language::Node& node,
                                  const engine::Progress& progress) {
  if (quiet_ || !terminal_) return;
  const std::lock_guard lock(mutex_);
  const auto found = bars_.find(node.name);
  if (found == bars_.end()) return;
  found->second.progress = progress;
  if (std::chrono::steady_clock::now() - last_draw_ >= kDrawEvery) redraw();
}

void RunDisplay::on_node_finished(const language::Node& node,
                                  const flow::NodeReport& report) {
  if (quiet_) return;
  const std::lock_guard lock(mutex_);
  bars_.erase(node.name);
  erase();
  std::fprintf(stderr, "%s\n", finished_line(report).c_str());
  if (terminal_) redraw();
}

void RunDisplay::on_node_retry(const language::Node& node, const Error& error,
                               std::chrono::milliseconds delay) {
  if (quiet_) return;
  const std::lock_guard lock(mutex_);
  bars_.erase(node.name);
  erase();
  std::fprintf(stderr, "%s: failed, again in %.1f s\n  error: %s\n", node.name.c_str(),
               static_cast<double>(delay.count()) / 1000, error.message().c_str());
  if (terminal_) redraw();
}

void RunDisplay::erase() {
  for (; drawn_ > 0; --drawn_) std::fputs("\x1b[1A\x1b[2K", stderr);
}

void RunDisplay::redraw() {
  erase();
  const auto now = std::chrono::steady_clock::now();
  for (const auto& [name, bar] : bars_) {
    const double seconds = std::chrono::duration<double>(now - bar.begin).count();
    std::fprintf(stderr, "%s\n", bar_line(name, bar.progress, seconds).c_str());
    ++drawn_;
  }
  last_draw_ = now;
}

void print_summary(const app::PipelineRun& run) {
  data::Rows rows;
  const auto text = data::make_type(data::TypeKind::string);
  const auto number = data::make_type(data::TypeKind::int64);
  rows.schema.fields = {{"node", text},
                        {"status", text},
                        {"strategy", text},
                        {"rows in", number},
                        {"kept", number},
                        {"dropped", number},
                        {"quarantined", number},
                        {"written", number},
                        {"seconds", data::make_type(data::TypeKind::float64)},
                        {"version", number}};
  const auto& nodes = run.report.nodes;
  const bool any_rejected =
      std::any_of(nodes.begin(), nodes.end(),
                  [](const flow::NodeReport& node) { return node.rejected_rows > 0; });
  constexpr std::size_t kRejectedAt = 7;  // behind what was quarantined
  if (any_rejected) {
    rows.schema.fields.insert(rows.schema.fields.begin() + kRejectedAt,
                              {"rejected", number});
  }
  for (const flow::NodeReport& node : nodes) {
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%.2f", node.seconds);
    rows.rows.push_back(
        {node.node, std::string(to_text(node.status)), strategy_text(node),
         node.input_rows, node.kept_rows, node.dropped_rows, node.quarantined_rows,
         node.written_rows, std::string(seconds),
         node.version < 0 ? data::Value(std::string("-")) : data::Value(node.version)});
    if (any_rejected) {
      auto& row = rows.rows.back();
      row.insert(row.begin() + kRejectedAt, data::Value(node.rejected_rows));
    }
  }
  std::printf("\n");
  print_table(stdout, rows, 48);
  std::printf("\npipeline %s, run %s: %s in %.2f s\n", run.pipeline.c_str(),
              run.run_id.c_str(),
              run.report.succeeded()   ? "succeeded"
              : run.report.cancelled() ? "cancelled"
                                       : "failed",
              run.report.seconds);
}

}  // namespace lakemill::cli
