#include "lakemill/orchestrator/pipeline_state.h"

#include <algorithm>
#include <array>

#include "lakemill/base/check.h"

namespace lakemill::orchestrator {

namespace {

constexpr std::array<std::string_view, 4> kStatusNames = {"queued", "running",
                                                          "waiting_to_retry", "ended"};

// The run whose `member` is `text`, of the open ones first; null: none.
const RunState* find_by(const PipelineState& state, std::string RunState::*member,
                        std::string_view text) {
  const auto is_meant = [&](const RunState& run) { return run.*member == text; };
  const auto open = std::find_if(state.open.begin(), state.open.end(), is_meant);
  if (open != state.open.end()) return &*open;
  const auto ended = std::find_if(state.ended.begin(), state.ended.end(), is_meant);
  return ended == state.ended.end() ? nullptr : &*ended;
}

void put_off(PipelineState& state, std::vector<RunState>::iterator run) {
  run->status = RunStatus::ended;
  state.ended.push_back(std::move(*run));
  state.open.erase(run);
  while (state.ended.size() > kEndedRunsMax) state.ended.pop_front();
}

void request(PipelineState& state, const JournalEntry& entry) {
  RunState run;
  run.run_id = entry.run_id;
  run.wish = entry.wish;
  run.actor = entry.actor;
  run.trigger = entry.trigger;
  run.key = entry.key;
  run.requested_at = entry.at;
  state.open.push_back(std::move(run));
}

void start(RunState& run, const JournalEntry& entry) {
  run.status = RunStatus::running;
  run.attempt = entry.attempt;
  run.member = entry.member;
  run.retry_at.reset();
  if (!run.started_at) run.started_at = entry.at;
}

void end(PipelineState& state, std::vector<RunState>::iterator run,
         const JournalEntry& entry) {
  run->ended_at = entry.at;
  run->outcome = entry.outcome;
  run->message = entry.message;
  run->retry_at = entry.retry_at;
  if (entry.outcome == RunOutcome::failed) ++run->failures;
  if (entry.outcome == RunOutcome::interrupted && entry.reason.empty()) {
    ++run->interruptions;
  }
  for (const std::string& node : entry.done_nodes) {
    const auto known = std::find(run->done_nodes.begin(), run->done_nodes.end(), node);
    if (known == run->done_nodes.end()) run->done_nodes.push_back(node);
  }
  if (entry.outcome == RunOutcome::succeeded) state.last_success = entry.number;
  if (entry.retry_at) {
    run->status = RunStatus::waiting_to_retry;
  } else {
    put_off(state, run);
  }
}

void put_instant(Json& json, const char* key, const std::optional<Instant>& instant) {
  if (instant) json[key] = format_instant(*instant);
}

Json to_json(const RunState& run) {
  Json json{{"run_id", run.run_id},
            {"status", to_text(run.status)},
            {"wish", to_json(run.wish)},
            {"actor", run.actor},
            {"trigger", run.trigger},
            {"key", run.key},
            {"requested_at", format_instant(run.requested_at)},
            {"attempt", run.attempt},
            {"member", run.member},
            {"message", run.message},
            {"failures", run.failures},
            {"interruptions", run.interruptions},
            {"cancel_requested", run.cancel_requested},
            {"done_nodes", run.done_nodes}};
  put_instant(json, "started_at", run.started_at);
  put_instant(json, "ended_at", run.ended_at);
  put_instant(json, "retry_at", run.retry_at);
  if (run.outcome) json["outcome"] = to_text(*run.outcome);
  return json;
}

Result<RunState> run_from_json(const Json& json) {
  RunState run;
  const std::string status = string_member(json, "status", "");
  const auto known = std::find(kStatusNames.begin(), kStatusNames.end(), status);
  const auto requested_at = instant_member(json, "requested_at");
  if (known == kStatusNames.end() || !requested_at) {
    return Error(ErrorCode::corrupt, "no run of a journal: " + json_text(json));
  }
  run.status = static_cast<RunStatus>(known - kStatusNames.begin());
  run.requested_at = *requested_at;
  run.run_id = string_member(json, "run_id", "");
  const Json* wish = find_member(json, "wish");
  if (wish != nullptr) run.wish = wish_from_json(*wish);
  run.actor = string_member(json, "actor", "");
  run.trigger = string_member(json, "trigger", "");
  run.key = string_member(json, "key", "");
  run.attempt = static_cast<int>(integer_member(json, "attempt", 0));
  run.member = string_member(json, "member", "");
  run.message = string_member(json, "message", "");
  run.failures = static_cast<int>(integer_member(json, "failures", 0));
  run.interruptions = static_cast<int>(integer_member(json, "interruptions", 0));
  run.cancel_requested = bool_member(json, "cancel_requested", false);
  run.done_nodes = strings_member(json, "done_nodes");
  run.started_at = instant_member(json, "started_at");
  run.ended_at = instant_member(json, "ended_at");
  run.retry_at = instant_member(json, "retry_at");
  run.outcome = outcome_from_text(string_member(json, "outcome", ""));
  return run;
}

template <typename Runs>
Status read_runs(const Json& json, std::string_view key, Runs& runs) {
  const Json* list = find_member(json, key);
  if (list == nullptr || !list->is_array()) return {};
  for (const Json& item : *list) {
    LAKEMILL_TRY(RunState run, run_from_json(item));
    runs.push_back(std::move(run));
  }
  return {};
}

}  // namespace

std::string_view to_text(RunStatus status) {
  return kStatusNames[static_cast<std::size_t>(status)];
}

const RunState* PipelineState::find_run(std::string_view run_id) const {
  return find_by(*this, &RunState::run_id, run_id);
}

const RunState* PipelineState::run_of_key(std::string_view key) const {
  return find_by(*this, &RunState::key, key);
}

int PipelineState::running() const {
  return static_cast<int>(std::count_if(
      open.begin(), open.end(),
      [](const RunState& run) { return run.status == RunStatus::running; }));
}

void apply(PipelineState& state, const JournalEntry& entry) {
  LAKEMILL_CHECK(entry.number == state.entries + 1);
  state.entries = entry.number;
  if (!entry.trigger.empty() && !entry.cursor.empty()) {
    state.cursors[entry.trigger] = entry.cursor;
  }
  const auto run =
      std::find_if(state.open.begin(), state.open.end(),
                   [&](const RunState& each) { return each.run_id == entry.run_id; });
  const bool is_open = run != state.open.end();
  switch (entry.kind) {
    case EntryKind::trigger_began:
    case EntryKind::run_skipped:
      break;
    case EntryKind::run_requested:
      if (!is_open) request(state, entry);
      break;
    case EntryKind::run_started:
      if (is_open) start(*run, entry);
      break;
    case EntryKind::run_ended:
      if (is_open && run->attempt == entry.attempt) end(state, run, entry);
      break;
    case EntryKind::cancel_requested:
      if (is_open) run->cancel_requested = true;
      break;
    case EntryKind::paused:
      state.paused = true;
      break;
    case EntryKind::resumed:
      state.paused = false;
      break;
  }
}

Json to_json(const PipelineState& state) {
  Json open = Json::array();
  for (const RunState& run : state.open) open.push_back(to_json(run));
  Json ended = Json::array();
  for (const RunState& run : state.ended) ended.push_back(to_json(run));
  return {{"entries", state.entries},
          {"cursors", state.cursors},
          {"open", std::move(open)},
          {"ended", std::move(ended)},
          {"last_success", state.last_success},
          {"paused", state.paused}};
}

Result<PipelineState> state_from_json(const Json& json) {
  PipelineState state;
  state.entries = integer_member(json, "entries", -1);
  if (state.entries < 0) {
    return Error(ErrorCode::corrupt, "no state of a journal: " + json_text(json));
  }
  state.last_success = integer_member(json, "last_success", 0);
  state.paused = bool_member(json, "paused", false);
  const Json* cursors = find_member(json, "cursors");
  if (cursors != nullptr && cursors->is_object()) {
    for (const auto& [trigger, cursor] : cursors->items()) {
      if (cursor.is_string()) state.cursors[trigger] = cursor.get<std::string>();
    }
  }
  LAKEMILL_TRY_OK(read_runs(json, "open", state.open));
  LAKEMILL_TRY_OK(read_runs(json, "ended", state.ended));
  return state;
}

}  // namespace lakemill::orchestrator
