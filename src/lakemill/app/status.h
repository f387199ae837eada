#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lakemill/app/workbench.h"
#include "lakemill/flow/flow_status.h"

namespace lakemill::app {

/// One flow as `lakemill status` shows it.
struct NodeStatusLine {
  flow::FlowStatus flow;
  std::optional<Error> error;             ///< why its state cannot be told
  double lag_seconds = 0;                 ///< since when the oldest unread entry waits
  std::optional<double> rows_per_second;  ///< of the last batches
  bool is_failing = false;                ///< its newest event is a failure or a retry
  std::string last_error;
  std::optional<Instant> last_error_at;
};

/// How many of a node's newest rounds with batches its rate is taken from.
inline constexpr int kRateRounds = 10;

/// The flows of a pipeline in document order; views have none. From tables, plans and
/// the event log; writes nothing, asks a server only for the end of its log.
/// Errors: those of the store.
Result<std::vector<NodeStatusLine>> status(Workbench& workbench,
                                           const language::Pipeline& pipeline,
                                           const std::vector<std::string>& selectors);

/// The sum over a flow's sources; nothing where no source tells.
struct LagTotal {
  std::optional<std::int64_t> rows;
  std::optional<std::int64_t> bytes;
};
LagTotal total_lag(const flow::FlowStatus& flow);

}  // namespace lakemill::app
