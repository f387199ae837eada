#pragma once

#include <functional>
#include <optional>
#include <stop_token>

#include "lakemill/flow/node_query.h"
#include "lakemill/flow/node_report.h"
#include "lakemill/flow/node_sinks.h"

namespace lakemill::flow {

using ProgressCallback = std::function<void(const engine::Progress&)>;

/// Hears of each commit once it stands; never waits for storage.
using CommitCallback = std::function<void(const TableCommit&)>;
/// Hears of a batch that is planned, before it is computed.
using PlanCallback = std::function<void(const BatchPlan&)>;

/// A node's rows, bound in a session.
struct BoundRows {
  std::unique_ptr<engine::Session> session;
  std::string relation;
  engine::QueryShape shape;
};

/// Opens a session for `plan` and binds the rows of `query` in it.
Result<BoundRows> bind_rows(const Workspace& workspace, NodeQuery& query,
                            const BatchPlan& plan, const ExpectedSchemas& expected,
                            engine::SessionOptions options);

/// One batch of one node: read, transform, check, write, commit. Adds what it did to
/// `report`. Nothing is visible unless every check that may fail the batch holds.
struct BatchRun {
  const Workspace& workspace;
  const language::Node& node;
  const BatchPlan& plan;
  NodeQuery& query;
  std::vector<NodeSink>& sinks;
  FlowState& state;
  std::string run_id;
  std::stop_token stop;
  ProgressCallback on_progress;
  PlanCallback on_plan;
  CommitCallback on_commit;
  std::optional<BoundRows> bound;  ///< the plan's rows, if they are bound already
};

/// Whether what was read for `plan` still is what it was. Errors: invalid, naming what
/// changed; those of the stores.
Status recheck_sources(const BatchPlan& plan, NodeQuery& query);

/// Errors: those of sources, engine and sinks; exists (another runner planned this
/// batch otherwise, and was first: decide anew). An expectation that fails the batch is
/// no error: report.status says it.
Status run_batch(BatchRun& run, NodeReport& report);

}  // namespace lakemill::flow
