#include "lakemill/flow/flow_position.h"

#include <algorithm>

namespace lakemill::flow {

namespace {

constexpr std::size_t kPlanBytesMax = 256 << 10;  // of a plan inside a commit
constexpr std::size_t kRepairCommitsMax = 1000;   // looked through for a lost plan

// What one sink holds in one generation; 0 where it holds nothing of it.
std::int64_t held_number(std::optional<std::int64_t> held, std::int64_t generation) {
  if (!held || generation_of(*held) != generation) return 0;
  return number_of(*held);
}

// What commitInfo of one of the tables says of a batch: {plan, plan_content, …}, or
// nothing. Looks at the newest commits first: it nearly always is the newest.
Result<std::optional<Json>> committed_facts(const Workspace& workspace,
                                            const std::vector<NodeSink>& sinks,
                                            std::int64_t generation,
                                            std::int64_t number) {
  for (const NodeSink& sink : sinks) {
    if (!sink.place.is_delta) continue;
    LAKEMILL_TRY(const auto table, open_table(workspace, sink.place));
    for (const std::size_t commits_max : {std::size_t{1}, kRepairCommitsMax}) {
      auto history = table->history(commits_max);
      if (!history) break;  // no table here yet, or its early commits were cleaned away
      for (const delta::HistoryEntry& entry : *history) {
        const Json* ours = find_member(entry.commit_info, "lakemill");
        if (ours != nullptr && integer_member(*ours, "generation", -1) == generation &&
            integer_member(*ours, "batch", -1) == number) {
          return std::optional<Json>(*ours);
        }
      }
    }
  }
  return std::optional<Json>();
}

// The plan of a batch that a sink holds: as written, unless the tables' logs say that
// it was altered or lost; then as they say.
Result<BatchPlan> plan_of(const Workspace& workspace, FlowState& state,
                          const std::vector<NodeSink>& sinks, std::int64_t generation,
                          std::int64_t number) {
  auto found = state.find_plan(generation, number);
  if (!found && found.error().code() != ErrorCode::corrupt) {
    return std::move(found).error();
  }
  LAKEMILL_TRY(const auto facts, committed_facts(workspace, sinks, generation, number));
  if (found && *found) {
    const bool as_committed =
        !facts || string_member(*facts, "plan", "") == plan_hash(**found);
    if (as_committed) return **std::move(found);
  }
  const Json* content = facts ? find_member(*facts, "plan_content") : nullptr;
  if (content != nullptr) {
    LAKEMILL_TRY(const BatchPlan plan, plan_from_json(*content));
    return state.save_plan(plan);
  }
  return Error(ErrorCode::corrupt,
               "the plan of batch " + std::to_string(number) + " in " + state.url("") +
                   " is missing or altered, and the table's log does not hold it any "
                   "more; restore the folder from a backup, or run the node with "
                   "--full-refresh");
}

}  // namespace

Json commit_details(const BatchPlan& plan) {
  Json details = {{"plan", plan_hash(plan)}, {"definition", plan.definition}};
  Json content = to_json(plan);
  if (json_text(content).size() <= kPlanBytesMax) {
    details["plan_content"] = std::move(content);
  }
  return details;
}

Result<FlowPosition> find_position(const Workspace& workspace, FlowState& state,
                                   const std::string& app_id,
                                   std::vector<NodeSink>& sinks) {
  FlowPosition position;
  std::vector<std::optional<std::int64_t>> held;
  bool all_forget = true;
  LAKEMILL_TRY(position.generation, state.newest_generation());
  for (NodeSink& sink : sinks) {
    if (!sink.remembers) continue;
    all_forget = false;
    LAKEMILL_TRY(const auto last, sink.sink->last_batch(app_id));
    held.push_back(last);
    if (last) position.generation = std::max(position.generation, generation_of(*last));
  }
  std::int64_t lowest = 0;
  std::int64_t highest = 0;
  if (all_forget) {
    LAKEMILL_TRY(const auto done, state.last_done(position.generation));
    lowest = highest = done.value_or(0);
  } else {
    lowest = held_number(held.front(), position.generation);
    for (const auto& last : held) {
      const std::int64_t number = held_number(last, position.generation);
      lowest = std::min(lowest, number);
      highest = std::max(highest, number);
    }
  }
  // A sink that was added to the node later holds nothing yet: it follows from here on.
  position.done = highest > lowest + 1 ? highest : lowest;
  if (position.done > 0) {
    LAKEMILL_TRY(position.last,
                 plan_of(workspace, state, sinks, position.generation, position.done));
  }
  if (highest > position.done) {
    LAKEMILL_TRY(position.begun,
                 plan_of(workspace, state, sinks, position.generation, highest));
    position.begun_is_held = true;
    return position;
  }
  LAKEMILL_TRY(position.begun, state.find_plan(position.generation, position.done + 1));
  if (position.done == 0) {
    LAKEMILL_TRY(const auto last, state.last_plan(position.generation));
    position.target_lost = last && last->number > 1;
  }
  return position;
}

}  // namespace lakemill::flow
