#include "lakemill/app/decision_events.h"

#include <optional>

namespace lakemill::app {

using events::EventType;
using orchestrator::EntryKind;
using orchestrator::JournalEntry;
using orchestrator::RunOutcome;

namespace {

// Nothing: no event tells of it, or the run itself does.
std::optional<EventType> type_of(const JournalEntry& entry) {
  switch (entry.kind) {
    case EntryKind::run_requested:
      return EventType::run_requested;
    case EntryKind::run_skipped:
      return EventType::run_skipped;
    case EntryKind::cancel_requested:
      return EventType::run_cancel_requested;
    case EntryKind::paused:
      return EventType::pipeline_paused;
    case EntryKind::resumed:
      return EventType::pipeline_resumed;
    case EntryKind::run_ended:
      if (entry.outcome == RunOutcome::interrupted) return EventType::run_interrupted;
      if (entry.retry_at) return EventType::run_retry;
      return std::nullopt;
    case EntryKind::trigger_began:
    case EntryKind::run_started:
      break;
  }
  return std::nullopt;
}

void put(Json& details, const char* name, const std::string& text) {
  if (!text.empty()) details[name] = text;
}

Json details_of(const JournalEntry& entry, EventType type) {
  Json details = {{"journal", entry.number}, {"member", entry.member}};
  if (type == EventType::run_requested) {
    put(details, "trigger", entry.trigger);
    put(details, "cursor", entry.cursor);
    put(details, "key", entry.key);
    if (!entry.wish.selectors.empty()) details["select"] = entry.wish.selectors;
    if (entry.wish.full_refresh) details["full_refresh"] = true;
    if (!entry.wish.parameters.empty()) details["parameters"] = entry.wish.parameters;
    if (entry.wish.priority != 0) details["priority"] = entry.wish.priority;
  } else if (type == EventType::run_skipped) {
    put(details, "trigger", entry.trigger);
    put(details, "cursor", entry.cursor);
    details["reason"] = entry.reason;
    details["count"] = entry.count;
  } else if (type == EventType::run_interrupted || type == EventType::run_retry) {
    details["attempt"] = entry.attempt;
    if (type == EventType::run_retry) details["at"] = format_instant(*entry.retry_at);
  }
  return details;
}

}  // namespace

void DecisionEvents::tell(const std::string& pipeline, const JournalEntry& entry) {
  const auto type = type_of(entry);
  if (!type) return;
  events::Event event;
  event.type = *type;
  event.pipeline = pipeline;
  event.run_id = entry.run_id;
  event.actor = entry.actor;
  event.message = entry.message;
  event.details = details_of(entry, *type);
  if (*type != EventType::run_requested) event.caused_by = request_of(entry.run_id);
  const std::string id = writer_.add(std::move(event));
  if (*type != EventType::run_requested) return;
  const std::lock_guard lock(mutex_);
  requests_[entry.run_id] = id;
  request_order_.push_back(entry.run_id);
  if (request_order_.size() > kRequestsMax) {
    requests_.erase(request_order_.front());
    request_order_.pop_front();
  }
}

std::string DecisionEvents::request_of(const std::string& run_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = requests_.find(run_id);
  return found == requests_.end() ? "" : found->second;
}

}  // namespace lakemill::app
