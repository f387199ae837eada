#include "lakemill/flow/node_runner.h"

#include <algorithm>

#include "lakemill/base/text.h"
#include "lakemill/delta/row_changes.h"
#include "lakemill/delta/table_properties.h"
#include "lakemill/flow/dead_letters.h"
#include "lakemill/flow/merge_edits.h"
#include "lakemill/flow/named_columns.h"
#include "lakemill/flow/named_tables.h"
#include "lakemill/flow/node_engine.h"
#include "lakemill/flow/replay_start.h"
#include "lakemill/flow/view_sink.h"
#include "lakemill/language/definition.h"

namespace lakemill::flow {

namespace {

using language::SinkMode;

constexpr int kRacesMax = 20;                    // lost to another runner, in a run
constexpr std::int64_t kBatchesMax = 1'000'000;  // of one run of a node

// Plans are kept as long as Delta keeps the log by default, and then as many of them.
constexpr std::chrono::days kPlanRetention{30};
constexpr std::int64_t kPlansLookedThrough = 256;

Error at(const language::Location& location, const std::string& message) {
  return {ErrorCode::invalid, to_text(location) + ": " + message};
}

bool wants_replace(const language::Sink& sink) {
  return sink.mode == SinkMode::overwrite || sink.mode == SinkMode::complete;
}

bool wants_merge(const language::Sink& sink) {
  return sink.mode == SinkMode::merge || sink.mode == SinkMode::update;
}

struct Choice {
  Strategy strategy;
  StrategyReason reason;
  std::string detail;
};

// What the declared mode and the sources ask for, before the SQL is looked at.
std::optional<Choice> choice_by_declaration(const language::Node& node,
                                            bool any_incremental) {
  const language::Sink& sink = *node.primary_sink();
  const bool replaces =
      std::any_of(node.sinks.begin(), node.sinks.end(), [](const language::Sink& item) {
        return !item.is_quarantine && wants_replace(item);
      });
  if (replaces) return Choice{Strategy::replace, StrategyReason::mode_overwrite, ""};
  if (node.refresh == language::Refresh::replace) {
    return Choice{Strategy::replace, StrategyReason::refresh_key, ""};
  }
  if (any_incremental) return std::nullopt;
  if (wants_merge(sink)) return Choice{Strategy::merge, StrategyReason::mode_merge, ""};
  if (sink.mode == SinkMode::append) {
    return Choice{Strategy::append, StrategyReason::mode_append, ""};
  }
  return Choice{Strategy::replace, StrategyReason::whole_sources, ""};
}

class Decider {
 public:
  Decider(const Workspace& workspace, const language::Node& node, FlowState& state,
          const NodeRunOptions& options, const ExpectedSchemas& expected)
      : workspace_(workspace),
        node_(node),
        state_(state),
        options_(options),
        expected_(expected) {}

  Result<Decision> decide() {
    LAKEMILL_TRY_OK(check_properties());
    LAKEMILL_TRY(decision_.position, find_position(workspace_, node_, state_));
    LAKEMILL_TRY_OK(check_refresh());
    LAKEMILL_TRY(decision_.query,
                 NodeQuery::open(workspace_, node_, state_, Reading::as_declared));
    if (options_.full_refresh && !decision_.position.target_lost) {
      LAKEMILL_TRY_OK(check_all_is_there());
    }
    if (options_.full_refresh || decision_.position.target_lost) begin_generation();
    if (options_.stops_at_begun && decision_.position.begun_is_held) {
      return std::move(decision_);
    }
    LAKEMILL_TRY_OK(check_edits());
    LAKEMILL_TRY(const bool as_before, nothing_changed_since());
    if (as_before) {
      skip();
      return std::move(decision_);
    }
    LAKEMILL_TRY_OK(choose());
    LAKEMILL_TRY_OK(pin_tables());
    decision_.query->share_views(decision_.plan);
    decision_.schema = shape_.schema;
    if (nothing_changed()) {
      skip();
      return std::move(decision_);
    }
    LAKEMILL_TRY_OK(check_named_columns(
        node_, shape_.schema,
        decision_.strategy == Strategy::replace || !decision_.position.last));
    return std::move(decision_);
  }

 private:
  Status check_properties() const {
    for (const language::Sink& sink : node_.sinks) {
      const auto checked = delta::check_properties(sink.properties);
      if (!checked) return at(sink.location, checked.error().message());
    }
    return {};
  }

  // A full refresh of a table that others write to would have to take this flow's rows
  // out of it, and cannot tell them from those of the others.
  Status check_refresh() const {
    const FlowPosition& position = decision_.position;
    if (!options_.full_refresh || (position.done == 0 && !position.begun_is_held)) {
      return {};
    }
    for (const language::Sink& sink : node_.sinks) {
      if (!sink.shared || wants_replace(sink)) continue;
      return at(sink.location,
                "node " + node_.name +
                    " cannot be refreshed: its sink is shared, and its rows cannot be "
                    "told from those of other flows; drop the table and run all "
                    "flows that write to it");
    }
    return {};
  }

  // A refresh reads again all that the tables hold: what is not there any more, or not
  // as it was, would be lost by it.
  Status check_all_is_there() {
    for (Leaf& leaf : decision_.query->leaves()) {
      const SourceSlice* slice = last_slice(leaf.id);
      if (leaf.source == nullptr || slice == nullptr || !slice->incremental ||
          !leaf.source->incremental()) {
        continue;
      }
      auto there = leaf.source->check(sources::Offset(), slice->to);
      if (!there) {
        return std::move(there).error().while_doing("node " + node_.name +
                                                    " cannot be refreshed");
      }
    }
    return {};
  }

  // What the tables hold was made by the definition of the last batch.
  Status check_edits() const {
    const auto& last = decision_.position.last;
    if (!last || last->definition == definition_hash(node_.definition)) return {};
    const auto definition = state_.load_definition(last->definition);
    if (!definition) return {};  // an old one that was cleaned away
    LAKEMILL_TRY(const language::Node before,
                 language::node_from_definition(*definition));
    return check_merge_edit(before, node_);
  }

  void skip() {
    decision_.strategy = Strategy::skip;
    decision_.reason = !decision_.query->any_incremental() ? StrategyReason::nothing_new
                       : rows_are_made_otherwise() ? StrategyReason::edited_no_rows
                                                   : StrategyReason::no_new_rows;
  }

  // True if the last batch would give other rows by the definition of now.
  bool rows_are_made_otherwise() const {
    const auto& last = decision_.position.last;
    if (!last || last->definition == definition_hash(node_.definition)) return false;
    const auto before = state_.load_definition(last->definition);
    if (!before) return true;  // an old one that was cleaned away
    for (const char* key : {"source", "sources", "transformer"}) {
      const Json* old = find_member(*before, key);
      const Json* now = find_member(node_.definition, key);
      if ((old == nullptr) != (now == nullptr)) return true;
      if (old != nullptr && *old != *now) return true;
    }
    return false;
  }

  // True if the last batch covered, by this very definition, all there is: told without
  // looking at the SQL, so that a run that has nothing to do ends at once.
  Result<bool> nothing_changed_since() {
    const auto& last = decision_.position.last;
    if (!last || !expected_.empty() ||
        last->definition != definition_hash(node_.definition)) {
      return false;
    }
    const bool whole =
        std::none_of(last->slices.begin(), last->slices.end(),
                     [](const SourceSlice& slice) { return slice.incremental; });
    if (whole && decision_.query->any_incremental()) LAKEMILL_TRY_OK(reopen_whole());
    LAKEMILL_TRY_OK(plan_slices());
    if (!last) return false;  // a new generation begins
    for (const auto& [relation, version] : last->pinned_tables) {
      LAKEMILL_TRY(const auto table, table_in_sql(workspace_, relation));
      if (table == nullptr) return false;
      LAKEMILL_TRY(const auto snapshot, table->latest());
      if (delta::may_have_changed(*table, version, snapshot->version())) return false;
    }
    decision_.strategy = decision_.plan.strategy = last->strategy;
    decision_.reason = decision_.plan.reason = last->reason;
    decision_.plan.pinned_tables = last->pinned_tables;
    if (nothing_changed()) return true;
    if (whole) {  // the sources may be read by what is new after all
      LAKEMILL_TRY(decision_.query,
                   NodeQuery::open(workspace_, node_, state_, Reading::as_declared));
    }
    return false;
  }

  void begin_generation() {
    FlowPosition fresh;
    fresh.generation = decision_.position.generation + 1;
    decision_.position = std::move(fresh);
    decision_.starts_over = true;
  }

  Status choose() {
    auto declared = choice_by_declaration(node_, decision_.query->any_incremental());
    if (declared) {
      if (declared->strategy != Strategy::append &&
          decision_.query->any_incremental()) {
        LAKEMILL_TRY_OK(reopen_whole());
      }
      LAKEMILL_TRY_OK(plan_slices());
      set(*declared);
      return describe_rows();
    }
    LAKEMILL_TRY_OK(plan_slices());
    LAKEMILL_TRY_OK(describe_rows());
    return choose_by_sql();
  }

  Status choose_by_sql() {
    const language::Sink& sink = *node_.primary_sink();
    const Strategy incremental = wants_merge(sink) ? Strategy::merge : Strategy::append;
    const bool mixed = !decision_.query->all_incremental();
    if (shape_.row_wise && !mixed) {
      if (incremental == Strategy::merge) LAKEMILL_TRY_OK(check_sequence());
      set({incremental,
           incremental == Strategy::merge ? StrategyReason::mode_merge
                                          : StrategyReason::row_wise,
           ""});
      return {};
    }
    Choice choice{
        wants_merge(sink) ? Strategy::merge : Strategy::replace,
        shape_.row_wise ? StrategyReason::mixed_sources : StrategyReason::not_row_wise,
        shape_.row_wise ? "" : shape_.not_row_wise_because};
    const bool must_append =
        sink.mode == SinkMode::append || node_.refresh == language::Refresh::append;
    if (node_.strict || must_append) {
      return at(
          node_.location,
          "node " + node_.name +
              " would have to be recomputed: " + std::string(explain(choice.reason)) +
              (choice.detail.empty() ? "" : " (" + choice.detail + ")") + ", but " +
              (node_.strict ? "`strict` is set" : "appending is asked for") +
              "; make the SQL row-wise, or read the source with as_stream: false");
    }
    LAKEMILL_TRY_OK(reopen_whole());
    LAKEMILL_TRY_OK(plan_slices());
    set(choice);
    decision_.bound.reset();  // it held only what is new
    return {};
  }

  // Batches would otherwise give other tables than one batch.
  Status check_sequence() const {
    const auto& lost = decision_.query->sequence_lost();
    if (!lost || !needs_sequence(node_)) return {};
    return at(*lost,
              "node " + node_.name +
                  " merges changes in the order in which they came, and here their "
                  "place in that order is lost (rows of several sources have no common "
                  "one, and a row taken as a whole value has none): name a column that "
                  "orders the changes of a key with merge_cdc_options.order_by");
  }

  void set(const Choice& choice) {
    decision_.strategy = decision_.plan.strategy = choice.strategy;
    decision_.reason = decision_.plan.reason = choice.reason;
    decision_.detail = choice.detail;
  }

  Status reopen_whole() {
    LAKEMILL_TRY(decision_.query,
                 NodeQuery::open(workspace_, node_, state_, Reading::whole));
    return {};
  }

  Status plan_slices() {
    BatchPlan plan;
    plan.generation = decision_.position.generation;
    plan.number = decision_.position.done + 1;
    plan.definition = definition_hash(node_.definition);
    plan.now = workspace_.clock.now();
    plan.seed =
        workspace_.random.next() >> 1;  // JSON readers take it for a signed number
    plan.run_id = options_.run_id;
    for (Leaf& leaf : decision_.query->leaves()) {
      if (leaf.source == nullptr) continue;
      SourceSlice slice;
      slice.source = leaf.id;
      slice.incremental = leaf.source->incremental();
      if (slice.incremental) slice.from = last_offset(leaf.id);
      LAKEMILL_TRY(slice.to, leaf.source->latest(slice.from));
      if (was_made_anew(slice)) {
        begin_generation();
        return plan_slices();
      }
      plan.slices.push_back(std::move(slice));
    }
    decision_.plan = std::move(plan);
    return {};
  }

  // True if a stream's table began a new generation behind what was read of it: then
  // this flow does so too.
  static bool was_made_anew(const SourceSlice& slice) {
    return !slice.from.is_null() && integer_member(slice.to, "generation", 0) >
                                        integer_member(slice.from, "generation", 0);
  }

  sources::Offset last_offset(const std::string& source) const {
    const SourceSlice* slice = last_slice(source);
    return slice == nullptr || !slice->incremental ? sources::Offset() : slice->to;
  }

  const SourceSlice* last_slice(const std::string& source) const {
    if (!decision_.position.last) return nullptr;
    for (const SourceSlice& slice : decision_.position.last->slices) {
      if (slice.source == source) return &slice;
    }
    return nullptr;
  }

  Result<BoundRows> bind_plan() {
    return bind_rows(workspace_, *decision_.query, decision_.plan, expected_,
                     session_options(workspace_, decision_.plan, options_.stop,
                                     options_.on_progress));
  }

  Status describe_rows() {
    auto bound = bind_plan();
    if (!bound && may_set_aside(node_, bound.error())) {
      LAKEMILL_TRY(const bool any, set_aside(workspace_, node_, *decision_.query,
                                             decision_.plan, options_.stop));
      if (any) bound = bind_plan();
    }
    LAKEMILL_TRY(decision_.bound, std::move(bound));
    shape_ = decision_.bound->shape;
    return {};
  }

  // The versions of the tables that the SQL names by itself.
  Status pin_tables() {
    LAKEMILL_TRY(decision_.plan.pinned_tables,
                 newest_versions(workspace_, shape_.relations));
    for (const auto& [relation, version] : decision_.plan.pinned_tables) {
      LAKEMILL_TRY(const auto table, table_in_sql(workspace_, relation));
      LAKEMILL_TRY_OK(check_not_replayed(relation, table->store().url()));
    }
    return {};
  }

  // SQL that names a table reads the live one, which a replay beside it must not.
  Status check_not_replayed(const std::string& relation, const std::string& url) const {
    if (workspace_.side == nullptr || !workspace_.side->has(node_.name) ||
        !workspace_.side->live_urls.contains(url)) {
      return {};
    }
    return at(node_.location,
              "the SQL of node " + node_.name + " names table " + relation +
                  ", which the replay makes anew in schema " + workspace_.side->schema +
                  ": read it as {nodes.x} or as a source, which follow the replay");
  }

  bool nothing_changed() const {
    const auto& last = decision_.position.last;
    if (!last) return false;
    const bool incremental =
        decision_.strategy == Strategy::append ||
        (decision_.strategy == Strategy::merge && decision_.query->any_incremental());
    if (!incremental && last->definition != decision_.plan.definition) return false;
    if (last->pinned_tables != decision_.plan.pinned_tables && !incremental)
      return false;
    return std::all_of(decision_.plan.slices.begin(), decision_.plan.slices.end(),
                       [&](const SourceSlice& slice) {
                         const SourceSlice* before = last_slice(slice.source);
                         return before != nullptr && same_rows(*before, slice);
                       });
  }

  // A table's version moves on without a row that changes, too.
  bool same_rows(const SourceSlice& before, const SourceSlice& now) const {
    if (before.to == now.to) return true;
    const auto& leaves = decision_.query->leaves();
    const auto leaf = std::find_if(leaves.begin(), leaves.end(), [&](const Leaf& item) {
      return item.id == now.source;
    });
    return leaf != leaves.end() && leaf->source != nullptr &&
           before.incremental == now.incremental &&
           leaf->source->same_rows(before.to, now.to);
  }

  const Workspace& workspace_;
  const language::Node& node_;
  FlowState& state_;
  const NodeRunOptions& options_;
  const ExpectedSchemas& expected_;
  Decision decision_;
  engine::QueryShape shape_;
};

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
    if (is_view(node_)) return write_view();
    LAKEMILL_TRY(const Place place, place_of(workspace_, node_, *node_.primary_sink()));
    report_.target = place.name;
    LAKEMILL_TRY(const bool stop_here, mode_forbids(place));
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
  Result<bool> mode_forbids(const Place& place) {
    LAKEMILL_TRY(const bool left_alone, leaves_target_alone(workspace_, node_, place));
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
    LAKEMILL_TRY_OK(complete_last(decision.position));
    if (decision.position.begun && decision.position.begun_is_held) {
      return complete(decision);
    }
    if (decision.strategy == Strategy::skip) {
      if (first) {
        report_.status = NodeStatus::skipped;
        report_.strategy = Strategy::skip;
        report_.reason = decision.reason;
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
    completed_ = plan.transaction_version();
    language::Node begun = node_;
    if (plan.definition != definition_hash(node_.definition)) {
      LAKEMILL_TRY(const Json definition, state_.load_definition(plan.definition));
      LAKEMILL_TRY(begun, language::node_from_definition(definition));
      begun.name = node_.name;  // it had another one if this flow was taken over
    }
    if (plan.copy_of > 0) return complete_copy(begun, plan);
    LAKEMILL_TRY(auto query,
                 NodeQuery::open(workspace_, begun, state_, reading_of(plan)));
    LAKEMILL_TRY_OK(execute(begun, plan, *query, std::nullopt));
    return true;
  }

  Result<bool> complete_copy(const language::Node& begun, const BatchPlan& plan) {
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
    return true;
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
    LAKEMILL_TRY(auto sinks,
                 open_sinks(workspace_, node, state_,
                            {plan.strategy, plan.generation, starts_over(plan),
                             reading_of(plan) == Reading::whole, "", plan.replace_where,
                             plan.follows}));
    BatchRun run{workspace_,      node,          plan,
                 query,           sinks,         state_,
                 options_.run_id, options_.stop, options_.on_progress,
                 std::move(bound)};
    LAKEMILL_TRY_OK(run_batch(run, report_));
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
    LAKEMILL_TRY(purpose.generation, adopted.newest_generation());
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
        const bool told = std::any_of(
            report_.notices.begin(), report_.notices.end(),
            [&](const auto& before) { return before.message == notice.message; });
        if (!told) report_.notices.push_back(std::move(notice));
      }
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
  std::int64_t completed_ = 0;          // the batch that was completed in this run
  std::int64_t completed_letters_ = 0;  // the batch whose dead letters are committed
  NodeReport report_;
};

}  // namespace

Result<Decision> decide(const Workspace& workspace, const language::Node& node,
                        FlowState& state, const NodeRunOptions& options,
                        const ExpectedSchemas& expected) {
  return Decider(workspace, node, state, options, expected).decide();
}

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
