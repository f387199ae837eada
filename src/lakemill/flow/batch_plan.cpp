#include "lakemill/flow/batch_plan.h"

namespace lakemill::flow {

namespace {

constexpr int kNumberBits = 32;

Json slice_to_json(const SourceSlice& slice) {
  Json json = {{"source", slice.source},
               {"from", slice.from},
               {"to", slice.to},
               {"incremental", slice.incremental}};
  if (!slice.reads.empty()) json["reads"] = slice.reads;
  if (!slice.writer.empty()) json["writer"] = slice.writer;
  return json;
}

Result<SourceSlice> slice_from_json(const Json& json) {
  const Json* to = find_member(json, "to");
  if (to == nullptr) return Error(ErrorCode::corrupt, "a slice lacks `to`");
  const Json* from = find_member(json, "from");
  return SourceSlice{string_member(json, "source", ""),
                     from == nullptr ? Json() : *from,
                     *to,
                     bool_member(json, "incremental", false),
                     string_member(json, "reads", ""),
                     string_member(json, "writer", "")};
}

}  // namespace

std::int64_t BatchPlan::transaction_version() const {
  return (generation << kNumberBits) + number;
}

std::int64_t generation_of(std::int64_t transaction_version) {
  return transaction_version >> kNumberBits;
}

std::int64_t number_of(std::int64_t transaction_version) {
  return transaction_version & ((std::int64_t{1} << kNumberBits) - 1);
}

Json to_json(const BatchPlan& plan) {
  Json slices = Json::array();
  for (const SourceSlice& slice : plan.slices) slices.push_back(slice_to_json(slice));
  Json json = {{"generation", plan.generation},
               {"batch", plan.number},
               {"definition", plan.definition},
               {"now", format_instant(plan.now)},
               {"seed", plan.seed},
               {"run_id", plan.run_id},
               {"strategy", std::string(to_text(plan.strategy))},
               {"reason", std::string(to_text(plan.reason))},
               {"sources", std::move(slices)},
               {"pinned_tables", plan.pinned_tables}};
  for (const auto& [view, moment] : plan.views) {
    json["views"][view] = {{"now", format_instant(moment.now)}, {"seed", moment.seed}};
  }
  for (const DeadLetter& letter : plan.dead_letters) {
    json["dead_letters"].push_back({{"source", letter.source},
                                    {"file", letter.file},
                                    {"offset", letter.offset},
                                    {"error", letter.error},
                                    {"size_bytes", letter.size_bytes}});
  }
  for (const SourceSlice& slice : plan.former_slices) {
    json["former_sources"].push_back(slice_to_json(slice));
  }
  if (!plan.replace_where.empty()) json["replace_where"] = plan.replace_where;
  if (plan.follows > 0) json["follows"] = plan.follows;
  if (!plan.sequence.empty()) json["sequence"] = plan.sequence;
  if (plan.copy_of > 0) json["copy_of"] = plan.copy_of;
  if (!plan.change_states.empty()) json["change_states"] = plan.change_states;
  return json;
}

Result<BatchPlan> plan_from_json(const Json& json) {
  BatchPlan plan;
  plan.generation = integer_member(json, "generation", -1);
  plan.number = integer_member(json, "batch", -1);
  plan.definition = string_member(json, "definition", "");
  plan.run_id = string_member(json, "run_id", "");
  plan.replace_where = string_member(json, "replace_where", "");
  plan.follows = integer_member(json, "follows", 0);
  plan.sequence = string_member(json, "sequence", "");
  plan.copy_of = integer_member(json, "copy_of", 0);
  plan.seed = static_cast<std::uint64_t>(integer_member(json, "seed", 0));
  const auto now = parse_instant(string_member(json, "now", ""));
  const auto strategy = strategy_from_text(string_member(json, "strategy", ""));
  const auto reason = reason_from_text(string_member(json, "reason", ""));
  const Json* slices = find_member(json, "sources");
  constexpr std::int64_t kMax = std::int64_t{1} << (kNumberBits - 1);
  const bool is_numbered = plan.generation >= 0 && plan.generation < kMax &&
                           plan.number >= 1 && plan.number < kMax;
  if (!is_numbered || !now || !strategy || !reason || slices == nullptr ||
      !slices->is_array()) {
    return Error(ErrorCode::corrupt, "not a plan: " + json_text(json));
  }
  plan.now = *now;
  plan.strategy = *strategy;
  plan.reason = *reason;
  for (const Json& item : *slices) {
    LAKEMILL_TRY(SourceSlice slice, slice_from_json(item));
    plan.slices.push_back(std::move(slice));
  }
  if (const Json* former = find_member(json, "former_sources");
      former != nullptr && former->is_array()) {
    for (const Json& item : *former) {
      LAKEMILL_TRY(SourceSlice slice, slice_from_json(item));
      plan.former_slices.push_back(std::move(slice));
    }
  }
  if (const Json* letters = find_member(json, "dead_letters");
      letters != nullptr && letters->is_array()) {
    for (const Json& item : *letters) {
      plan.dead_letters.push_back(
          {string_member(item, "source", ""), string_member(item, "file", ""),
           string_member(item, "offset", ""), string_member(item, "error", ""),
           integer_member(item, "size_bytes", 0)});
    }
  }
  if (const Json* pinned = find_member(json, "pinned_tables");
      pinned != nullptr && pinned->is_object()) {
    for (const auto& [name, version] : pinned->items()) {
      if (version.is_number_integer()) {
        plan.pinned_tables[name] = version.get<std::int64_t>();
      }
    }
  }
  if (const Json* states = find_member(json, "change_states");
      states != nullptr && states->is_object()) {
    for (const auto& [target, folder] : states->items()) {
      plan.change_states[target] = string_member(*states, target, "");
    }
  }
  if (const Json* views = find_member(json, "views");
      views != nullptr && views->is_object()) {
    for (const auto& [view, moment] : views->items()) {
      const auto then = parse_instant(string_member(moment, "now", ""));
      if (!then) return Error(ErrorCode::corrupt, "not a plan: " + json_text(json));
      plan.views[view] = {
          *then, static_cast<std::uint64_t>(integer_member(moment, "seed", 0))};
    }
  }
  return plan;
}

}  // namespace lakemill::flow
