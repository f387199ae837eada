#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/flow/workspace.h"

namespace lakemill::flow {

/// One source of a flow: how far it was read, and what waits in it.
struct SourceStatus {
  std::string source;
  std::string upstream;      ///< the node whose output it is, or empty
  bool incremental = false;  ///< else it is read as a whole
  sources::Lag lag;
  std::optional<Error> error;  ///< why it cannot be told
};

/// A generation that was begun and that the primary sink does not hold yet: on its way,
/// or left by a crash; the next run completes it.
enum class Underway : std::uint8_t {
  nothing,
  backfill,  ///< of a range of rows
  replay,    ///< from the middle
  refresh,   ///< from the beginning: a full refresh, or a replay
};

/// "", "backfill", "replay", "refresh".
std::string_view to_text(Underway underway);

/// Where a flow stands, by its tables and its plans.
struct FlowStatus {
  std::string node;
  std::string target;
  std::optional<Strategy> strategy;  ///< of the last batch; nothing before the first
  std::int64_t generation = 0;
  std::int64_t batch = 0;      ///< the last that the primary sink holds; 0: none
  bool batch_planned = false;  ///< the one after it was planned and is not done
  Underway underway = Underway::nothing;
  std::optional<Instant> at;  ///< the instant of the last batch
  std::string run_id;         ///< that made it
  std::int64_t version = -1;  ///< of the primary sink's table
  std::vector<SourceStatus> sources;
};

/// Looks, and writes nothing: neither plans nor the numbers of new files. `node` has a
/// sink. Errors: those of the store and of find_plan().
Result<FlowStatus> flow_status(const Workspace& workspace, const language::Node& node);

}  // namespace lakemill::flow
