#include "lakemill/flow/flow_position.h"

#include <algorithm>
#include <limits>
#include <set>

#include "lakemill/flow/change_states.h"
#include "lakemill/language/definition.h"

namespace lakemill::flow {

namespace {

constexpr std::size_t kPlanBytesMax = 256 << 10;  // of a plan inside a commit
constexpr std::size_t kRepairCommitsMax = 1000;   // looked through for a lost plan

// What one sink holds in one generation; 0 where it holds nothing of it.
std::int64_t held_number(std::optional<std::int64_t> held, std::int64_t generation) {
  if (!held || generation_of(*held) != generation) return 0;
  return number_of(*held);
}

bool tells_of(const Json& facts, const std::string& app_id, std::int64_t generation,
              std::int64_t number) {
  return string_member(facts, "flow", "") == app_id &&
         integer_member(facts, "generation", -1) == generation &&
         integer_member(facts, "batch", -1) == number;
}

// What commitInfo of a table says of a batch: {plan, plan_content, …}, or nothing.
// Looks at the newest commits first: it nearly always is the newest.
Result<std::optional<Json>> facts_in(delta::Table& table, const std::string& app_id,
                                     std::int64_t generation, std::int64_t number) {
  std::size_t looked_at = 0;
  for (const std::size_t commits_max :
       {std::size_t{1}, std::size_t{8}, std::size_t{64}, kRepairCommitsMax}) {
    auto history = table.history(commits_max);
    if (!history) {
      // No table here yet, or its early commits were cleaned away.
      if (history.error().code() == ErrorCode::not_found) break;
      return std::move(history).error();
    }
    for (std::size_t i = looked_at; i < history->size(); ++i) {
      auto ours = noted_batch((*history)[i].commit_info);
      if (ours && tells_of(*ours, app_id, generation, number)) return ours;
    }
    if (history->size() < commits_max) break;  // that was all
    looked_at = history->size();
  }
  return std::optional<Json>();
}

// What a sink says of a batch: its target, or a table beside it that has it already; of
// files what was claimed for them.
Result<std::optional<Json>> facts_of(const Workspace& workspace, FlowState& state,
                                     const NodeSink& sink, const std::string& app_id,
                                     std::int64_t transaction_version) {
  const std::int64_t generation = generation_of(transaction_version);
  const std::int64_t number = number_of(transaction_version);
  std::optional<Json> facts;
  if (!sink.place.is_delta) {
    if (!sink.remembers) return facts;
    LAKEMILL_TRY(const auto claimed, state.claimed_plan(generation, number));
    if (claimed) {
      facts = Json{{"plan", plan_hash(*claimed)}, {"plan_content", to_json(*claimed)}};
    }
    return facts;
  }
  std::vector<std::string> urls = sink.sink->companions();
  urls.insert(urls.begin(), sink.place.url);
  for (const std::string& url : urls) {
    LAKEMILL_TRY(const auto table, workspace.catalog.open_url(url));
    LAKEMILL_TRY(facts, facts_in(*table, app_id, generation, number));
    if (facts) break;
  }
  return facts;
}

// A flow on its way to know where it stands.
class PositionSearch {
 public:
  PositionSearch(const Workspace& workspace, const language::Node& node,
                 FlowState& state, std::vector<NodeSink>& sinks)
      : workspace_(workspace),
        node_(node),
        state_(state),
        app_id_(flow_id(workspace, node)),
        sinks_(sinks) {}

  Result<FlowPosition> find(std::int64_t generation) {
    position_.generation = generation;
    LAKEMILL_TRY_OK(read_transactions());
    std::int64_t lowest = std::numeric_limits<std::int64_t>::max();
    std::int64_t highest = 0;
    for (std::size_t i = 0; i < sinks_.size(); ++i) {
      LAKEMILL_TRY(const std::int64_t done, done_of(i));
      done_.push_back(done);
      lowest = std::min(lowest, done);
      highest = std::max({highest, done, held_number(begun_[i], position_.generation)});
    }
    position_.done = highest;
    if (lowest < highest) LAKEMILL_TRY_OK(compare_sinks(highest));
    if (position_.target_lost) return std::move(position_);
    for (std::size_t i = 0; i < sinks_.size() && position_.done > 0; ++i) {
      if (sinks_[i].remembers && done_[i] >= position_.done) {
        position_.holding.insert(sinks_[i].place.url);
      }
    }
    if (position_.done > 0) {
      LAKEMILL_TRY(position_.last, plan_of(position_.done));
      LAKEMILL_TRY(position_.target_moved, is_elsewhere(*position_.last));
    }
    if (position_.begun_is_held) return std::move(position_);
    LAKEMILL_TRY(position_.begun,
                 state_.find_plan(position_.generation, position_.done + 1));
    position_.begun_is_held = position_.begun && position_.begun->copy_of > 0;
    if (position_.done == 0) {
      LAKEMILL_TRY(const auto last, state_.last_plan(position_.generation));
      position_.target_lost = last && last->number > 1;
    }
    return std::move(position_);
  }

 private:
  Status read_transactions() {
    for (const NodeSink& sink : sinks_) {
      std::optional<std::int64_t> last;
      if (sink.remembers) {
        LAKEMILL_TRY(last, sink.sink->last_batch(app_id_));
      }
      raise_generation(last);
      last_.push_back(last);
    }
    LAKEMILL_TRY_OK(find_change_states());
    for (std::size_t i = 0; i < sinks_.size(); ++i) {
      std::optional<std::int64_t> begun;
      if (sinks_[i].remembers) {
        LAKEMILL_TRY(begun, sinks_[i].sink->begun_batch(app_id_));
        begun = std::max(begun, last_[i]);
        if (!sinks_[i].place.is_delta) LAKEMILL_TRY_OK(add_claimed(begun));
      }
      raise_generation(begun);
      begun_.push_back(begun);
    }
    return {};
  }

  void raise_generation(std::optional<std::int64_t> held) {
    if (!held) return;
    position_.generation = std::max(position_.generation, generation_of(*held));
  }

  // A merge that stands elsewhere among the sinks than it did is opened once more, with
  // its own state.
  Status find_change_states() {
    const bool merges = std::any_of(
        sinks_.begin(), sinks_.end(),
        [](const NodeSink& sink) { return sink.spec->merge_cdc_options.has_value(); });
    const auto newest = *std::max_element(last_.begin(), last_.end());
    const std::int64_t number = held_number(newest, position_.generation);
    if (!merges || number == 0) return {};
    LAKEMILL_TRY(const BatchPlan plan, plan_of(number));
    SinkPurpose purpose = purpose_of(plan);
    LAKEMILL_TRY(purpose.change_states,
                 change_states_behind(workspace_, node_, state_, &plan));
    if (purpose.change_states.empty()) return {};
    purpose.strategy = Strategy::merge;
    LAKEMILL_TRY(sinks_, open_sinks(workspace_, node_, state_, purpose));
    return {};
  }

  // A batch whose file may come at any moment counts as begun.
  Status add_claimed(std::optional<std::int64_t>& begun) {
    LAKEMILL_TRY(const std::int64_t number, state_.claimed_only(position_.generation));
    if (number == 0) return {};
    BatchPlan claimed;
    claimed.generation = position_.generation;
    claimed.number = number;
    begun = std::max(begun, std::optional(claimed.transaction_version()));
    return {};
  }

  // The last batch that a sink holds whole; of a single file by the flow's own note.
  Result<std::int64_t> done_of(std::size_t i) {
    if (sinks_[i].remembers) return held_number(last_[i], position_.generation);
    LAKEMILL_TRY(const bool exists, target_exists(workspace_, sinks_[i].place));
    if (!exists) return std::int64_t{0};
    LAKEMILL_TRY(const auto noted, state_.last_done(position_.generation));
    return noted.value_or(0);
  }

  // Some sinks hold batch `highest` and others do not: those that it was to be written
  // to get it; one that was added to the node later follows from here on; a sink that
  // lacks more than this batch was lost, and with it the target if nothing else than a
  // whole reading makes the sinks what they are.
  Status compare_sinks(std::int64_t highest) {
    LAKEMILL_TRY(const BatchPlan plan, plan_of(highest));
    LAKEMILL_TRY(const auto written_to, places_of(plan));
    for (std::size_t i = 0; i < sinks_.size(); ++i) {
      if (done_[i] == highest || !written_to.contains(sinks_[i].place.url)) continue;
      bool lacks_it_only = done_[i] == highest - 1;
      if (!lacks_it_only && !sinks_[i].is_primary && sinks_[i].remembers) {
        LAKEMILL_TRY(const bool was_there,
                     was_written_to(highest - 1, sinks_[i].place.url));
        lacks_it_only = !was_there;
      }
      if (lacks_it_only) {
        position_.done = highest - 1;
        position_.begun_is_held = true;
      } else if (sinks_[i].is_primary || (sinks_[i].remembers && is_made_whole(plan))) {
        position_.target_lost = true;
      } else if (sinks_[i].remembers) {
        position_.lost_sink = sinks_[i].place.url;
      }
    }
    if (position_.begun_is_held) position_.begun = plan;
    return {};
  }

  // False if batch `number` was of a definition that does not have the sink.
  Result<bool> was_written_to(std::int64_t number, const std::string& url) {
    const auto plan = state_.find_plan(position_.generation, number);
    if (!plan || !*plan) return true;
    const auto urls = places_of(**plan);
    return !urls || urls->contains(url);
  }

  // True if the next batch makes every sink anew.
  bool is_made_whole(const BatchPlan& plan) const {
    return plan.strategy == Strategy::replace &&
           std::all_of(sinks_.begin(), sinks_.end(), [](const NodeSink& sink) {
             return sink.spec->is_quarantine ||
                    (!sink.spec->merge_cdc_options && !sink.spec->shared &&
                     sink.spec->mode != language::SinkMode::append);
           });
  }

  // True if the first sink of the plan's definition is not the first one now.
  Result<bool> is_elsewhere(const BatchPlan& plan) {
    if (plan.definition == definition_hash(node_.definition)) return false;
    const auto definition = state_.load_definition(plan.definition);
    if (!definition) return false;  // an old one that was cleaned away
    LAKEMILL_TRY(const language::Node before,
                 language::node_from_definition(*definition));
    const language::Sink* sink = before.primary_sink();
    if (sink == nullptr || node_.primary_sink() == nullptr) return false;
    const auto then = place_of(workspace_, before, *sink);
    LAKEMILL_TRY(const Place now, place_of(workspace_, node_, *node_.primary_sink()));
    return then && then->url != now.url;
  }

  // The URLs of the sinks that the plan's definition has.
  Result<std::set<std::string>> places_of(const BatchPlan& plan) {
    std::set<std::string> urls;
    if (plan.definition == definition_hash(node_.definition)) {
      for (const NodeSink& sink : sinks_) urls.insert(sink.place.url);
      return urls;
    }
    LAKEMILL_TRY(const Json definition, state_.load_definition(plan.definition));
    LAKEMILL_TRY(const language::Node begun,
                 language::node_from_definition(definition));
    for (const language::Sink& sink : begun.sinks) {
      LAKEMILL_TRY(const Place place, place_of(workspace_, begun, sink));
      urls.insert(place.url);
    }
    return urls;
  }

  // The plan of a batch that a sink holds: as written, unless the tables' logs say that
  // it was altered or lost; then as they say.
  Result<BatchPlan> plan_of(std::int64_t number) {
    const auto known = plans_.find(number);
    if (known != plans_.end()) return known->second;
    LAKEMILL_TRY(BatchPlan plan, read_plan(number));
    plans_[number] = plan;
    return plan;
  }

  Result<BatchPlan> read_plan(std::int64_t number) {
    auto found = state_.find_plan(position_.generation, number);
    if (!found && found.error().code() != ErrorCode::corrupt) {
      return std::move(found).error();
    }
    BatchPlan batch;
    batch.generation = position_.generation;
    batch.number = number;
    std::optional<Json> facts;
    for (const NodeSink& sink : sinks_) {
      if (facts) break;
      LAKEMILL_TRY(facts, facts_of(workspace_, state_, sink, app_id_,
                                   batch.transaction_version()));
    }
    if (found && *found) {
      const bool as_committed =
          !facts || string_member(*facts, "plan", "") == plan_hash(**found);
      if (as_committed) return **std::move(found);
    }
    const Json* content = facts ? find_member(*facts, "plan_content") : nullptr;
    if (content != nullptr) {
      LAKEMILL_TRY(const BatchPlan plan, plan_from_json(*content));
      return state_.save_plan(plan);
    }
    return Error(ErrorCode::corrupt,
                 "the plan of batch " + std::to_string(number) + " in " +
                     state_.url("") +
                     " is missing or altered, and the table's log does not hold it any "
                     "more; restore the folder from a backup, or run the node with "
                     "--full-refresh");
  }

  const Workspace& workspace_;
  const language::Node& node_;
  FlowState& state_;
  const std::string app_id_;
  std::vector<NodeSink>& sinks_;
  FlowPosition position_;
  std::vector<std::optional<std::int64_t>> last_;   // of each sink
  std::vector<std::optional<std::int64_t>> begun_;  // of each sink
  std::vector<std::int64_t> done_;                  // of each sink
  std::map<std::int64_t, BatchPlan> plans_;         // that plan_of() gave
};

}  // namespace

std::optional<Json> noted_batch(const Json& commit_info) {
  if (const Json* ours = find_member(commit_info, "lakemill")) return *ours;
  const std::string note = string_member(commit_info, "userMetadata", "");
  if (!note.starts_with('{')) return std::nullopt;
  const auto parsed = parse_json(note);
  if (!parsed) return std::nullopt;
  const Json* ours = find_member(*parsed, "lakemill");
  return ours == nullptr ? std::nullopt : std::optional<Json>(*ours);
}

sinks::Batch batch_identity(const Workspace& workspace, const language::Node& node,
                            const BatchPlan& plan, const std::string& run_id) {
  return {flow_id(workspace, node),
          plan.transaction_version(),
          plan.number,
          plan.generation,
          plan.now,
          run_id,
          commit_details(plan)};
}

Json commit_details(const BatchPlan& plan) {
  Json details = {{"plan", plan_hash(plan)}, {"definition", plan.definition}};
  Json content = to_json(plan);
  if (json_text(content).size() <= kPlanBytesMax) {
    details["plan_content"] = std::move(content);
  }
  return details;
}

Result<FlowPosition> find_position(const Workspace& workspace,
                                   const language::Node& node, FlowState& state) {
  LAKEMILL_TRY(const std::int64_t generation, state.newest_generation());
  return find_position_in(workspace, node, state, generation);
}

Result<FlowPosition> find_position_in(const Workspace& workspace,
                                      const language::Node& node, FlowState& state,
                                      std::int64_t generation) {
  SinkPurpose purpose;
  purpose.strategy = Strategy::merge;  // a merge sink tells of its state too
  purpose.generation = generation;
  LAKEMILL_TRY(auto sinks, open_sinks(workspace, node, state, purpose));
  return PositionSearch(workspace, node, state, sinks).find(generation);
}

void withdraw_unless_held(const Workspace& workspace, const language::Node& node,
                          FlowState& state, const BatchPlan& plan) {
  auto sinks = open_sinks(workspace, node, state, purpose_of(plan));
  if (!sinks) return;
  const std::string app_id = flow_id(workspace, node);
  for (const NodeSink& sink : *sinks) {
    if (!sink.remembers) continue;
    const auto held = sink.sink->begun_batch(app_id);
    const auto last = sink.sink->last_batch(app_id);
    if (!held || !last || std::max(*held, *last) >= plan.transaction_version()) return;
  }
  (void)state.withdraw_plan(plan);
}

Result<bool> holds_other_plan(const Workspace& workspace, FlowState& state,
                              const NodeSink& sink, const std::string& app_id,
                              const BatchPlan& plan) {
  LAKEMILL_TRY(const auto facts,
               facts_of(workspace, state, sink, app_id, plan.transaction_version()));
  return facts && string_member(*facts, "plan", "") != plan_hash(plan);
}

namespace {

// Everything that the flow's folder holds; the logs of its tables after their files.
Status copy_state(FlowState& adopted, FlowState& state) {
  LAKEMILL_TRY(const auto objects, adopted.store()->list(adopted.folder() + "/", ""));
  for (const bool logs : {false, true}) {
    for (const auto& object : objects) {
      if ((object.path.find("/_delta_log/") != std::string::npos) != logs) continue;
      LAKEMILL_TRY(const std::string bytes, adopted.store()->get(object.path));
      const auto put = state.store()->put_if_absent(
          state.folder() + object.path.substr(adopted.folder().size()), bytes);
      if (!put && put.error().code() != ErrorCode::exists) return put.error();
    }
  }
  return {};
}

// What a sink holds of the other flow only.
Result<std::optional<std::int64_t>> adoptable(NodeSink& sink, const std::string& app_id,
                                              const std::string& adopted_app_id) {
  std::optional<std::int64_t> held;
  if (!sink.remembers) return held;
  LAKEMILL_TRY(held, sink.sink->last_batch(app_id));
  if (held) return std::optional<std::int64_t>();
  LAKEMILL_TRY(const auto own_begun, sink.sink->begun_batch(app_id));
  LAKEMILL_TRY(held, sink.sink->last_batch(adopted_app_id));
  if (held || own_begun) return held;
  return sink.sink->begun_batch(adopted_app_id);
}

}  // namespace

Result<bool> take_over(const Workspace& workspace, const language::Node& node,
                       const std::string& adopted_node, const std::string& run_id,
                       std::vector<NodeSink>& sinks) {
  const std::string app_id = flow_id(workspace, node);
  const std::string adopted_app_id = flow_id(workspace, adopted_node);
  std::vector<std::pair<NodeSink*, std::int64_t>> found;
  for (NodeSink& sink : sinks) {
    LAKEMILL_TRY(const auto held, adoptable(sink, app_id, adopted_app_id));
    if (held) found.emplace_back(&sink, *held);
  }
  if (found.empty()) return false;
  FlowState adopted = flow_state(workspace, adopted_node);
  FlowState state = flow_state(workspace, node);
  LAKEMILL_TRY_OK(copy_state(adopted, state));
  engine::SessionOptions options;
  options.now = workspace.clock.now();
  LAKEMILL_TRY(const auto session, workspace.engine.open_session(std::move(options)));
  for (const auto& [sink, held] : found) {
    sinks::Batch batch;
    batch.app_id = app_id;
    batch.now = workspace.clock.now();
    batch.run_id = run_id;
    LAKEMILL_TRY(const auto facts,
                 facts_of(workspace, adopted, *sink, adopted_app_id, held));
    if (facts) batch.commit_details = *facts;
    auto taken = sink->sink->take_over(*session, batch);
    if (!taken) return std::move(taken).error().while_doing(sink->place.name);
  }
  return true;
}

}  // namespace lakemill::flow
