#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "lakemill/flow/workspace.h"
#include "lakemill/sinks/sink.h"

namespace lakemill::flow {

/// One sink of a node, opened for a batch.
struct NodeSink {
  const language::Sink* spec = nullptr;
  Place place;
  std::unique_ptr<sinks::Sink> sink;
  bool is_primary = false;
  bool remembers =
      true;  ///< false: a single file, which cannot tell the batch that it holds
  bool lacks_last =
      false;  ///< there was a batch before this one: it was not written to
};

struct SinkPurpose {
  Strategy strategy = Strategy::replace;
  std::int64_t generation = 0;
  bool starts_over =
      false;  ///< the first batch of a generation that replaces an older one
  bool reads_whole = true;    ///< no source is read by what is new
  std::string adopt_app_id;   ///< `run --adopt`, or empty
  std::string replace_where;  ///< of a backfill's plan, or empty
  std::int64_t follows = 0;   ///< likewise, or 0
  bool copies_rows = false;   ///< of a replay: rows as they were, whatever made them
  /// The transaction version of the batch before this one, and the URLs of the sinks
  /// that held it when this one was decided.
  std::int64_t follows_batch = 0;
  std::set<std::string> holding;
  ChangeStates change_states;  ///< of the plan
};

/// What a plan says of it; the rest is the runner's.
SinkPurpose purpose_of(const BatchPlan& plan);

/// The sinks of a node in the order in which they commit: quarantine, others, the
/// primary one last. View sinks are left out. Errors: invalid, denied.
Result<std::vector<NodeSink>> open_sinks(const Workspace& workspace,
                                         const language::Node& node, FlowState& state,
                                         const SinkPurpose& purpose);

/// True if something is at the sink's place. Errors: denied, unavailable.
Result<bool> target_exists(const Workspace& workspace, const Place& place);

/// What the modes of a node's sinks say of targets that are there when a run starts:
/// true if the run leaves them alone (IGNORE). Errors: invalid (ERROR), with the sink's
/// place.
Result<bool> leaves_targets_alone(const Workspace& workspace,
                                  const language::Node& node);

}  // namespace lakemill::flow
