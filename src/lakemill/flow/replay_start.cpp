#include "lakemill/flow/replay_start.h"

#include <algorithm>
#include <charconv>

#include "lakemill/base/text.h"
#include "lakemill/flow/batch_runner.h"
#include "lakemill/flow/change_states.h"
#include "lakemill/flow/flow_position.h"
#include "lakemill/flow/node_frames.h"
#include "lakemill/sinks/table_sink.h"
#include "lakemill/sources/postgres/lsn.h"

namespace lakemill::flow {

namespace {

constexpr std::size_t kCommitsMax = 1'000'000;  // of a table's log, looked through

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

// An arrival, a position of PostgreSQL, or a `_source_offset` of either.
bool parse_offset(const std::string& text, ReplayStart& start) {
  constexpr std::size_t kArrivalDigits = 12;
  constexpr std::size_t kLsnDigits = 16;
  const std::size_t slash = text.find('/');
  const std::string head = text.substr(0, slash);
  const bool alone = slash == std::string::npos;
  if (alone || slash == kArrivalDigits) {
    const auto arrival = parse_number(head);
    if (arrival) start.number = *arrival;
    return arrival.has_value();
  }
  const auto lsn = slash == kLsnDigits ? sources::postgres::parse_hex(head)
                                       : sources::postgres::parse_lsn(text);
  if (lsn) start.lsn = sources::postgres::to_hex(*lsn);
  return lsn.has_value();
}

// The furthest that `plan` read of `member` in any of its incremental slices.
std::int64_t reached(const BatchPlan& plan, std::string_view member) {
  std::int64_t furthest = -1;
  for (const SourceSlice& slice : plan.slices) {
    if (!slice.incremental) continue;
    furthest = std::max(furthest, integer_member(slice.to, member, -1));
  }
  return furthest;
}

bool covers(const BatchPlan& plan, const ReplayStart& start) {
  switch (start.kind) {
    case ReplayStart::Kind::beginning:
      return true;
    case ReplayStart::Kind::batch:
      return plan.number >= start.number;
    case ReplayStart::Kind::version:
      return reached(plan, "version") >= start.number;
    case ReplayStart::Kind::timestamp:
      return plan.now >= start.instant;
    case ReplayStart::Kind::offset:
      break;
  }
  if (start.lsn.empty()) return reached(plan, "arrival") >= start.number;
  return std::any_of(plan.slices.begin(), plan.slices.end(), [&](const auto& slice) {
    return string_member(slice.to, "lsn", "") >= start.lsn;
  });
}

Result<BatchPlan> plan_at(FlowState& state, std::int64_t generation,
                          std::int64_t number) {
  LAKEMILL_TRY(auto plan, state.find_plan(generation, number));
  if (plan) return *std::move(plan);
  return Error(ErrorCode::corrupt,
               "the plan of batch " + std::to_string(number) + " in " + state.url("") +
                   " is no longer there: replay from a later point, or "
                   "from the beginning");
}

// The first of the batches 1 .. done that covers `start`; done + 1 if none does. What
// batches cover only grows.
Result<std::int64_t> first_covering(FlowState& state, std::int64_t generation,
                                    std::int64_t done, const ReplayStart& start) {
  std::int64_t low = 1;
  std::int64_t high = done + 1;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    LAKEMILL_TRY(const auto plan, state.find_plan(generation, middle));
    if (plan && covers(*plan, start)) {  // old plans are forgotten
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

// The newest version of a table that holds nothing of the flow behind that batch.
Result<std::optional<delta::Version>> version_after(delta::Table& table,
                                                    const std::string& app_id,
                                                    std::int64_t generation,
                                                    std::int64_t number) {
  auto history = table.history(kCommitsMax);
  if (!history) {
    if (history.error().code() == ErrorCode::not_found) {
      return std::optional<delta::Version>();
    }
    return std::move(history).error();
  }
  for (const delta::HistoryEntry& entry : *history) {
    const Json* ours = find_member(entry.commit_info, "lakemill");
    if (ours == nullptr || string_member(*ours, "flow", "") != app_id ||
        integer_member(*ours, "generation", -1) != generation) {
      continue;
    }
    const std::int64_t batch = integer_member(*ours, "batch", -1);
    if (batch >= 1 && batch <= number) return std::optional(entry.version);
  }
  return std::optional<delta::Version>();
}

// An offset of the upstream node's source as the version of its table that holds it.
Result<ReplayStart> as_version(const Workspace& workspace, const language::Node& node,
                               const ReplayStart& start) {
  const auto read = nodes_read_by(node);
  const language::Node* upstream =
      read.size() == 1 ? workspace.pipeline.find_node(read.front()) : nullptr;
  if (upstream == nullptr || upstream->is_view()) {
    return Error(ErrorCode::invalid,
                 "--from " + start.text + ": node " + node.name +
                     " does not read one other node alone, so the offset does not say "
                     "where; use version:N or timestamp:T");
  }
  FlowState state = flow_state(workspace, *upstream);
  LAKEMILL_TRY(const FlowPosition position, find_position(workspace, *upstream, state));
  LAKEMILL_TRY(const std::int64_t batch,
               first_covering(state, position.generation, position.done, start));
  ReplayStart version = start;
  version.kind = ReplayStart::Kind::version;
  LAKEMILL_TRY(const Place place,
               place_of(workspace, *upstream, *upstream->primary_sink()));
  LAKEMILL_TRY(const auto table, open_table(workspace, place));
  LAKEMILL_TRY(const auto before, version_after(*table, flow_id(workspace, *upstream),
                                                position.generation, batch - 1));
  version.number = before ? *before + 1 : 0;
  return version;
}

// Copies the rows that tables held.
class RowCopy {
 public:
  RowCopy(const Workspace& live, const language::Node& live_node,
          const Workspace& workspace, const language::Node& node)
      : live_(live), live_node_(live_node), workspace_(workspace), node_(node) {}

  Status copy(const BatchPlan& plan) {
    copied_ = plan.copy_of;
    batch_ = batch_identity(workspace_, node_, plan, plan.run_id);
    FlowState state = flow_state(workspace_, node_);
    SinkPurpose purpose;
    purpose.copies_rows = true;
    purpose.generation = plan.generation;
    purpose.starts_over = true;
    LAKEMILL_TRY(auto sinks, open_sinks(workspace_, node_, state, purpose));
    for (const NodeSink& sink : sinks) LAKEMILL_TRY_OK(check_rows(sink));
    for (NodeSink& sink : sinks) {
      const std::size_t index = index_of(sink);
      LAKEMILL_TRY(const Place from, live_place(sink));
      if (sink.spec->merge_cdc_options && plan.strategy == Strategy::merge) {
        LAKEMILL_TRY_OK(copy_companions(from, sink.place, state, plan, index));
      }
      LAKEMILL_TRY_OK(copy_table(from.url, from.name, sink.is_primary, *sink.sink));
    }
    return {};
  }

 private:
  std::size_t index_of(const NodeSink& sink) const {
    return static_cast<std::size_t>(sink.spec - node_.sinks.data());
  }

  Result<Place> live_place(const NodeSink& sink) const {
    return place_of(live_, live_node_, live_node_.sinks[index_of(sink)]);
  }

  // Before anything is written, so that a copy that cannot be made leaves nothing.
  Status check_rows(const NodeSink& sink) {
    LAKEMILL_TRY(const Place from, live_place(sink));
    if (!from.is_delta) {
      return Error(ErrorCode::invalid,
                   sink.place.name +
                       " is no Delta table and has no versions to go "
                       "back to: replay from the beginning");
    }
    LAKEMILL_TRY(const auto table, live_.catalog.open_url(from.url));
    LAKEMILL_TRY(const auto rows, rows_of(*table, from.name, sink.is_primary));
    (void)rows;  // that they are there is all
    return {};
  }

  // The state of a table after the copied batch; null where nothing was in it yet.
  Result<std::shared_ptr<const delta::Snapshot>> rows_of(delta::Table& table,
                                                         const std::string& name,
                                                         bool must_be) {
    LAKEMILL_TRY(const auto version,
                 version_after(table, flow_id(live_, node_), generation_of(copied_),
                               number_of(copied_)));
    if (!version && !must_be) return std::shared_ptr<const delta::Snapshot>();
    if (!version) {
      return Error(ErrorCode::not_found, "the log of " + name +
                                             " no longer goes back to batch " +
                                             std::to_string(number_of(copied_)) +
                                             ": replay from the beginning");
    }
    auto snapshot = table.at_version(*version);
    if (!snapshot) return std::move(snapshot).error().while_doing("table " + name);
    return std::shared_ptr<const delta::Snapshot>(*std::move(snapshot));
  }

  // What the live flow's merge into `from` remembered; of a first batch it is where the
  // sink stands.
  Result<std::string> live_change_state(const language::Sink& sink, const Place& from) {
    FlowState state = flow_state(live_, node_);
    LAKEMILL_TRY(const BatchPlan plan,
                 plan_at(state, generation_of(copied_), number_of(copied_)));
    LAKEMILL_TRY(const auto states,
                 change_states_behind(live_, live_node_, state, &plan));
    return state.url(std::to_string(generation_of(copied_)) + "/change_state/" +
                     change_state_folder(live_, live_node_, sink, from, states));
  }

  Status copy_companions(const Place& from, const Place& to, FlowState& state,
                         const BatchPlan& plan, std::size_t index) {
    sinks::TableSinkSpec spec;
    spec.mode = sinks::WriteMode::replace;
    spec.shared = false;
    spec.properties["delta.enableDeletionVectors"] = "false";
    spec.url = to.url + "_rejected";
    spec.name = to.name + "_rejected";
    LAKEMILL_TRY_OK(copy_by(from.url + "_rejected", spec));
    spec.url = state.url(std::to_string(plan.generation) + "/change_state/" +
                         std::to_string(index));
    spec.name = "the change state of " + to.name;
    spec.layout = sinks::change_state_layout();
    spec.properties["delta.enableTypeWidening"] = "true";
    LAKEMILL_TRY(const std::string live,
                 live_change_state(live_node_.sinks[index], from));
    return copy_by(live, spec);
  }

  Status copy_by(const std::string& from, const sinks::TableSinkSpec& spec) {
    const auto sink = sinks::make_table_sink(
        spec,
        {workspace_.stores, workspace_.catalog, workspace_.clock, workspace_.random});
    return copy_table(from, spec.name, false, *sink);
  }

  Status copy_table(const std::string& from, const std::string& name, bool must_be,
                    sinks::Sink& sink) {
    LAKEMILL_TRY(const auto table, live_.catalog.open_url(from));
    LAKEMILL_TRY(const auto snapshot, rows_of(*table, name, must_be));
    if (snapshot == nullptr) return {};
    LAKEMILL_TRY(auto scan, snapshot->scan());
    data::Schema schema = snapshot->metadata().schema;
    for (data::Field& field : schema.fields) field.metadata = Json::object();
    BatchPlan now;
    now.now = batch_.now;
    LAKEMILL_TRY(const auto session, workspace_.engine.open_session(
                                         session_options(workspace_, now, {}, {})));
    LAKEMILL_TRY_OK(session->bind("rows", engine::TableRelation{std::move(scan)}));
    engine::WriteSpec write;
    write.sql = "SELECT * FROM \"rows\"";
    LAKEMILL_TRY(write.target, sink.stage(schema, batch_));
    LAKEMILL_TRY(const auto written, session->write(write));
    auto done = sink.commit(*session, written, batch_);
    if (!done) return std::move(done).error().while_doing(name);
    return {};
  }

  const Workspace& live_;
  const language::Node& live_node_;
  const Workspace& workspace_;
  const language::Node& node_;
  std::int64_t copied_ = 0;  // transaction version of the live flow's batch
  sinks::Batch batch_;
};

}  // namespace

Result<ReplayStart> parse_replay_start(const std::string& text) {
  ReplayStart start;
  start.text = text;
  if (text.empty() || text == "beginning") return start;
  const std::size_t colon = text.find(':');
  const std::string kind = to_lower(text.substr(0, colon));
  const std::string value =
      colon == std::string::npos ? "" : std::string(trim(text.substr(colon + 1)));
  const auto number = parse_number(value);
  bool good = number.has_value() && *number >= 0;
  if (good) start.number = *number;
  if (kind == "batch") {
    start.kind = ReplayStart::Kind::batch;
  } else if (kind == "version") {
    start.kind = ReplayStart::Kind::version;
  } else if (kind == "timestamp") {
    start.kind = ReplayStart::Kind::timestamp;
    const auto instant = parse_instant(value);
    good = instant.has_value();
    if (good) start.instant = *instant;
  } else {
    start.kind = ReplayStart::Kind::offset;
    good = kind == "offset" && parse_offset(value, start);
  }
  if (good) return start;
  return Error(ErrorCode::invalid,
               "--from " + text +
                   ": say beginning, batch:12, version:7, offset:12 (an arrival), "
                   "offset:16/B374D848 (PostgreSQL) or timestamp:2026-01-31T12:00:00Z");
}

Result<std::optional<BatchPlan>> batch_before(const Workspace& workspace,
                                              const language::Node& node,
                                              const ReplayStart& start) {
  if (start.kind == ReplayStart::Kind::offset) {
    LAKEMILL_TRY(const ReplayStart version, as_version(workspace, node, start));
    return batch_before(workspace, node, version);
  }
  FlowState state = flow_state(workspace, node);
  LAKEMILL_TRY(const FlowPosition position, find_position(workspace, node, state));
  if (position.begun_is_held) {
    return Error(ErrorCode::unavailable,
                 "a batch of node " + node.name +
                     " is half done: complete it with `lakemill run`, then replay");
  }
  LAKEMILL_TRY(const std::int64_t first,
               first_covering(state, position.generation, position.done, start));
  if (first > position.done) {
    return Error(ErrorCode::invalid, "--from " + start.text + ": node " + node.name +
                                         " has read nothing from there on (its last "
                                         "batch is " +
                                         std::to_string(position.done) +
                                         "): there is nothing to replay");
  }
  if (first == 1) return std::optional<BatchPlan>();
  LAKEMILL_TRY(BatchPlan last, plan_at(state, position.generation, first - 1));
  if (last.strategy == Strategy::replace) {
    return Error(
        ErrorCode::invalid,
        "node " + node.name +
            " is recomputed as a whole by every batch, so no part of it can be "
            "replayed: leave --from out");
  }
  return std::optional(std::move(last));
}

Status begin_with_rows_after(const Workspace& live, const BatchPlan& last,
                             const Workspace& workspace, const language::Node& node,
                             const std::string& run_id) {
  FlowState state = flow_state(workspace, node);
  BatchPlan plan = last;
  LAKEMILL_TRY(const FlowPosition position, find_position(workspace, node, state));
  plan.copy_of = last.transaction_version();
  plan.generation = position.generation + 1;
  plan.number = 1;
  plan.now = workspace.clock.now();
  plan.seed = workspace.random.next() >> 1;
  plan.run_id = run_id;
  plan.views.clear();
  plan.change_states.clear();
  if (!plan.replace_where.empty()) {  // the rows of a backfill are rows like others
    plan.replace_where.clear();
    plan.follows = 0;
    plan.reason = StrategyReason::row_wise;
  }
  for (SourceSlice& slice : plan.slices) slice.from = sources::Offset();
  LAKEMILL_TRY(plan.definition, state.save_definition(node.definition));
  // The plan makes the generation exist: one without it would be made from nothing.
  LAKEMILL_TRY(const BatchPlan standing, state.save_plan(plan));
  const language::Node& live_node = *live.pipeline.find_node(node.name);
  const auto copied = RowCopy(live, live_node, workspace, node).copy(standing);
  if (!copied) {
    withdraw_unless_held(workspace, node, state, standing);
    return copied;
  }
  return state.begin_generation(plan.generation);  // found at once
}

Status finish_copy(const Workspace& workspace, const language::Node& node,
                   const BatchPlan& plan) {
  return RowCopy(workspace, node, workspace, node).copy(plan);
}

}  // namespace lakemill::flow
