#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "lakemill/events/event.h"

namespace lakemill::app {

/// What a node did in a run, as far as events tell.
struct NodePicture {
  std::string node;
  /// "running", "succeeded", "skipped", "failed", "blocked" (something before it
  /// failed), "cancelled".
  std::string status;
  std::string run_id;
  std::optional<Instant> started_at;
  std::optional<Instant> ended_at;
  std::optional<std::int64_t> rows_written;
  std::string message;  ///< of a failure
};

/// The nodes of one run, in the order in which they started.
using RunPicture = std::vector<NodePicture>;

/// Puts what `event` tells of a node into `picture`; others change nothing.
void add_event(RunPicture& picture, const events::Event& event);

/// What the events of this process come to: the nodes of its newest runs, and the newest
/// of each node.
///
/// Thread-safe.
class LivePicture {
 public:
  static constexpr std::size_t kRunsMax = 500;

  void add(const events::Event& event);

  /// Nothing: no run of this process, or too long ago.
  std::optional<RunPicture> run(const std::string& run_id) const;
  /// Of each node what it did when it last ran; those that did not run are not in it.
  std::map<std::string, NodePicture> nodes_of(const std::string& pipeline) const;
  /// Puts in what happened to a pipeline before this process, where nothing is known.
  void add_past(const std::string& pipeline, const RunPicture& picture);

 private:
  mutable std::mutex mutex_;
  std::map<std::string, RunPicture> runs_;  // by run id; guarded by mutex_
  std::deque<std::string> run_order_;       // the oldest first; guarded by mutex_
  /// By pipeline and node; guarded by mutex_.
  std::map<std::string, std::map<std::string, NodePicture>> newest_;
};

}  // namespace lakemill::app
