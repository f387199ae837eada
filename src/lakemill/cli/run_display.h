#pragma once

#include <map>
#include <mutex>
#include <string>

#include "lakemill/app/run.h"

namespace lakemill::cli {

/// Shows a run: a bar per node on a terminal, plain lines elsewhere, nothing with
/// `quiet`. Everything goes to standard error, so that standard output stays for
/// results.
///
/// Thread-safety: as RunObserver.
class RunDisplay final : public flow::RunObserver {
 public:
  explicit RunDisplay(bool quiet);
  ~RunDisplay() override;

  bool wants_progress() const override { return !quiet_ && terminal_; }
  void on_node_started(const language::Node& node) override;
  void on_node_progress(const language::Node& node,
                        const engine::Progress& progress) override;
  void on_node_finished(const language::Node& node,
                        const flow::NodeReport& report) override;
  void on_node_retry(const language::Node& node, const Error& error,
                     std::chrono::milliseconds delay) override;

 private:
  struct Bar {
    engine::Progress progress;
    std::chrono::steady_clock::time_point begin;
  };
  void erase();   // with mutex_ held
  void redraw();  // with mutex_ held

  const bool quiet_;
  const bool terminal_;
  std::mutex mutex_;
  std::map<std::string, Bar> bars_;  // guarded by mutex_
  std::size_t drawn_ = 0;            // lines on the screen; guarded by mutex_
  std::chrono::steady_clock::time_point last_draw_;  // guarded by mutex_
};

/// A node's bar: how far it is, rows, megabytes a second of what it reads, and how long
/// it still takes; what cannot be told yet is left out.
std::string bar_line(const std::string& node, const engine::Progress& progress,
                     double seconds);

/// The summary at the end of a run: a line per node.
void print_summary(const app::PipelineRun& run);

}  // namespace lakemill::cli
