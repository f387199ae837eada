#include "lakemill/orchestrator/journal_entry.h"

#include <array>
#include <utility>

namespace lakemill::orchestrator {

namespace {

constexpr std::array kKinds = {
    std::pair{EntryKind::trigger_began, std::string_view("trigger_began")},
    std::pair{EntryKind::run_requested, std::string_view("run_requested")},
    std::pair{EntryKind::run_skipped, std::string_view("run_skipped")},
    std::pair{EntryKind::run_started, std::string_view("run_started")},
    std::pair{EntryKind::run_ended, std::string_view("run_ended")},
    std::pair{EntryKind::cancel_requested, std::string_view("cancel_requested")},
    std::pair{EntryKind::paused, std::string_view("paused")},
    std::pair{EntryKind::resumed, std::string_view("resumed")},
};

constexpr std::array kOutcomes = {
    std::pair{RunOutcome::succeeded, std::string_view("succeeded")},
    std::pair{RunOutcome::failed, std::string_view("failed")},
    std::pair{RunOutcome::cancelled, std::string_view("cancelled")},
    std::pair{RunOutcome::interrupted, std::string_view("interrupted")},
};

template <typename Names, typename Value>
std::string_view name_in(const Names& names, Value value) {
  for (const auto& [known, name] : names) {
    if (known == value) return name;
  }
  return "";
}

template <typename Names>
auto value_in(const Names& names, std::string_view text)
    -> std::optional<typename Names::value_type::first_type> {
  for (const auto& [value, name] : names) {
    if (name == text) return value;
  }
  return std::nullopt;
}

// Text that is left out where it is empty.
constexpr std::array kTexts = {
    std::pair{"member", &JournalEntry::member},
    std::pair{"actor", &JournalEntry::actor},
    std::pair{"trigger", &JournalEntry::trigger},
    std::pair{"cursor", &JournalEntry::cursor},
    std::pair{"key", &JournalEntry::key},
    std::pair{"run_id", &JournalEntry::run_id},
    std::pair{"reason", &JournalEntry::reason},
    std::pair{"message", &JournalEntry::message},
};

}  // namespace

std::string_view to_text(EntryKind kind) { return name_in(kKinds, kind); }

std::string_view to_text(RunOutcome outcome) { return name_in(kOutcomes, outcome); }

std::optional<RunOutcome> outcome_from_text(std::string_view text) {
  return value_in(kOutcomes, text);
}

std::vector<std::string> strings_member(const Json& json, std::string_view key) {
  std::vector<std::string> strings;
  const Json* list = find_member(json, key);
  if (list == nullptr || !list->is_array()) return strings;
  for (const Json& item : *list) {
    if (item.is_string()) strings.push_back(item.get<std::string>());
  }
  return strings;
}

std::optional<Instant> instant_member(const Json& json, std::string_view key) {
  const auto instant = parse_instant(string_member(json, key, ""));
  return instant ? std::optional(*instant) : std::nullopt;
}

Json to_json(const RunWish& wish) {
  Json json = Json::object();
  if (!wish.selectors.empty()) json["select"] = wish.selectors;
  if (wish.full_refresh) json["full_refresh"] = true;
  if (!wish.parameters.empty()) json["parameters"] = wish.parameters;
  if (!wish.without.empty()) json["without"] = wish.without;
  if (wish.priority != 0) json["priority"] = wish.priority;
  if (wish.continuous) json["continuous"] = true;
  return json;
}

RunWish wish_from_json(const Json& json) {
  RunWish wish;
  wish.selectors = strings_member(json, "select");
  wish.without = strings_member(json, "without");
  wish.full_refresh = bool_member(json, "full_refresh", false);
  wish.continuous = bool_member(json, "continuous", false);
  wish.priority = static_cast<int>(integer_member(json, "priority", 0));
  const Json* parameters = find_member(json, "parameters");
  if (parameters == nullptr || !parameters->is_object()) return wish;
  for (const auto& [name, value] : parameters->items()) {
    if (value.is_string()) wish.parameters[name] = value.get<std::string>();
  }
  return wish;
}

JournalEntry entry_of(EntryKind kind, Instant at) {
  JournalEntry entry;
  entry.kind = kind;
  entry.at = at;
  return entry;
}

Json to_json(const JournalEntry& entry) {
  Json json{{"number", entry.number},
            {"kind", to_text(entry.kind)},
            {"id", entry.id},
            {"at", format_instant(entry.at)}};
  for (const auto& [key, text] : kTexts) {
    if (!(entry.*text).empty()) json[key] = entry.*text;
  }
  if (entry.attempt != 0) json["attempt"] = entry.attempt;
  if (entry.count != 0) json["count"] = entry.count;
  if (entry.wish != RunWish()) json["wish"] = to_json(entry.wish);
  if (entry.outcome) json["outcome"] = to_text(*entry.outcome);
  if (!entry.done_nodes.empty()) json["done_nodes"] = entry.done_nodes;
  if (entry.retry_at) json["retry_at"] = format_instant(*entry.retry_at);
  return json;
}

Result<JournalEntry> entry_from_json(const Json& json) {
  const auto kind = value_in(kKinds, string_member(json, "kind", ""));
  const auto at = instant_member(json, "at");
  const std::int64_t number = integer_member(json, "number", 0);
  if (!kind || !at || number <= 0) {
    return Error(ErrorCode::corrupt, "no entry of a journal: " + json_text(json));
  }
  JournalEntry entry = entry_of(*kind, *at);
  entry.number = number;
  entry.id = string_member(json, "id", "");
  for (const auto& [key, text] : kTexts) entry.*text = string_member(json, key, "");
  entry.attempt = static_cast<int>(integer_member(json, "attempt", 0));
  entry.count = integer_member(json, "count", 0);
  const Json* wish = find_member(json, "wish");
  if (wish != nullptr) entry.wish = wish_from_json(*wish);
  entry.outcome = outcome_from_text(string_member(json, "outcome", ""));
  entry.done_nodes = strings_member(json, "done_nodes");
  entry.retry_at = instant_member(json, "retry_at");
  return entry;
}

}  // namespace lakemill::orchestrator
