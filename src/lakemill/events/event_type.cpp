#include "lakemill/events/event_type.h"

#include <algorithm>
#include <array>

#include "lakemill/base/check.h"

namespace lakemill::events {

namespace {

using enum FieldType;

constexpr bool kRequired = true;
constexpr bool kOptional = false;

// Members that several types have.
constexpr FieldInfo kAttempt{"attempt", integer, kOptional, "of the run, from 1"};
constexpr FieldInfo kCount{"count", integer, kRequired, "how many"};
constexpr FieldInfo kCursor{"cursor", text, kOptional,
                            "up to where the trigger had looked"};
constexpr FieldInfo kExpectation{"expectation", text, kRequired, "its name"};
constexpr FieldInfo kFile{"file", text, kRequired, "its path or url"};
constexpr FieldInfo kFrom{"from", text, kOptional,
                          "the last position whose changes the tables have"};
constexpr FieldInfo kGeneration{"generation", integer, kRequired,
                                "of the flow: +1 with each full refresh"};
constexpr FieldInfo kJournal{"journal", integer, kOptional,
                             "number of the decision in the pipeline's journal"};
constexpr FieldInfo kMember{"member", text, kOptional, "the process, by its id"};
constexpr FieldInfo kRows{"rows", integer, kRequired, "how many"};
constexpr FieldInfo kSeconds{"seconds", number, kRequired, "how long it took"};
constexpr FieldInfo kServer{"server", text, kRequired, "its address and database"};
constexpr FieldInfo kSlot{"slot", text, kRequired, "the replication slot"};
constexpr FieldInfo kSubscription{"subscription", text, kRequired, "its name"};
constexpr FieldInfo kSourceTable{"table", text, kOptional, "schema and table there"};
constexpr FieldInfo kTrigger{"trigger", text, kOptional,
                             "what fired; absent: somebody asked for it"};

constexpr std::array kRunRequested{
    kJournal,
    kMember,
    kTrigger,
    kCursor,
    FieldInfo{"key", text, kOptional, "the request was taken once under it"},
    FieldInfo{"select", texts, kOptional, "selectors of nodes; absent: all"},
    FieldInfo{"full_refresh", boolean, kOptional, "tables are made anew"},
    FieldInfo{"parameters", object, kOptional, "names and values"},
    FieldInfo{"priority", integer, kOptional, "the greatest starts first"},
};
constexpr std::array kRunStarted{
    FieldInfo{"nodes", integer, kRequired, "how many it has"},
    kAttempt,
    kJournal,
    kMember,
};
constexpr std::array kRunEnded{
    kSeconds,
    kAttempt,
    kJournal,
    kMember,
};
constexpr std::array kRunSkipped{
    FieldInfo{"reason", text, kRequired,
              "overlap, missed, paused, waits, queue_full or gone"},
    kCount,
    kTrigger,
    kCursor,
    kJournal,
    kMember,
};
constexpr std::array kRunInterrupted{kAttempt, kJournal, kMember};
constexpr std::array kRunRetry{
    FieldInfo{"at", instant, kRequired, "when the next attempt is due"},
    kAttempt,
    kJournal,
    kMember,
};
constexpr std::array kDecision{kJournal, kMember};

constexpr std::array kNodeEnded{
    FieldInfo{"node", text, kRequired, "its name"},
    FieldInfo{"status", text, kRequired,
              "succeeded, skipped, failed, expectation_failed, blocked or cancelled"},
    FieldInfo{"strategy", text, kRequired, "how it was computed"},
    FieldInfo{"reason", text, kRequired, "why so"},
    FieldInfo{"batches", integer, kRequired, "how many it made"},
    FieldInfo{"rows_in", integer, kRequired, "kept, dropped and quarantined together"},
    FieldInfo{"kept", integer, kRequired, "rows that expectations let pass"},
    FieldInfo{"dropped", integer, kRequired, "rows"},
    FieldInfo{"quarantined", integer, kRequired, "rows"},
    FieldInfo{"rejected", integer, kRequired, "rows that a merge did not take"},
    FieldInfo{"written", integer, kRequired,
              "rows added or updated in its primary sink"},
    kSeconds,
    FieldInfo{"target", text, kRequired, "its primary sink"},
    FieldInfo{"expectations", list, kRequired,
              "{name, status, failed_rows, checked_rows} of the last batch"},
    FieldInfo{"schema_changes", texts, kRequired, "each as a sentence"},
    FieldInfo{"notices", texts, kRequired, "each as a sentence"},
    FieldInfo{"version", integer, kOptional, "of the primary sink's table"},
    FieldInfo{"error", text, kOptional, "why it failed"},
};
constexpr std::array kRetry{
    FieldInfo{"delay_ms", integer, kRequired, "how long until then"},
};

constexpr std::array kBatchPlanned{
    kGeneration,
    FieldInfo{"strategy", text, kRequired, "how it is computed"},
    FieldInfo{"reason", text, kRequired, "why so"},
};
constexpr std::array kBatchCommitted{
    FieldInfo{"rows_in", integer, kRequired, "rows that were read"},
    FieldInfo{"written", integer, kRequired,
              "rows added or updated in the primary sink"},
    FieldInfo{"dropped", integer, kRequired, "rows"},
    FieldInfo{"quarantined", integer, kRequired, "rows"},
    kGeneration,
};

constexpr std::array kTableCommitted{
    FieldInfo{"url", text, kRequired, "the table's root"},
    FieldInfo{"generation", integer, kOptional, "of the flow that wrote"},
    FieldInfo{"operation", text, kOptional, "as the table's history names it"},
    FieldInfo{"written", integer, kOptional, "rows added or updated"},
    FieldInfo{"removed", integer, kOptional, "rows that were deleted"},
    FieldInfo{"foreign", boolean, kOptional, "made by another program"},
    FieldInfo{"rebuilt", boolean, kOptional,
              "told later, from the table's log: who committed died before it told"},
};
constexpr std::array kTableDropped{
    FieldInfo{"url", text, kRequired, "the root it had"},
};

constexpr std::array kExpectations{
    kExpectation,
    FieldInfo{"failed_rows", integer, kRequired, "of an aggregate: 1 if it fails"},
    FieldInfo{"checked_rows", integer, kRequired, "how many were looked at"},
};
constexpr std::array kOfRows{kRows};

constexpr std::array kOfFile{kFile};

constexpr std::array kSlotLost{kSlot, kServer, kFrom};
constexpr std::array kSlotMoved{
    kSlot, kServer, kSourceTable, kFrom,
    FieldInfo{"to", text, kRequired, "where the slot stands"},
};
constexpr std::array kSlotInUse{
    kSlot,
    kServer,
    FieldInfo{"process", text, kOptional, "who reads it: a process of the server"},
    FieldInfo{"user", text, kOptional, "the user of that process"},
    FieldInfo{"client", text, kOptional, "where that user comes from"},
    FieldInfo{"holder", text, kOptional, "the pipeline that it belongs to"},
};
constexpr std::array kTableLost{kSlot, kServer, kSourceTable, kFrom};
constexpr std::array kServerChanged{
    kSlot,
    kServer,
    FieldInfo{"system", text, kOptional, "the server's identifier"},
    FieldInfo{"system_before", text, kOptional, "that of the one read before"},
    FieldInfo{"timeline", integer, kOptional, "of its log"},
    FieldInfo{"timeline_before", integer, kOptional, "that of before"},
};
constexpr std::array kConnection{
    kSlot, kServer,
    FieldInfo{"position", text, kRequired, "up to where changes were read"},
};
constexpr std::array kSnapshot{
    kSlot, kServer, FieldInfo{"rows", integer, kRequired, "that were read so far"},
};

constexpr std::array kConfigurationChanged{
    FieldInfo{"file", text, kOptional, "the pipeline's or the project's"},
    FieldInfo{"definition", text, kOptional, "hash of what holds now"},
    FieldInfo{"definition_before", text, kOptional, "hash of what held before"},
    FieldInfo{"is_new", boolean, kOptional, "there was no such pipeline"},
    FieldInfo{"is_gone", boolean, kOptional, "the pipeline's file is gone"},
};
constexpr std::array kConfigurationInvalid{
    FieldInfo{"file", text, kOptional, "the pipeline's or the project's"},
    FieldInfo{"diagnostics", texts, kRequired,
              "what is wrong, each with its place; what held before still holds"},
};
constexpr std::array kUserAction{
    FieldInfo{"action", text, kRequired, "what was to be done"},
    FieldInfo{"outcome", text, kRequired, "done, refused or failed"},
    FieldInfo{"target", text, kOptional, "what it was to be done to"},
    FieldInfo{"route", text, kOptional, "method and path of the API"},
    FieldInfo{"address", text, kOptional, "where the request came from"},
};
constexpr std::array kDeliveryFailed{
    kSubscription,
    FieldInfo{"event", text, kRequired, "id of the event that was not delivered"},
    FieldInfo{"attempts", integer, kRequired, "how many were made"},
    FieldInfo{"error", text, kRequired, "of the last one"},
    FieldInfo{"position", text, kOptional, "of the event; names the dead letter"},
};
constexpr std::array kSubscriptionReset{
    kSubscription,
    FieldInfo{"from", text, kRequired, "the position behind which events are gone"},
    FieldInfo{"to", text, kRequired, "the oldest position that is left"},
};
constexpr std::array kDropped{kCount};

constexpr std::array kTypes{
    // clang-format off
    EventTypeInfo{EventType::run_requested, "run_requested", EventLevel::info,
                  EventTopic::run, SubjectKind::pipeline,
                  "a run of {pipeline} was requested", kRunRequested},
    EventTypeInfo{EventType::run_started, "run_started", EventLevel::info,
                  EventTopic::run, SubjectKind::pipeline,
                  "run of {pipeline} started", kRunStarted},
    EventTypeInfo{EventType::run_succeeded, "run_succeeded", EventLevel::info,
                  EventTopic::run, SubjectKind::pipeline,
                  "run of {pipeline} succeeded", kRunEnded},
    EventTypeInfo{EventType::run_failed, "run_failed", EventLevel::error,
                  EventTopic::run, SubjectKind::pipeline,
                  "run of {pipeline} failed", kRunEnded},
    EventTypeInfo{EventType::run_cancelled, "run_cancelled", EventLevel::warning,
                  EventTopic::run, SubjectKind::pipeline,
                  "run of {pipeline} was cancelled", kRunEnded},
    EventTypeInfo{EventType::run_cancel_requested, "run_cancel_requested",
                  EventLevel::info, EventTopic::run, SubjectKind::pipeline,
                  "a run of {pipeline} is to be cancelled", kDecision},
    EventTypeInfo{EventType::run_skipped, "run_skipped", EventLevel::info,
                  EventTopic::run, SubjectKind::pipeline,
                  "runs of {pipeline} that were due are not made", kRunSkipped},
    EventTypeInfo{EventType::run_interrupted, "run_interrupted", EventLevel::warning,
                  EventTopic::run, SubjectKind::pipeline,
                  "the process that ran {pipeline} is gone", kRunInterrupted},
    EventTypeInfo{EventType::run_retry, "run_retry", EventLevel::warning,
                  EventTopic::run, SubjectKind::pipeline,
                  "a run of {pipeline} that failed is tried again", kRunRetry},
    EventTypeInfo{EventType::pipeline_paused, "pipeline_paused", EventLevel::info,
                  EventTopic::run, SubjectKind::pipeline,
                  "triggers of {pipeline} make no runs from here on", kDecision},
    EventTypeInfo{EventType::pipeline_resumed, "pipeline_resumed", EventLevel::info,
                  EventTopic::run, SubjectKind::pipeline,
                  "triggers of {pipeline} make runs again", kDecision},
    EventTypeInfo{EventType::node_started, "node_started", EventLevel::debug,
                  EventTopic::node, SubjectKind::node,
                  "node {node} started", {}},
    EventTypeInfo{EventType::node_succeeded, "node_succeeded", EventLevel::info,
                  EventTopic::node, SubjectKind::node,
                  "node {node} succeeded", kNodeEnded},
    EventTypeInfo{EventType::node_skipped, "node_skipped", EventLevel::debug,
                  EventTopic::node, SubjectKind::node,
                  "node {node} had nothing to do", kNodeEnded},
    EventTypeInfo{EventType::node_failed, "node_failed", EventLevel::error,
                  EventTopic::node, SubjectKind::node,
                  "node {node} failed", kNodeEnded},
    EventTypeInfo{EventType::node_cancelled, "node_cancelled", EventLevel::warning,
                  EventTopic::node, SubjectKind::node,
                  "node {node} was cancelled, or a node before it failed", kNodeEnded},
    EventTypeInfo{EventType::retry, "retry", EventLevel::warning,
                  EventTopic::node, SubjectKind::node,
                  "a step of node {node} is tried again", kRetry},
    EventTypeInfo{EventType::batch_planned, "batch_planned", EventLevel::debug,
                  EventTopic::node, SubjectKind::node,
                  "batch {batch} of node {node} was planned", kBatchPlanned},
    EventTypeInfo{EventType::batch_committed, "batch_committed", EventLevel::info,
                  EventTopic::node, SubjectKind::node,
                  "batch {batch} of node {node} is in all its tables",
                  kBatchCommitted},
    EventTypeInfo{EventType::table_created, "table_created", EventLevel::info,
                  EventTopic::table, SubjectKind::table,
                  "table {table} was created", {}},
    EventTypeInfo{EventType::table_committed, "table_committed", EventLevel::info,
                  EventTopic::table, SubjectKind::table,
                  "table {table} is at version {version}", kTableCommitted},
    EventTypeInfo{EventType::table_dropped, "table_dropped", EventLevel::warning,
                  EventTopic::table, SubjectKind::table,
                  "table {table} was dropped", kTableDropped},
    EventTypeInfo{EventType::table_adopted, "table_adopted", EventLevel::info,
                  EventTopic::table, SubjectKind::node,
                  "node {node} has taken over table {table}", {}},
    EventTypeInfo{EventType::schema_changed, "schema_changed", EventLevel::warning,
                  EventTopic::table, SubjectKind::table,
                  "the columns of table {table} changed with version {version}", {}},
    EventTypeInfo{EventType::upkeep_failed, "upkeep_failed", EventLevel::warning,
                  EventTopic::table, SubjectKind::node,
                  "table {table} could not be tidied", {}},
    EventTypeInfo{EventType::sink_begins_late, "sink_begins_late", EventLevel::warning,
                  EventTopic::table, SubjectKind::node,
                  "{table} lacks the rows of earlier batches", {}},
    EventTypeInfo{EventType::foreign_rows_replaced, "foreign_rows_replaced",
                  EventLevel::warning, EventTopic::table, SubjectKind::node,
                  "a full refresh replaced rows of {table} that others had written",
                  {}},
    EventTypeInfo{EventType::expectation_passed, "expectation_passed",
                  EventLevel::debug, EventTopic::quality, SubjectKind::node,
                  "an expectation of node {node} passed", kExpectations},
    EventTypeInfo{EventType::expectation_warned, "expectation_warned",
                  EventLevel::warning, EventTopic::quality, SubjectKind::node,
                  "an expectation of node {node} did not pass, which only warns",
                  kExpectations},
    EventTypeInfo{EventType::expectation_failed, "expectation_failed",
                  EventLevel::error, EventTopic::quality, SubjectKind::node,
                  "an expectation of node {node} failed the batch", kExpectations},
    EventTypeInfo{EventType::rows_dropped, "rows_dropped", EventLevel::warning,
                  EventTopic::quality, SubjectKind::node,
                  "expectations of node {node} dropped rows of batch {batch}",
                  kOfRows},
    EventTypeInfo{EventType::rows_quarantined, "rows_quarantined", EventLevel::warning,
                  EventTopic::quality, SubjectKind::node,
                  "expectations of node {node} put rows of batch {batch} in quarantine",
                  kOfRows},
    EventTypeInfo{EventType::rows_rejected, "rows_rejected", EventLevel::warning,
                  EventTopic::quality, SubjectKind::node,
                  "changes came too late, contradicted each other, or had no key or "
                  "sequence, and went to the rejected table of {table}", kOfRows},
    EventTypeInfo{EventType::file_changed, "file_changed", EventLevel::warning,
                  EventTopic::source, SubjectKind::node,
                  "a file that node {node} read before has changed since", kOfFile},
    EventTypeInfo{EventType::file_vanished, "file_vanished", EventLevel::warning,
                  EventTopic::source, SubjectKind::node,
                  "a file that node {node} read before is gone", kOfFile},
    EventTypeInfo{EventType::file_set_aside, "file_set_aside", EventLevel::warning,
                  EventTopic::source, SubjectKind::node,
                  "a file that node {node} cannot read went to the dead letters",
                  kOfFile},
    EventTypeInfo{EventType::slot_lost, "slot_lost", EventLevel::error,
                  EventTopic::source, SubjectKind::node,
                  "a replication slot, or the log that it needs, is gone", kSlotLost},
    EventTypeInfo{EventType::slot_moved, "slot_moved", EventLevel::error,
                  EventTopic::source, SubjectKind::node,
                  "a replication slot was moved beyond what tables of {pipeline} have",
                  kSlotMoved},
    EventTypeInfo{EventType::slot_in_use, "slot_in_use", EventLevel::error,
                  EventTopic::source, SubjectKind::node,
                  "a replication slot of {pipeline} is read by somebody else",
                  kSlotInUse},
    EventTypeInfo{EventType::table_lost, "table_lost", EventLevel::error,
                  EventTopic::source, SubjectKind::node,
                  "a table that node {node} follows is another one, or its changes "
                  "came no more for a while", kTableLost},
    EventTypeInfo{EventType::server_changed, "server_changed", EventLevel::error,
                  EventTopic::source, SubjectKind::node,
                  "a server is not the one that {pipeline} read before",
                  kServerChanged},
    EventTypeInfo{EventType::connection_lost, "connection_lost", EventLevel::warning,
                  EventTopic::source, SubjectKind::node,
                  "the connection to a server was lost", kConnection},
    EventTypeInfo{EventType::connection_restored, "connection_restored",
                  EventLevel::info, EventTopic::source, SubjectKind::node,
                  "the connection to a server is there again", kConnection},
    EventTypeInfo{EventType::snapshot_started, "snapshot_started", EventLevel::info,
                  EventTopic::source, SubjectKind::node,
                  "node {node} began to read the rows that are there", kSnapshot},
    EventTypeInfo{EventType::snapshot_progressed, "snapshot_progressed",
                  EventLevel::debug, EventTopic::source, SubjectKind::node,
                  "node {node} has read a part of the rows", kSnapshot},
    EventTypeInfo{EventType::snapshot_finished, "snapshot_finished", EventLevel::info,
                  EventTopic::source, SubjectKind::node,
                  "node {node} has read the rows that were there", kSnapshot},
    EventTypeInfo{EventType::configuration_changed, "configuration_changed",
                  EventLevel::info, EventTopic::configuration, SubjectKind::pipeline,
                  "the definition of {pipeline} changed", kConfigurationChanged},
    EventTypeInfo{EventType::configuration_invalid, "configuration_invalid",
                  EventLevel::error, EventTopic::configuration, SubjectKind::pipeline,
                  "the definition of {pipeline} is invalid; the last valid one holds",
                  kConfigurationInvalid},
    EventTypeInfo{EventType::user_action, "user_action", EventLevel::info,
                  EventTopic::user, SubjectKind::user,
                  "somebody did something", kUserAction},
    EventTypeInfo{EventType::delivery_failed, "delivery_failed", EventLevel::error,
                  EventTopic::delivery, SubjectKind::subscription,
                  "an event was not delivered and went to the dead letters",
                  kDeliveryFailed},
    EventTypeInfo{EventType::subscription_reset, "subscription_reset",
                  EventLevel::warning, EventTopic::delivery, SubjectKind::subscription,
                  "events that were to be delivered are gone from the log",
                  kSubscriptionReset},
    EventTypeInfo{EventType::notice, "notice", EventLevel::debug,
                  EventTopic::log, SubjectKind::node, "a remark", {}},
    EventTypeInfo{EventType::notices_dropped, "notices_dropped", EventLevel::warning,
                  EventTopic::log, SubjectKind::project,
                  "more events came than could be written; some were left out",
                  kDropped},
    // clang-format on
};

constexpr bool in_order() {
  for (std::size_t index = 0; index < kTypes.size(); ++index) {
    if (static_cast<std::size_t>(kTypes[index].type) != index) return false;
  }
  return true;
}
static_assert(in_order(), "describe() looks types up by their index");

}  // namespace

std::string_view to_text(EventLevel level) {
  constexpr std::array<std::string_view, 4> kNames{"debug", "info", "warning", "error"};
  return kNames.at(static_cast<std::size_t>(level));
}

std::string_view to_text(EventTopic topic) {
  constexpr std::array<std::string_view, 9> kNames{
      "run",           "node", "table",    "quality", "source",
      "configuration", "user", "delivery", "log"};
  return kNames.at(static_cast<std::size_t>(topic));
}

std::string_view to_text(SubjectKind kind) {
  constexpr std::array<std::string_view, 6> kNames{"pipeline", "node",         "table",
                                                   "user",     "subscription", "project"};
  return kNames.at(static_cast<std::size_t>(kind));
}

std::string_view to_text(FieldType type) {
  constexpr std::array<std::string_view, 8> kNames{
      "text", "integer", "number", "boolean", "instant", "texts", "list", "object"};
  return kNames.at(static_cast<std::size_t>(type));
}

std::span<const EventTypeInfo> event_types() { return kTypes; }

const EventTypeInfo& describe(EventType type) {
  const auto index = static_cast<std::size_t>(type);
  LAKEMILL_CHECK(index < kTypes.size());
  return kTypes[index];
}

std::optional<EventType> event_type_from_name(std::string_view name) {
  const auto found =
      std::find_if(kTypes.begin(), kTypes.end(),
                   [name](const auto& info) { return info.name == name; });
  if (found == kTypes.end()) return std::nullopt;
  return found->type;
}

}  // namespace lakemill::events
