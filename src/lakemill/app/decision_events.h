#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>

#include "lakemill/events/event_writer.h"
#include "lakemill/orchestrator/journal_entry.h"

namespace lakemill::app {

/// Tells the event log of the decisions that this process makes about runs. What begins
/// and ends a run's work is told by the run itself (RunEvents).
///
/// Thread-safe.
class DecisionEvents {
 public:
  /// Requests whose events are remembered.
  static constexpr std::size_t kRequestsMax = 10'000;

  explicit DecisionEvents(events::EventWriter& writer) : writer_(writer) {}

  void tell(const std::string& pipeline, const orchestrator::JournalEntry& entry);

  /// The event that told of the request of a run; empty where another process did, or
  /// long ago.
  std::string request_of(const std::string& run_id) const;

 private:
  events::EventWriter& writer_;
  mutable std::mutex mutex_;
  std::map<std::string, std::string> requests_;  // by run id; guarded by mutex_
  std::deque<std::string> request_order_;        // the oldest first; guarded by mutex_
};

}  // namespace lakemill::app
