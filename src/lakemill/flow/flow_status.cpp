#include "lakemill/flow/flow_status.h"

#include <algorithm>

#include "lakemill/flow/node_query.h"
#include "lakemill/flow/node_sinks.h"

namespace lakemill::flow {

namespace {

const SourceSlice* slice_of(const std::optional<BatchPlan>& plan,
                            const std::string& source) {
  if (!plan) return nullptr;
  for (const SourceSlice& slice : plan->slices) {
    if (slice.source == source) return &slice;
  }
  return nullptr;
}

// As the last batch read them; as declared before the first.
Reading reading_of(const std::optional<BatchPlan>& plan) {
  const bool whole = plan && !plan->slices.empty() &&
                     std::none_of(plan->slices.begin(), plan->slices.end(),
                                  [](const auto& slice) { return slice.incremental; });
  return whole ? Reading::whole : Reading::as_declared;
}

SourceStatus status_of(Leaf& leaf, const std::optional<BatchPlan>& plan) {
  SourceStatus status;
  status.source = leaf.id;
  status.upstream = leaf.upstream_node;
  status.incremental = leaf.incremental();
  if (leaf.source == nullptr) return status;  // nothing is there yet
  const SourceSlice* slice = slice_of(plan, leaf.id);
  const bool same_kind = slice != nullptr && slice->incremental == status.incremental;
  auto lag = leaf.source->lag(same_kind ? slice->to : sources::Offset());
  if (lag) {
    status.lag = *std::move(lag);
  } else {
    status.error = std::move(lag).error();
  }
  return status;
}

// What the generation behind the one that the tables hold is to be.
Result<Underway> underway_in(FlowState& state, std::int64_t generation) {
  LAKEMILL_TRY(const auto plan, state.find_plan(generation, 1));
  if (plan && !plan->replace_where.empty()) return Underway::backfill;
  if (plan && plan->copy_of > 0) return Underway::replay;
  return Underway::refresh;
}

// What the primary sink holds; by the flow's own note where it cannot tell.
Status find_batch(const Workspace& workspace, const language::Node& node,
                  FlowState& state, FlowStatus& status) {
  SinkPurpose purpose;
  purpose.generation = status.generation;
  LAKEMILL_TRY(auto sinks, open_sinks(workspace, node, state, purpose));
  NodeSink& primary = sinks.back();
  status.target = primary.place.name;
  if (!primary.remembers) {
    LAKEMILL_TRY(auto noted, state.last_done(status.generation));
    if (!noted && status.generation > 0) {
      LAKEMILL_TRY(const std::int64_t before,
                   state.generation_before(status.generation));
      LAKEMILL_TRY(noted, state.last_done(before));
      if (noted) status.generation = before;
    }
    status.batch = noted.value_or(0);
    return {};
  }
  LAKEMILL_TRY(const auto held, primary.sink->last_batch(flow_id(workspace, node)));
  if (held) {
    status.generation = generation_of(*held);
    status.batch = number_of(*held);
  }
  if (!primary.place.is_delta) return {};
  LAKEMILL_TRY(const auto table, open_table(workspace, primary.place));
  const auto snapshot = table->latest();
  if (snapshot) {
    status.version = (*snapshot)->version();
  } else if (snapshot.error().code() != ErrorCode::not_found) {
    return snapshot.error();
  }
  return {};
}

}  // namespace

std::string_view to_text(Underway underway) {
  switch (underway) {
    case Underway::nothing:
      return "";
    case Underway::backfill:
      return "backfill";
    case Underway::replay:
      return "replay";
    case Underway::refresh:
      return "refresh";
  }
  return "";
}

Result<FlowStatus> flow_status(const Workspace& workspace, const language::Node& node) {
  FlowStatus status;
  status.node = node.name;
  FlowState state = flow_state(workspace, node);
  LAKEMILL_TRY(const std::int64_t newest, state.newest_generation());
  status.generation = newest;
  LAKEMILL_TRY_OK(find_batch(workspace, node, state, status));
  if (newest > status.generation) {
    LAKEMILL_TRY(status.underway, underway_in(state, newest));
  }
  std::optional<BatchPlan> plan;
  if (status.batch > 0) {
    LAKEMILL_TRY(plan, state.find_plan(status.generation, status.batch));
  }
  LAKEMILL_TRY(const auto next, state.find_plan(status.generation, status.batch + 1));
  status.batch_planned = next.has_value();
  if (plan) {
    status.strategy = plan->strategy;
    status.at = plan->now;
    status.run_id = plan->run_id;
  }
  LAKEMILL_TRY(const auto query,
               NodeQuery::open(workspace, node, state, reading_of(plan),
                               plan ? &*plan : nullptr));
  for (Leaf& leaf : query->leaves()) status.sources.push_back(status_of(leaf, plan));
  return status;
}

}  // namespace lakemill::flow
