#pragma once

#include <string>
#include <vector>

#include "lakemill/flow/node_runner.h"

namespace lakemill::flow {

/// Which rows of a node a backfill derives again.
struct BackfillRange {
  std::string column;  ///< empty: the node's time_column
  std::string from;    ///< in the column's type; empty: no lower end
  std::string to;      ///< not included; empty: no upper end
  std::string where;   ///< SQL over the node's columns, or empty
};

/// Derives the rows of a range again from all that the flow has read, by the node's
/// definition as it is now, and replaces those of the targets: the first batch of a new
/// generation of the flow, which reads nothing new. What reads the targets as a stream
/// then begins anew. Errors: invalid (the node is BRONZE, reads outside,
/// merges, or is recomputed as a whole; no such column), unavailable (a batch is half
/// done).
Result<NodeReport> run_backfill(const Workspace& workspace, const language::Node& node,
                                const BackfillRange& range,
                                const NodeRunOptions& options);

/// The nodes that a backfill without a node is of: those with a `time_column` that can
/// be filled in by their declaration, but none behind another of them. Errors: invalid
/// (there is none).
Result<std::vector<std::string>> backfilled_nodes(const language::Pipeline& pipeline);

}  // namespace lakemill::flow
