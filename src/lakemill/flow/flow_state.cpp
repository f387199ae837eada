#include "lakemill/flow/flow_state.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <functional>
#include <limits>
#include <set>

#include "lakemill/base/hash.h"
#include "lakemill/storage/find_object.h"

namespace lakemill::flow {

namespace {

std::string number_name(std::int64_t number) {
  std::array<char, 32> name{};
  std::snprintf(name.data(), name.size(), "%010lld", static_cast<long long>(number));
  return name.data();
}

std::string revision_name(std::int64_t number, int revision) {
  if (revision == 0) return number_name(number) + ".json";
  std::array<char, 16> suffix{};
  std::snprintf(suffix.data(), suffix.size(), "-r%04d.json", revision);
  return number_name(number) + suffix.data();
}

std::optional<std::int64_t> leading_number(std::string_view text) {
  std::int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr == text.data()) return std::nullopt;
  return number;
}

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

// What messages call the plan at `path`.
std::string place_of_plan(const storage::ObjectStore& store, const std::string& path) {
  return "the plan " + store.url() + "/" + path;
}

Result<BatchPlan> plan_in(const std::string& text, const std::string& place) {
  const auto json = parse_json(text);
  if (!json) {
    return Error(ErrorCode::corrupt, place + " is damaged: " + json.error().message());
  }
  auto plan = plan_from_json(*json);
  if (!plan) return std::move(plan).error().while_doing(place);
  return plan;
}

}  // namespace

std::string definition_hash(const Json& definition) {
  return sha256_hex(json_text(definition));
}

std::string plan_hash(const BatchPlan& plan) {
  return sha256_hex(json_text(to_json(plan)));
}

FlowState::FlowState(std::shared_ptr<storage::ObjectStore> store, std::string folder)
    : store_(std::move(store)), folder_(std::move(folder)) {}

std::string FlowState::url(const std::string& relative) const {
  return store_->url() + "/" + folder_ + "/" + relative;
}

std::string FlowState::generation_folder(std::int64_t generation) const {
  return folder_ + "/" + std::to_string(generation);
}

Result<std::int64_t> FlowState::newest_generation() {
  return generation_before(std::numeric_limits<std::int64_t>::max());
}

Result<std::int64_t> FlowState::generation_before(std::int64_t generation) {
  LAKEMILL_TRY(const auto folders, store_->list_folders(folder_));
  std::set<std::int64_t, std::greater<>> there;
  for (const std::string& name : folders) {
    const auto number = leading_number(name);
    const bool is_ours = number && std::to_string(*number) == name;
    if (is_ours && *number > 0 && *number < generation) there.insert(*number);
  }
  for (const std::int64_t number : there) {
    // Folders stay behind what was withdrawn from them.
    const std::string folder = generation_folder(number) + "/";
    if (store_->head(folder + "generation.json")) return number;
    LAKEMILL_TRY(const auto objects, store_->list(folder, ""));
    if (!objects.empty()) return number;
  }
  return std::int64_t{0};
}

Status FlowState::withdraw_plan(const BatchPlan& plan) {
  LAKEMILL_TRY(const auto revisions,
               store_->list(generation_folder(plan.generation) + "/plans/" +
                                number_name(plan.number),
                            ""));
  const std::string ours = json_text(to_json(plan)) + "\n";
  for (int revision = static_cast<int>(revisions.size()) - 1; revision >= 0;
       --revision) {
    const std::string path = plan_path(plan.generation, plan.number, revision);
    LAKEMILL_TRY(const auto text, storage::find_object(*store_, path));
    if (!text) continue;
    if (*text != ours) break;  // another's
    LAKEMILL_TRY_OK(store_->remove(path));
  }
  return {};
}

Status FlowState::begin_generation(std::int64_t generation) {
  const auto put =
      store_->put_if_absent(generation_folder(generation) + "/generation.json",
                            json_text(Json{{"generation", generation}}) + "\n");
  if (!put && put.error().code() != ErrorCode::exists) return put.error();
  return {};
}

std::string FlowState::plan_path(std::int64_t generation, std::int64_t number,
                                 int revision) const {
  return generation_folder(generation) + "/plans/" + revision_name(number, revision);
}

// Asks by name: the folder of a flow with many batches is long.
Result<std::optional<BatchPlan>> FlowState::find_plan(std::int64_t generation,
                                                      std::int64_t number) {
  std::optional<std::string> newest;
  for (int revision = 0;; ++revision) {
    const std::string path = plan_path(generation, number, revision);
    LAKEMILL_TRY(auto text, storage::find_object(*store_, path));
    if (text) {
      newest = std::move(text);
      continue;
    }
    if (!newest) return std::optional<BatchPlan>();
    const std::string place =
        place_of_plan(*store_, plan_path(generation, number, revision - 1));
    LAKEMILL_TRY(BatchPlan plan, plan_in(*newest, place));
    if (plan.generation != generation || plan.number != number) {
      return Error(ErrorCode::corrupt,
                   place + " is that of batch " + std::to_string(plan.number) +
                       " in generation " + std::to_string(plan.generation) +
                       ", so the state of the flow was changed by hand: put the file "
                       "back as it was");
    }
    return std::optional(std::move(plan));
  }
}

Result<std::optional<BatchPlan>> FlowState::last_plan(std::int64_t generation) {
  const std::string folder = generation_folder(generation) + "/plans/";
  LAKEMILL_TRY(const auto plans, store_->list(folder, ""));
  std::optional<std::int64_t> last;
  for (const auto& plan : plans) {
    const auto number = leading_number(base_name(plan.path));
    if (number && (!last || *number > *last)) last = number;
  }
  if (!last) return std::optional<BatchPlan>();
  return find_plan(generation, *last);
}

Result<BatchPlan> FlowState::save_plan(const BatchPlan& plan) {
  int revision = 0;
  for (;; ++revision) {
    const auto held = store_->head(plan_path(plan.generation, plan.number, revision));
    if (held) continue;
    if (held.error().code() == ErrorCode::not_found) break;
    return held.error();
  }
  const std::string path = plan_path(plan.generation, plan.number, revision);
  const std::string text = json_text(to_json(plan)) + "\n";
  const auto put = store_->put_if_absent(path, text);
  if (put) return plan;
  if (put.error().code() != ErrorCode::exists &&
      put.error().code() != ErrorCode::unknown) {
    return put.error();
  }
  LAKEMILL_TRY(const auto standing, find_plan(plan.generation, plan.number));
  if (!standing) {
    return Error(ErrorCode::unavailable, "it is not known whether " +
                                             place_of_plan(*store_, path) +
                                             " was written; run again");
  }
  return *standing;
}

Status FlowState::forget_plans(std::int64_t generation, std::int64_t number,
                               Instant cutoff) {
  const std::string folder = generation_folder(generation) + "/plans/";
  LAKEMILL_TRY(const auto plans, store_->list(folder, ""));
  std::vector<std::string> old;
  for (const auto& plan : plans) {
    const auto planned = leading_number(base_name(plan.path));
    if (planned && *planned < number - 1 && plan.modified_ms < to_epoch_ms(cutoff)) {
      old.push_back(plan.path);
    }
  }
  return store_->remove_all(old);
}

std::shared_ptr<sources::ArrivalLog> FlowState::arrivals(
    const std::string& source, const sources::FileBase& base) {
  auto& log = arrivals_[source];
  if (log == nullptr) {
    log = std::make_shared<sources::ArrivalLog>(store_, folder_ + "/arrivals/" + source,
                                                base);
  }
  return log;
}

Result<std::string> FlowState::save_definition(const Json& definition) {
  std::string hash = definition_hash(definition);
  const auto put = store_->put_if_absent(folder_ + "/definitions/" + hash + ".json",
                                         json_text(definition) + "\n");
  if (!put && put.error().code() != ErrorCode::exists) return put.error();
  return hash;
}

Result<Json> FlowState::load_definition(const std::string& hash) {
  const std::string path = folder_ + "/definitions/" + hash + ".json";
  LAKEMILL_TRY(const std::string text, store_->get(path));
  LAKEMILL_TRY(Json definition, parse_json(text));
  if (definition_hash(definition) != hash) {
    return Error(ErrorCode::corrupt, "the definition " + store_->url() + "/" + path +
                                         " was altered: its content does not hash to "
                                         "its name");
  }
  return definition;
}

Status FlowState::mark_done(const BatchPlan& plan) {
  const std::string folder = generation_folder(plan.generation) + "/done/";
  LAKEMILL_TRY_OK(store_->put(folder + number_name(plan.number) + ".json",
                              json_text(Json{{"plan", plan_hash(plan)}}) + "\n"));
  (void)store_->remove(folder + number_name(plan.number - 1) + ".json");  // best effort
  return {};
}

// The highest number that names an object of a folder.
Result<std::optional<std::int64_t>> FlowState::highest_in(const std::string& folder) {
  LAKEMILL_TRY(const auto objects, store_->list(folder, ""));
  if (objects.empty()) return std::optional<std::int64_t>();
  return leading_number(base_name(objects.back().path));
}

Result<std::optional<std::int64_t>> FlowState::last_marked(std::int64_t generation) {
  return highest_in(generation_folder(generation) + "/done/");
}

Result<std::optional<std::int64_t>> FlowState::last_done(std::int64_t generation) {
  LAKEMILL_TRY(const auto marked, last_marked(generation));
  if (!marked) return marked;
  const std::string path =
      generation_folder(generation) + "/done/" + number_name(*marked) + ".json";
  LAKEMILL_TRY(const auto mark, storage::find_object(*store_, path));
  if (!mark) return marked;  // passed
  const auto json = parse_json(*mark);
  const std::string by = json ? string_member(*json, "plan", "") : "";
  if (by.empty()) return marked;  // of an older version, which did not tell
  const auto plan = find_plan(generation, *marked);
  const bool stands = !plan || !*plan || plan_hash(**plan) == by;
  return stands ? marked : std::optional(*marked - 1);
}

Result<BatchPlan> FlowState::claim(const BatchPlan& plan) {
  const std::string folder = generation_folder(plan.generation) + "/claimed/";
  const std::string path = folder + number_name(plan.number) + ".json";
  const std::string text = json_text(to_json(plan)) + "\n";
  const auto put = store_->put_if_absent(path, text);
  if (put) {
    (void)store_->remove(folder + number_name(plan.number - 1) + ".json");  // likewise
    return plan;
  }
  if (put.error().code() != ErrorCode::exists &&
      put.error().code() != ErrorCode::unknown) {
    return put.error();
  }
  LAKEMILL_TRY(auto claimed, claimed_plan(plan.generation, plan.number));
  if (!claimed) {
    return Error(ErrorCode::unavailable, "it is not known whether " + store_->url() +
                                             "/" + path + " was written; run again");
  }
  if (plan_hash(*claimed) == plan_hash(plan)) return plan;
  LAKEMILL_TRY(const auto marked, last_marked(plan.generation));
  if (marked.value_or(0) < plan.number) return *std::move(claimed);
  LAKEMILL_TRY_OK(store_->put(path, text));  // its file was removed since
  return plan;
}

Result<std::optional<BatchPlan>> FlowState::claimed_plan(std::int64_t generation,
                                                         std::int64_t number) {
  const std::string path =
      generation_folder(generation) + "/claimed/" + number_name(number) + ".json";
  LAKEMILL_TRY(const auto text, storage::find_object(*store_, path));
  if (!text) return std::optional<BatchPlan>();
  LAKEMILL_TRY(BatchPlan plan, plan_in(*text, place_of_plan(*store_, path)));
  return std::optional(std::move(plan));
}

Result<std::int64_t> FlowState::claimed_only(std::int64_t generation) {
  LAKEMILL_TRY(const auto claimed,
               highest_in(generation_folder(generation) + "/claimed/"));
  if (!claimed) return std::int64_t{0};
  LAKEMILL_TRY(const auto marked, last_marked(generation));
  return *claimed > marked.value_or(0) ? *claimed : 0;
}

}  // namespace lakemill::flow
