#include "lakemill/flow/node_runner.h"

#include <algorithm>

#include "lakemill/flow/change_states.h"
#include "lakemill/flow/dead_letters.h"
#include "lakemill/flow/node_engine.h"
#include "lakemill/flow/replay_start.h"
#include "lakemill/flow/view_sink.h"
#include "lakemill/language/definition.h"

namespace lakemill::flow {

namespace {

constexpr int kRacesMax = 20;                    // lost to another runner, in a run
constexpr std::int64_t kBatchesMax = 1'000'000;  // of one run of a node

// Plans are kept as long as Delta keeps the log by default, and then as many of them.
constexpr std::chrono::days kPlanRetention{30};
constexpr std::int64_t kPlansLookedThrough = 256;

// Runs the batches of a node, one after the other.
class NodeRun {
 public:
  NodeRun(const Workspace& workspace, const language::Node& node, FlowState& state,
          const NodeRunOptions& options)
      : workspace_(workspace), node_(node), options_(options), state_(state) {}

  NodeReport run() {
    const auto begin = workspace_.clock.elapsed();
    report_.node = node_.name;
    const auto done = run_to_end();
    if (!done) fail(done.error());
    report_.seconds =
        std::chrono::duration<double>(workspace_.clock.elapsed() - begin).count();
    return std::move(report_);
  }

 private:
  Status run_to_end() {
    if (node_.is_view()) return write_view();
    LAKEMILL_TRY(const Place place, place_of(workspace_, node_, *node_.primary_sink()));
    report_.target = place.name;
    report_.target_identity = identity_of(place);
    LAKEMILL_TRY(const bool stop_here, modes_forbid());
    if (stop_here) return {};
    LAKEMILL_TRY_OK(adopt());
    bool refresh = options_.full_refresh;
    int races = 0;
    for (std::int64_t i = 0; i < kBatchesMax; ++i) {
      const auto went_on = run_one(refresh, i == 0);
      refresh = false;
      if (!went_on && went_on.error().code() == ErrorCode::exists &&
          ++races < kRacesMax) {
        continue;  // another runner was first: its plan is the one to go by
      }
      if (!went_on && went_on.error().code() == ErrorCode::exists) {  // it may pass
        return Error(ErrorCode::unavailable, went_on.error().message());
      }
      LAKEMILL_TRY(const bool more, went_on);
      if (!more || report_.status == NodeStatus::expectation_failed) return {};
      if (options_.batches_max > 0 && i + 1 >= options_.batches_max) return {};
    }
    return {};
  }

  Status write_view() {
    report_.strategy = Strategy::view;
    report_.reason = StrategyReason::no_sink;
    report_.status = NodeStatus::skipped;
    LAKEMILL_TRY(const auto written, write_view_sink(workspace_, node_, state_));
    if (written) {
      report_.status = NodeStatus::succeeded;
      report_.target = *written;
    }
    return {};
  }

  // ERROR and IGNORE look at what is there when the run starts.
  Result<bool> modes_forbid() {
    LAKEMILL_TRY(const bool left_alone, leaves_targets_alone(workspace_, node_));
    if (!left_alone) return false;
    report_.status = NodeStatus::skipped;
    report_.strategy = Strategy::skip;
    report_.reason = StrategyReason::target_exists;
    return true;
  }

  // One batch; false if there is nothing (more) to do.
  Result<bool> run_one(bool refresh, bool first) {
    NodeRunOptions options = options_;
    options.full_refresh = refresh;
    options.stops_at_begun = true;
    LAKEMILL_TRY(Decision decision, decide(workspace_, node_, state_, options, {}));
    note(decision);
    held_ = decision.position.holding;
    LAKEMILL_TRY_OK(complete_last(decision.position));
    if (decision.position.begun && decision.position.begun_is_held) {
      return complete(decision);
    }
    if (decision.strategy == Strategy::skip) {
      if (first) {
        report_.status = NodeStatus::skipped;
        report_.strategy = Strategy::skip;
        report_.reason = decision.reason;
        LAKEMILL_TRY_OK(describe_tables(decision));
      }
      return false;
    }
    LAKEMILL_TRY(const BatchPlan plan, standing_plan(decision));
    // Tables that the SQL names are seen at their pinned versions only by a session
    // that was opened with them.
    const bool reusable = plan_hash(plan) == plan_hash(decision.plan) &&
                          plan.pinned_tables.empty() && plan.views.empty();
    if (!reusable) decision.bound.reset();
    const bool more =
        plan.strategy != Strategy::replace && decision.query->any_incremental();
    auto done = execute(node_, plan, *decision.query, std::move(decision.bound));
    LAKEMILL_TRY_OK(still_as_read(plan, *decision.query, done));
    if (!done && may_set_aside(node_, done.error())) {
      done = execute_without_poison(plan, *decision.query, std::move(done).error());
    }
    if (!plan.replace_where.empty() && fails_for_good(done)) {
      withdraw_unless_held(workspace_, node_, state_, plan);  // it goes on without it
    }
    LAKEMILL_TRY_OK(done);
    return more;
  }

  // Without new rows there is no batch that would bring the tables what was edited of
  // their properties, comments and clustering.
  Status describe_tables(const Decision& decision) {
    const auto& last = decision.position.last;
    if (!last || last->definition == definition_hash(node_.definition)) return {};
    SinkPurpose purpose;
    purpose.strategy = last->strategy;
    purpose.generation = decision.position.generation;
    LAKEMILL_TRY(purpose.change_states,
                 change_states_behind(workspace_, node_, state_, &*last));
    LAKEMILL_TRY(auto sinks, open_sinks(workspace_, node_, state_, purpose));
    LAKEMILL_TRY(const auto session, workspace_.engine.open_session(session_options(
                                         workspace_, *last, options_.stop, {})));
    const sinks::Batch identity =
        batch_identity(workspace_, node_, *last, options_.run_id);
    for (NodeSink& sink : sinks) {
      auto described = sink.sink->describe(*session, identity);
      if (!described) {
        const Error& error = described.error();
        return Error(error.code(),
                     to_text(sink.spec->location) + ": " + error.message());
      }
      if (described->version < 0 || !sink.is_primary) continue;
      report_.version = described->version;
      report_.schema_changes = std::move(described->changes);
    }
    return {};
  }

  // What the sinks hold of the last batch is not all of it.
  Status complete_last(const FlowPosition& position) {
    if (!position.last || completed_letters_ == position.last->transaction_version()) {
      return {};
    }
    completed_letters_ = position.last->transaction_version();
    return complete_dead_letters(workspace_, node_, *position.last, options_.run_id);
  }

  // A batch that failed while one of its files changed failed by that, or will: it is
  // planned anew. Errors: exists.
  static Status still_as_read(const BatchPlan& plan, NodeQuery& query,
                              const Status& done) {
    if (done || done.error().retryable() ||
        done.error().code() == ErrorCode::cancelled ||
        done.error().code() == ErrorCode::exists) {
      return {};
    }
    const auto unchanged = recheck_sources(plan, query);
    if (unchanged || unchanged.error().code() != ErrorCode::invalid) return {};
    return Error(ErrorCode::exists, unchanged.error().message());
  }

  bool fails_for_good(const Status& done) const {
    if (done) return report_.status == NodeStatus::expectation_failed;
    return !done.error().retryable() && done.error().code() != ErrorCode::cancelled;
  }

  // A batch that fails goes on without the files that are at fault, by a revision of
  // its plan.
  Status execute_without_poison(const BatchPlan& plan, NodeQuery& query, Error error) {
    BatchPlan rest = plan;
    LAKEMILL_TRY(const bool any,
                 set_aside(workspace_, node_, query, rest, options_.stop));
    if (!any) return error;
    LAKEMILL_TRY(const BatchPlan standing, state_.save_plan(rest));
    return execute(node_, standing, query, std::nullopt);
  }

  void tell_of_dead_letters(const BatchPlan& plan) {
    for (const DeadLetter& letter : plan.dead_letters) {
      report_.notices.push_back({sources::Notice::Kind::set_aside, letter.file,
                                 "the file " + letter.file + " was set aside (see " +
                                     report_.target +
                                     "_dead_letter): " + letter.error});
    }
  }

  // A batch that some sinks hold is completed by the definition that it began with.
  Result<bool> complete(Decision& decision) {
    const BatchPlan& plan = *decision.position.begun;
    if (completed_ == plan.transaction_version()) {
      return Error(ErrorCode::corrupt,
                   "batch " + std::to_string(plan.number) + " of node " + node_.name +
                       " was completed, but one of its sinks does not hold it");
    }
    LAKEMILL_TRY_OK(complete_begun(plan));
    completed_ = plan.transaction_version();
    return true;
  }

  Status complete_begun(const BatchPlan& plan) {
    if (plan.definition == definition_hash(node_.definition)) {
      return complete_as(workspace_, node_, plan);
    }
    LAKEMILL_TRY(const Json definition, state_.load_definition(plan.definition));
    LAKEMILL_TRY(language::Node begun, language::node_from_definition(definition));
    begun.name = node_.name;  // it had another one if this flow was taken over
    language::restore_passwords(begun, workspace_.pipeline);
    LAKEMILL_TRY(const language::Pipeline pipeline,
                 with_views_of(workspace_.pipeline, definition));
    return complete_as(with_pipeline(workspace_, pipeline), begun, plan);
  }

  // The pipeline with the views that a definition was made with.
  static Result<language::Pipeline> with_views_of(language::Pipeline pipeline,
                                                  const Json& definition) {
    LAKEMILL_TRY(auto views, language::views_from_definition(definition));
    for (language::Node& view : views) {
      const auto now =
          std::find_if(pipeline.nodes.begin(), pipeline.nodes.end(),
                       [&](const auto& node) { return node.name == view.name; });
      if (now != pipeline.nodes.end()) {
        *now = std::move(view);
      } else {
        pipeline.nodes.push_back(std::move(view));
      }
    }
    return pipeline;
  }

  Status complete_as(const Workspace& workspace, const language::Node& begun,
                     const BatchPlan& plan) {
    if (plan.copy_of > 0) return complete_copy(begun, plan);
    LAKEMILL_TRY(auto query,
                 NodeQuery::open(workspace, begun, state_, reading_of(plan), &plan));
    return execute(begun, plan, *query, std::nullopt);
  }

  Status complete_copy(const language::Node& begun, const BatchPlan& plan) {
    const auto copied = finish_copy(workspace_, begun, plan);
    if (!copied) {
      if (fails_for_good(copied)) {  // the flow goes on as if it were not there
        withdraw_unless_held(workspace_, begun, state_, plan);
      }
      return copied.error();
    }
    report_.strategy = plan.strategy;
    report_.reason = plan.reason;
    report_.batch = plan.number;
    report_.generation = plan.generation;
    ++report_.batches;
    return {};
  }

  static Reading reading_of(const BatchPlan& plan) {
    const bool any =
        std::any_of(plan.slices.begin(), plan.slices.end(),
                    [](const SourceSlice& slice) { return slice.incremental; });
    return any ? Reading::as_declared : Reading::whole;
  }

  static bool starts_over(const BatchPlan& plan) {
    return plan.generation > 0 && plan.number == 1 && plan.replace_where.empty();
  }

  // The plan that this batch runs by: one that was made and that no sink holds is run
  // as it was, unless the definition was edited since or its files are not what they
  // were. Errors: exists (it was a backfill's, and is taken back: decide anew).
  Result<BatchPlan> standing_plan(Decision& decision) {
    const auto& begun = decision.position.begun;
    const bool as_it_was = begun && begun->definition == decision.plan.definition &&
                           begun->strategy == decision.plan.strategy &&
                           (decision.query->any_incremental() ||
                            begun->slices.size() == decision.plan.slices.size());
    if (as_it_was && decision.query->any_incremental() &&
        same_tables(*begun, decision.plan)) {
      LAKEMILL_TRY(const bool readable, still_readable(*begun, *decision.query));
      if (readable) return *begun;
    }
    if (as_it_was && same_offsets(*begun, decision.plan)) return *begun;
    if (begun && !begun->replace_where.empty()) {
      LAKEMILL_TRY_OK(state_.withdraw_plan(*begun));
      return Error(ErrorCode::exists, "a backfill of node " + node_.name +
                                          " was begun by another definition, and no "
                                          "table holds it: run again");
    }
    if (decision.starts_over) {
      LAKEMILL_TRY_OK(state_.begin_generation(decision.plan.generation));
    }
    LAKEMILL_TRY(decision.plan.definition, state_.save_definition(node_.definition));
    return state_.save_plan(decision.plan);
  }

  // False if a file that the plan covers has changed or is gone.
  static Result<bool> still_readable(const BatchPlan& plan, NodeQuery& query) {
    for (Leaf& leaf : query.leaves()) {
      if (leaf.source == nullptr) continue;
      for (const SourceSlice& slice : plan.slices) {
        if (slice.source != leaf.id ||
            slice.incremental != leaf.source->incremental()) {
          continue;
        }
        const auto readable = leaf.source->check(slice.from, slice.to);
        if (readable) continue;
        if (readable.error().code() == ErrorCode::invalid) return false;
        return readable.error();
      }
    }
    return true;
  }

  // False if a table was made anew since: the versions of the one are not the other's.
  static bool same_tables(const BatchPlan& begun, const BatchPlan& plan) {
    return std::equal(begun.slices.begin(), begun.slices.end(), plan.slices.begin(),
                      plan.slices.end(), [](const auto& a, const auto& b) {
                        return a.source == b.source &&
                               string_member(a.to, "table", "") ==
                                   string_member(b.to, "table", "");
                      });
  }

  static bool same_offsets(const BatchPlan& left, const BatchPlan& right) {
    return std::equal(left.slices.begin(), left.slices.end(), right.slices.begin(),
                      right.slices.end(), [](const auto& a, const auto& b) {
                        return a.source == b.source && a.to == b.to;
                      });
  }

  Status execute(const language::Node& node, const BatchPlan& plan, NodeQuery& query,
                 std::optional<BoundRows> bound) {
    report_.strategy = plan.strategy;
    report_.reason = plan.reason;
    LAKEMILL_TRY_OK(query.compute_views(plan, options_.stop));
    SinkPurpose purpose = purpose_of(plan);
    purpose.starts_over = starts_over(plan);
    purpose.reads_whole = reading_of(plan) == Reading::whole;
    if (plan.number > 1) purpose.follows_batch = plan.transaction_version() - 1;
    purpose.holding = held_;
    LAKEMILL_TRY(auto sinks, open_sinks(workspace_, node, state_, purpose));
    BatchRun run{workspace_,
                 node,
                 plan,
                 query,
                 sinks,
                 state_,
                 options_.run_id,
                 options_.stop,
                 options_.on_progress,
                 options_.on_plan,
                 options_.on_commit,
                 std::move(bound)};
    LAKEMILL_TRY_OK(run_batch(run, report_));
    // Best effort: the types are found again where they are needed, or missed.
    (void)query.keep_types(plan.generation);
    if (plan.number % kPlansLookedThrough == 0) {
      // Best effort: the next time forgets what this one leaves.
      (void)state_.forget_plans(plan.generation, plan.number,
                                workspace_.clock.now() - kPlanRetention);
    }
    tell_of_dead_letters(plan);
    return {};
  }

  // Before anything else: from here on the tables are this flow's.
  Status adopt() {
    if (options_.adopt_node.empty() || options_.adopt_node == node_.name) return {};
    SinkPurpose purpose;
    purpose.strategy = Strategy::merge;  // a merge sink has its state taken over too
    FlowState adopted = flow_state(workspace_, options_.adopt_node);
    LAKEMILL_TRY(const auto known, adopted.store()->list(adopted.folder() + "/", ""));
    if (known.empty()) {
      return Error(ErrorCode::not_found,
                   "--adopt " + options_.adopt_node + ": there is no such flow at " +
                       adopted.url("") + "; name a node of this pipeline, or " +
                       "<pipeline>/<node> of another one of the project");
    }
    LAKEMILL_TRY(purpose.generation, adopted.newest_generation());
    LAKEMILL_TRY(const auto last, adopted.last_plan(purpose.generation));
    LAKEMILL_TRY(purpose.change_states, change_states_behind(workspace_, node_, adopted,
                                                             last ? &*last : nullptr));
    purpose.adopt_app_id = flow_id(workspace_, options_.adopt_node);
    LAKEMILL_TRY(auto sinks, open_sinks(workspace_, node_, state_, purpose));
    LAKEMILL_TRY(const bool took_over, take_over(workspace_, node_, options_.adopt_node,
                                                 options_.run_id, sinks));
    if (took_over) {
      report_.notices.push_back({sources::Notice::Kind::adopted, report_.target,
                                 "node " + node_.name + " has taken over " +
                                     report_.target + " from node " +
                                     options_.adopt_node});
    }
    return {};
  }

  void note(Decision& decision) {
    for (Leaf& leaf : decision.query->leaves()) {
      if (leaf.source == nullptr) continue;
      for (sources::Notice& notice : leaf.source->take_notices()) {
        report_.add_notice(std::move(notice));
      }
    }
    if (decision.plan.pinned_tables.empty()) return;
    report_.named_tables.clear();
    for (const auto& [relation, version] : decision.plan.pinned_tables) {
      report_.named_tables.push_back(relation);
    }
  }

  void fail(const Error& error) {
    report_.status = error.code() == ErrorCode::cancelled ? NodeStatus::cancelled
                                                          : NodeStatus::failed;
    report_.error = error;
  }

  const Workspace& workspace_;
  const language::Node& node_;
  const NodeRunOptions& options_;
  FlowState& state_;
  std::set<std::string> held_;          // URLs of the sinks that hold the batch before
  std::int64_t completed_ = 0;          // the batch that was completed in this run
  std::int64_t completed_letters_ = 0;  // the batch whose dead letters are committed
  NodeReport report_;
};

}  // namespace

NodeReport run_node(const Workspace& workspace, const language::Node& node,
                    FlowState& state, const NodeRunOptions& options) {
  const Workspace own = workspace_of(workspace, node);
  NodeReport report = NodeRun(own, node, state, options).run();
  if (report.batches > 0 && wants_spark(workspace, node) && !own.engine_commits) {
    report.engine_notice = "node " + node.name +
                           " runs on the embedded engine, because " +
                           why_not_on_spark(workspace, node).value_or("");
  }
  return report;
}

}  // namespace lakemill::flow
