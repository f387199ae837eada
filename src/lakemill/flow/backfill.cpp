#include "lakemill/flow/backfill.h"

#include <algorithm>
#include <set>

#include "lakemill/base/text.h"
#include "lakemill/dml/sql_type.h"
#include "lakemill/flow/named_tables.h"
#include "lakemill/flow/node_engine.h"
#include "lakemill/flow/side_flows.h"
#include "lakemill/language/graph.h"

namespace lakemill::flow {

namespace {

constexpr int kRacesMax = 20;  // lost to runs of the flow

Error refusal(const language::Node& node, const std::string& why) {
  return {ErrorCode::invalid, to_text(node.location) + ": node " + node.name +
                                  " cannot be filled in by range: " + why};
}

// What a node's declaration alone forbids.
Status check_declaration(const language::Pipeline& pipeline,
                         const language::Node& node) {
  if (node.is_view()) return refusal(node, "it has no table");
  if (node.layer == language::Layer::bronze || reads_outside(pipeline, node)) {
    return refusal(node,
                   "its rows come from outside; fill in the nodes behind it, or read "
                   "the source again with `run --full-refresh --select " +
                       node.name + "`");
  }
  for (const language::Sink& sink : node.sinks) {
    if (sink.merge_cdc_options) {
      return refusal(node,
                     "it merges changes, and a row depends on changes of other times; "
                     "`lakemill replay --node " +
                         node.name + "` makes it anew");
    }
    if (sink.shared) {
      return refusal(node, "its sink is shared, and rows of other flows would go");
    }
    const bool replaces = sink.mode == language::SinkMode::overwrite ||
                          sink.mode == language::SinkMode::complete;
    if (replaces && !sink.is_quarantine) {
      return refusal(node, "it is recomputed as a whole by every batch; run it");
    }
    const bool is_delta = sink.kind == language::SinkKind::table ||
                          sink.format == language::FileFormat::delta;
    if (!is_delta) return refusal(node, "its sink is no Delta table");
  }
  return {};
}

std::string typed(const data::Field& field, const std::string& value) {
  return "CAST(" + quote_literal(value) + " AS " + dml::sql_type(field.type) + ")";
}

std::string bound(const data::Field& field, const char* comparison,
                  const std::string& value) {
  return quote_identifier(field.name) + " " + comparison + " " + typed(field, value);
}

const std::string& column_of(const language::Node& node, const BackfillRange& range) {
  return range.column.empty() ? node.time_column : range.column;
}

Result<std::string> condition_of(const language::Node& node, const BackfillRange& range,
                                 const data::Schema& schema) {
  std::vector<std::string> parts;
  if (!range.from.empty() || !range.to.empty()) {
    const std::string& column = column_of(node, range);
    if (column.empty()) {
      return refusal(node,
                     "it has no time_column; name one with --column, or give the rows "
                     "by --where");
    }
    const data::Field* field = schema.find(column);
    if (field == nullptr) {
      std::vector<std::string> names;
      for (const data::Field& known : schema.fields) names.push_back(known.name);
      const auto guess = nearest(column, names);
      return refusal(node, "it has no column '" + column + "'" +
                               (guess ? "; did you mean '" + *guess + "'?" : ""));
    }
    if (!range.from.empty()) parts.push_back(bound(*field, ">=", range.from));
    if (!range.to.empty()) parts.push_back(bound(*field, "<", range.to));
  }
  if (!range.where.empty()) {
    const std::string lower = to_lower(range.where);
    if (lower.find("select") != std::string::npos) {
      return refusal(node, "--where takes a condition over its columns, no subquery");
    }
    parts.push_back("(" + range.where + "\n)");
  }
  if (parts.empty()) {
    return refusal(node,
                   "say which rows: --from, --to, --where; all of them are made "
                   "anew by `lakemill replay --node " +
                       node.name + "`");
  }
  return join(parts, " AND ");
}

// One backfill on its way.
class Backfill {
 public:
  Backfill(const Workspace& workspace, const language::Node& node,
           const BackfillRange& range, const NodeRunOptions& options)
      : workspace_(workspace),
        node_(node),
        range_(range),
        options_(options),
        state_(flow_state(workspace, node)) {}

  Result<NodeReport> run() {
    LAKEMILL_TRY_OK(check_declaration(workspace_.pipeline, node_));
    if (wants_spark(workspace_, node_) && !why_not_on_spark(workspace_, node_)) {
      return refusal(node_, "it runs on Spark; `lakemill replay` makes it anew there");
    }
    for (int race = 1;; ++race) {
      auto done = run_once();
      const bool lost = !done && done.error().code() == ErrorCode::exists;
      if (!lost || race == kRacesMax) return done;
    }
  }

 private:
  // Errors: exists (a batch was committed since it was planned: plan anew).
  Result<NodeReport> run_once() {
    LAKEMILL_TRY_OK(plan_range());
    LAKEMILL_TRY(plan_.definition, state_.save_definition(node_.definition));
    LAKEMILL_TRY(const BatchPlan standing, state_.save_plan(plan_));
    if (plan_hash(standing) != plan_hash(plan_)) {
      return Error(ErrorCode::exists, "another runner planned batch " +
                                          std::to_string(plan_.number) + " of node " +
                                          node_.name + " meanwhile: try again");
    }
    SinkPurpose purpose = purpose_of(plan_);
    purpose.reads_whole = false;
    LAKEMILL_TRY(auto sinks, open_sinks(workspace_, node_, state_, purpose));
    NodeReport report;
    report.node = node_.name;
    report.target = sinks.back().place.name;
    report.target_identity = identity_of(sinks.back().place);
    report.strategy = plan_.strategy;
    report.reason = plan_.reason;
    BatchRun batch{workspace_,
                   node_,
                   plan_,
                   *query_,
                   sinks,
                   state_,
                   options_.run_id,
                   options_.stop,
                   options_.on_progress,
                   options_.on_plan,
                   options_.on_commit,
                   std::nullopt};
    auto done = run_batch(batch, report);
    if (!done || report.status == NodeStatus::expectation_failed) {
      withdraw_unless_held(workspace_, node_, state_, plan_);  // it goes on without it
    }
    if (!done) return std::move(done).error();
    if (report.status == NodeStatus::succeeded) {
      LAKEMILL_TRY_OK(state_.begin_generation(plan_.generation));  // found at once
    }
    return report;
  }

  // Where the flow stands, without a backfill that was begun and that no sink holds:
  // that one is `abandoned_`.
  Result<FlowPosition> position() {
    LAKEMILL_TRY(FlowPosition position, find_position(workspace_, node_, state_));
    abandoned_.reset();
    if (position.begun_is_held || !position.begun ||
        position.begun->replace_where.empty()) {
      return position;
    }
    abandoned_ = std::move(position.begun);
    LAKEMILL_TRY(const std::int64_t before,
                 state_.generation_before(abandoned_->generation));
    return find_position_in(workspace_, node_, state_, before);
  }

  Result<FlowPosition> settled_position() {
    LAKEMILL_TRY(FlowPosition found, position());
    if (found.begun_is_held) {
      return Error(ErrorCode::unavailable,
                   "a batch of node " + node_.name +
                       " is half done: complete it with `lakemill run`, then fill in");
    }
    if (!found.last && found.generation > 0) {
      return Error(ErrorCode::unavailable,
                   "node " + node_.name +
                       " is being made anew from the beginning: complete that with "
                       "`lakemill run`, then fill in");
    }
    if (!found.last) return refusal(node_, "it has no batch yet; run it first");
    return found;
  }

  // The same backfill takes the place of one that was killed; another one must not.
  Status settle_abandoned() {
    if (!abandoned_) return {};
    if (abandoned_->replace_where == plan_.replace_where) {
      return state_.withdraw_plan(*abandoned_);
    }
    return Error(ErrorCode::unavailable,
                 "a backfill of node " + node_.name + " was begun and not completed (" +
                     abandoned_->replace_where +
                     "): complete it with `lakemill run`, or by the same command "
                     "again, then fill in");
  }

  Status plan_range() {
    LAKEMILL_TRY(FlowPosition found, settled_position());
    plan_ = *std::move(found.last);
    const bool streams =
        plan_.strategy == Strategy::append && !plan_.slices.empty() &&
        std::all_of(plan_.slices.begin(), plan_.slices.end(),
                    [](const SourceSlice& slice) { return slice.incremental; });
    if (!streams) {
      return refusal(node_,
                     "it is recomputed as a whole when something changes; run it, or "
                     "make it anew with `lakemill replay --node " +
                         node_.name + "`");
    }
    plan_.follows = plan_.transaction_version();
    ++plan_.generation;  // by which those that read the tables as streams notice
    plan_.number = 1;
    plan_.now = workspace_.clock.now();
    plan_.seed = workspace_.random.next() >> 1;
    plan_.run_id = options_.run_id;
    plan_.reason = StrategyReason::backfill;
    plan_.views.clear();
    plan_.change_states.clear();
    for (SourceSlice& slice : plan_.slices) slice.from = sources::Offset();
    LAKEMILL_TRY(query_, NodeQuery::open(workspace_, node_, state_,
                                         Reading::as_declared, &plan_));
    LAKEMILL_TRY(const BoundRows bound,
                 bind_rows(workspace_, *query_, plan_, {},
                           session_options(workspace_, plan_, options_.stop, {})));
    if (!bound.shape.row_wise || !query_->all_incremental()) {
      return refusal(node_, "its SQL needs all rows (" +
                                bound.shape.not_row_wise_because +
                                "), so rows of a range depend on others");
    }
    LAKEMILL_TRY(plan_.pinned_tables,
                 newest_versions(workspace_, bound.shape.relations));
    LAKEMILL_TRY(plan_.replace_where, condition_of(node_, range_, bound.shape.schema));
    LAKEMILL_TRY_OK(try_condition(bound));
    return settle_abandoned();
  }

  // Nothing is planned by a condition that cannot be computed.
  Status try_condition(const BoundRows& bound) const {
    auto made =
        bound.session->bind_query("range",
                                  "SELECT * FROM " + quote_identifier(bound.relation) +
                                      " WHERE (" + plan_.replace_where + "\n)",
                                  engine::Origin::pipeline);
    if (made) {
      const auto rows = bound.session->query("SELECT 1 FROM \"range\" LIMIT 1",
                                             engine::Origin::lakemill, 1);
      if (!rows) made = rows.error();
    }
    if (!made) return refusal(node_, made.error().message());
    return check_order(bound);
  }

  Status check_order(const BoundRows& bound) const {
    if (range_.from.empty() || range_.to.empty()) return {};
    const data::Field& field = *bound.shape.schema.find(column_of(node_, range_));
    LAKEMILL_TRY(const auto ordered,
                 bound.session->query("SELECT 1 WHERE " + typed(field, range_.from) +
                                          " < " + typed(field, range_.to),
                                      engine::Origin::lakemill, 1));
    if (!ordered.rows.empty()) return {};
    return refusal(node_, "no row can be from " + range_.from + " on and before " +
                              range_.to + "; give the earlier one as --from");
  }

  const Workspace& workspace_;
  const language::Node& node_;
  const BackfillRange& range_;
  const NodeRunOptions& options_;
  FlowState state_;
  BatchPlan plan_;
  std::optional<BatchPlan> abandoned_;  // a backfill's that no sink holds
  std::unique_ptr<NodeQuery> query_;
};

}  // namespace

Result<NodeReport> run_backfill(const Workspace& workspace, const language::Node& node,
                                const BackfillRange& range,
                                const NodeRunOptions& options) {
  const auto begin = workspace.clock.elapsed();
  LAKEMILL_TRY(NodeReport report, Backfill(workspace, node, range, options).run());
  report.seconds =
      std::chrono::duration<double>(workspace.clock.elapsed() - begin).count();
  return report;
}

Result<std::vector<std::string>> backfilled_nodes(const language::Pipeline& pipeline) {
  std::vector<std::string> found;
  std::set<std::string> behind;
  LAKEMILL_TRY(const auto order, language::execution_order(pipeline));
  for (const std::string& name : order) {
    const language::Node& node = *pipeline.find_node(name);
    if (node.time_column.empty() || behind.contains(name) ||
        !check_declaration(pipeline, node)) {
      continue;
    }
    found.push_back(name);
    LAKEMILL_TRY(const auto after, language::select_nodes(pipeline, {name + "*"}));
    behind.insert(after.begin(), after.end());
  }
  if (!found.empty()) return found;
  return Error(ErrorCode::invalid,
               "pipeline " + pipeline.name +
                   " has no node with a time_column that can be filled in: name a node "
                   "with --node, and its column with --column");
}

}  // namespace lakemill::flow
