#include "lakemill/flow/decision.h"

#include <algorithm>

#include "lakemill/base/text.h"
#include "lakemill/delta/row_changes.h"
#include "lakemill/flow/change_states.h"
#include "lakemill/flow/dead_letters.h"
#include "lakemill/flow/merge_edits.h"
#include "lakemill/flow/named_columns.h"
#include "lakemill/flow/named_tables.h"
#include "lakemill/flow/row_expectations.h"
#include "lakemill/flow/source_identity.h"
#include "lakemill/flow/sql_place.h"
#include "lakemill/language/definition.h"

namespace lakemill::flow {

namespace {

using language::SinkMode;

Error at(const language::Location& location, const std::string& message) {
  return {ErrorCode::invalid, to_text(location) + ": " + message};
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
      any_incremental ? node.sink_that(&language::Sink::asks_to_replace) != nullptr
                      : sink.asks_to_replace();
  if (replaces) return Choice{Strategy::replace, StrategyReason::mode_overwrite, ""};
  if (node.refresh == language::Refresh::replace) {
    return Choice{Strategy::replace, StrategyReason::refresh_key, ""};
  }
  if (any_incremental) return std::nullopt;
  if (sink.asks_to_merge())
    return Choice{Strategy::merge, StrategyReason::mode_merge, ""};
  if (sink.asks_to_append()) {
    return Choice{Strategy::append, StrategyReason::mode_append, ""};
  }
  if (node.refresh == language::Refresh::append) {
    return Choice{Strategy::append, StrategyReason::refresh_key, ""};
  }
  const bool any_replaces = node.sink_that(&language::Sink::asks_to_replace) != nullptr;
  return Choice{
      Strategy::replace,
      any_replaces ? StrategyReason::mode_overwrite : StrategyReason::whole_sources,
      ""};
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
    LAKEMILL_TRY(decision_.position, find_position(workspace_, node_, state_));
    LAKEMILL_TRY_OK(check_refresh());
    LAKEMILL_TRY_OK(open(Reading::as_declared));
    const FlowPosition& position = decision_.position;
    const bool moves = position.target_moved && !position.begun_is_held;
    if ((options_.full_refresh || moves) && !position.target_lost) {
      LAKEMILL_TRY_OK(check_all_is_there(moves));
    }
    if (options_.full_refresh || position.target_lost || moves) begin_generation();
    LAKEMILL_TRY_OK(check_no_sink_is_lost());
    if (options_.stops_at_begun && position.begun_is_held) {
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
    LAKEMILL_TRY_OK(note_sequence());
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
  // A full refresh of a table that others write to would have to take this flow's rows
  // out of it, and cannot tell them from those of the others.
  Status check_refresh() const {
    const FlowPosition& position = decision_.position;
    const bool anew = options_.full_refresh || position.target_moved;
    if (!anew || (position.done == 0 && !position.begun_is_held)) return {};
    for (const language::Sink& sink : node_.sinks) {
      if (!sink.shared || sink.asks_to_replace()) continue;
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
  Status check_all_is_there(bool moves) {
    for (Leaf& leaf : decision_.query->leaves()) {
      const SourceSlice* slice = last_slice(leaf.id);
      if (leaf.source == nullptr || slice == nullptr || !slice->incremental ||
          !leaf.source->incremental()) {
        continue;
      }
      auto there = leaf.source->check(sources::Offset(), slice->to);
      if (!there) {
        return std::move(there).error().while_doing(
            "node " + node_.name +
            (moves ? " cannot be made anew where its first sink writes to now"
                   : " cannot be refreshed"));
      }
    }
    return {};
  }

  // A sink that lacks batches that the others hold would go on from the middle.
  Status check_no_sink_is_lost() const {
    const std::string& lost = decision_.position.lost_sink;
    if (lost.empty()) return {};
    for (const language::Sink& sink : node_.sinks) {
      if (sink.is_view()) continue;
      LAKEMILL_TRY(const Place place, place_of(workspace_, node_, sink));
      if (place.url != lost) continue;
      return at(sink.location,
                "table " + place.name +
                    " was deleted, or put back to an older state: "
                    "it lacks batches that the other sinks of node " +
                    node_.name +
                    " hold; make all of them anew with --full-refresh --select " +
                    node_.name);
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
    const bool edited = rows_are_made_otherwise();
    decision_.strategy = Strategy::skip;
    if (decision_.query->any_incremental()) {
      decision_.reason =
          edited ? StrategyReason::edited_no_rows : StrategyReason::no_new_rows;
    } else {
      decision_.reason =
          edited ? StrategyReason::edited_append : StrategyReason::nothing_new;
    }
  }

  // True if the last batch would give other rows by the definition of now.
  bool rows_are_made_otherwise() const {
    const auto& last = decision_.position.last;
    if (!last || last->definition == definition_hash(node_.definition)) return false;
    const auto before = state_.load_definition(last->definition);
    if (!before) return true;  // an old one that was cleaned away
    for (const char* key : {"source", "sources", "transformer", "views"}) {
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
      LAKEMILL_TRY_OK(open(Reading::as_declared));
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
    LAKEMILL_TRY_OK(choose_strategy());
    if (decision_.strategy == Strategy::replace) decision_.plan.former_slices.clear();
    // What was computed from the sources as wholes holds rows that would be appended
    // once more.
    const auto& last = decision_.position.last;
    if (decision_.strategy != Strategy::append || !last ||
        last->strategy != Strategy::replace || !decision_.query->any_incremental()) {
      return {};
    }
    begin_generation();
    decision_.plan.generation = decision_.position.generation;
    decision_.plan.number = 1;
    decision_.plan.change_states.clear();
    decision_.plan.former_slices.clear();
    decision_.bound.reset();
    return {};
  }

  Status choose_strategy() {
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
    const Strategy incremental =
        sink.asks_to_merge() ? Strategy::merge : Strategy::append;
    const bool mixed = !decision_.query->all_incremental();
    if (shape_.row_wise && !mixed) {
      LAKEMILL_TRY_OK(check_sequence());
      set({incremental,
           incremental == Strategy::merge ? StrategyReason::mode_merge
                                          : StrategyReason::row_wise,
           ""});
      return {};
    }
    Choice choice{
        sink.asks_to_merge() ? Strategy::merge : Strategy::replace,
        shape_.row_wise ? StrategyReason::mixed_sources : StrategyReason::not_row_wise,
        shape_.row_wise ? "" : shape_.not_row_wise_because};
    const bool must_append =
        node_.sink_that(&language::Sink::asks_to_append) != nullptr ||
        node_.refresh == language::Refresh::append;
    if (node_.strict || must_append) {
      return at(
          not_row_wise_at_,
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

  // The changes of a merge are told apart by one kind of sequence only.
  Status note_sequence() {
    if (!needs_sequence(node_)) return {};
    if (!decision_.bound) {
      LAKEMILL_TRY(decision_.bound, bind_plan());
    }
    decision_.plan.sequence = decision_.query->sequence();
    if (!decision_.position.last) return {};
    return check_merge_sequence(decision_.position.last->sequence,
                                decision_.plan.sequence, node_);
  }

  void set(const Choice& choice) {
    decision_.strategy = decision_.plan.strategy = choice.strategy;
    decision_.reason = decision_.plan.reason = choice.reason;
    decision_.detail = choice.detail;
  }

  Status open(Reading reading) {
    const auto& last = decision_.position.last;
    LAKEMILL_TRY(decision_.query, NodeQuery::open(workspace_, node_, state_, reading,
                                                  last ? &*last : nullptr));
    return {};
  }

  Status reopen_whole() { return open(Reading::whole); }

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
      slice.reads = leaf.reads;
      slice.writer = leaf.writer;
      slice.incremental = leaf.source->incremental();
      if (slice.incremental) {
        LAKEMILL_TRY_OK(check_kind(slice));
        slice.from = last_offset(leaf.id);
      }
      auto latest = leaf.source->latest(slice.from);
      LAKEMILL_TRY_OK(check_table(slice, latest));
      LAKEMILL_TRY(slice.to, std::move(latest));
      if (was_made_anew(slice)) {
        begin_generation();
        return plan_slices();
      }
      plan.slices.push_back(std::move(slice));
    }
    note_former(plan);
    const auto& last = decision_.position.last;
    LAKEMILL_TRY(plan.change_states, change_states_behind(workspace_, node_, state_,
                                                          last ? &*last : nullptr));
    decision_.plan = std::move(plan);
    return {};
  }

  // Rows that came by way of something else may well be the same ones.
  Status check_kind(const SourceSlice& slice) const {
    const SourceSlice* before = last_slice(slice.source);
    if (before == nullptr || same_kind(before->reads, slice.reads)) return {};
    return reads_otherwise(*before, slice);
  }

  Error reads_otherwise(const SourceSlice& before, const SourceSlice& now) const {
    return at(node_.location,
              "node " + node_.name + " has read " + before.reads + " and now reads " +
                  now.reads +
                  ": it cannot be told which of these rows its table has already; make "
                  "it anew with --full-refresh --select " +
                  node_.name);
  }

  // A position in one table is none in another, whatever generation that is of; unless
  // it is the output of the same node, which writes elsewhere now.
  Status check_table(const SourceSlice& slice,
                     const Result<sources::Offset>& latest) const {
    const SourceSlice* before = last_slice(slice.source);
    const bool is_elsewhere = before != nullptr && slice.incremental &&
                              before->incremental && !before->reads.empty() &&
                              before->reads != slice.reads &&
                              slice.reads.starts_with("table:");
    if (!is_elsewhere || (!latest && latest.error().code() != ErrorCode::invalid)) {
      return {};
    }
    const bool same_writer = !slice.writer.empty() && slice.writer == before->writer;
    if (same_writer) return {};
    const std::string known = string_member(before->to, "table", "");
    if (latest && string_member(*latest, "table", known) == known) return {};  // moved
    return reads_otherwise(*before, slice);
  }

  // What a source that was taken out had read, until it comes back. A PostgreSQL table
  // begins with its rows again: its slot goes on without it.
  void note_former(BatchPlan& plan) const {
    const auto& last = decision_.position.last;
    if (!last) return;
    for (const auto& slices : {last->slices, last->former_slices}) {
      for (const SourceSlice& slice : slices) {
        const bool is_there = std::any_of(
            decision_.query->leaves().begin(), decision_.query->leaves().end(),
            [&](const Leaf& leaf) { return leaf.id == slice.source; });
        if (is_there || !slice.incremental || slice.to.is_null() ||
            slice.reads.empty() || slice.reads.starts_with("postgres:")) {
          continue;
        }
        plan.former_slices.push_back(slice);
      }
    }
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
    const BatchPlan& last = *decision_.position.last;
    for (const auto* slices : {&last.slices, &last.former_slices}) {
      for (const SourceSlice& slice : *slices) {
        if (slice.source == source) return &slice;
      }
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
    LAKEMILL_TRY_OK(look_at_expectations());
    return look_at_conditions();
  }

  // What a predicate over the node's rows is, its tables noted. Errors: invalid, with
  // the place in the text that it was made of.
  Result<engine::QueryShape> look_at(const std::string& predicate,
                                     const language::SourceText& text,
                                     const std::string& what) {
    const std::string sql = "SELECT " + predicate + " AS holds FROM " +
                            quote_identifier(decision_.bound->relation) + " AS source";
    const std::size_t written = sql.find(text.text);  // unless it was compiled
    auto check = decision_.bound->session->describe(sql, engine::Origin::pipeline);
    if (!check) {
      const Error error(check.error().code(), what + check.error().message());
      return at_place_in_file(text, sql, std::min(written, sql.size()), error);
    }
    shape_.relations.insert(shape_.relations.end(), check->relations.begin(),
                            check->relations.end());
    return check;
  }

  // The conditions of merges may look at other tables too.
  Status look_at_conditions() {
    for (const language::Sink& sink : node_.sinks) {
      if (!sink.merge_cdc_options) continue;
      const language::MergeCdcOptions& merge = *sink.merge_cdc_options;
      for (const auto& [text, what] :
           {std::pair{&merge.delete_where, "delete_where: "},
            std::pair{&merge.truncate_where, "truncate_where: "}}) {
        if (text->empty()) continue;
        const auto looked = look_at("(" + text->text + "\n)", *text, what);
        if (!looked) return looked.error();
      }
    }
    return {};
  }

  // A check that looks at other rows than its own, or at other tables, is as the SQL
  // of a step that does.
  Status look_at_expectations() {
    for (const language::Expectation& expectation : node_.expectations) {
      if (expectation.type != language::ExpectationType::row) continue;
      LAKEMILL_TRY(const std::string predicate,
                   expectation_sql(expectation, shape_.schema));
      LAKEMILL_TRY(const auto check,
                   look_at(predicate, expectation.expression,
                           "expectation '" + expectation.name + "': "));
      constexpr std::string_view kVolatile = "volatile function";
      if (!shape_.row_wise || check.row_wise ||
          check.not_row_wise_because == kVolatile) {
        continue;
      }
      shape_.row_wise = false;
      shape_.not_row_wise_because =
          check.not_row_wise_because + " in expectation '" + expectation.name + "'";
      not_row_wise_at_ = expectation.location;
    }
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
    return pin_references();
  }

  // The versions of the tables that REFERENCE expectations point to.
  Status pin_references() {
    for (const language::Expectation& expectation : node_.expectations) {
      if (expectation.type != language::ExpectationType::reference ||
          refers_to_own_table(workspace_, node_, expectation)) {
        continue;
      }
      LAKEMILL_TRY(const Place place, reference_place(workspace_, node_, expectation));
      if (!place.is_delta) continue;
      LAKEMILL_TRY(const bool exists, target_exists(workspace_, place));
      if (!exists) continue;  // the check tells of it
      LAKEMILL_TRY(const auto table, open_table(workspace_, place));
      LAKEMILL_TRY(const auto snapshot, table->latest());
      decision_.plan.pinned_tables[place.url] = snapshot->version();
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
  language::Location not_row_wise_at_ = node_.location;
};

}  // namespace

Result<Decision> decide(const Workspace& workspace, const language::Node& node,
                        FlowState& state, const NodeRunOptions& options,
                        const ExpectedSchemas& expected) {
  return Decider(workspace, node, state, options, expected).decide();
}

}  // namespace lakemill::flow
