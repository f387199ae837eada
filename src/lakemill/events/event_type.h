#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace lakemill::events {

/// Everything that can be told. The list is closed; event_types() describes it.
enum class EventType : std::uint8_t {
  run_requested,
  run_started,
  run_succeeded,
  run_failed,
  run_cancelled,
  run_cancel_requested,
  run_skipped,
  run_interrupted,
  run_retry,
  pipeline_paused,
  pipeline_resumed,
  node_started,
  node_succeeded,
  node_skipped,
  node_failed,
  node_cancelled,
  retry,
  batch_planned,
  batch_committed,
  table_created,
  table_committed,
  table_dropped,
  table_adopted,
  schema_changed,
  upkeep_failed,
  sink_begins_late,
  foreign_rows_replaced,
  expectation_passed,
  expectation_warned,
  expectation_failed,
  rows_dropped,
  rows_quarantined,
  rows_rejected,
  file_changed,
  file_vanished,
  file_set_aside,
  slot_lost,
  slot_moved,
  slot_in_use,
  table_lost,
  server_changed,
  connection_lost,
  connection_restored,
  snapshot_started,
  snapshot_progressed,
  snapshot_finished,
  configuration_changed,
  configuration_invalid,
  user_action,
  delivery_failed,
  subscription_reset,
  notice,
  notices_dropped,
};

enum class EventLevel : std::uint8_t { debug, info, warning, error };

/// "debug", "info", "warning", "error".
std::string_view to_text(EventLevel level);

/// What events are about, for people who look for one.
enum class EventTopic : std::uint8_t {
  run,
  node,
  table,
  quality,
  source,
  configuration,
  user,
  delivery,
  log,
};

/// "run", "node", …
std::string_view to_text(EventTopic topic);

/// What an event happens to, which is its subject; events of one subject are in order.
enum class SubjectKind : std::uint8_t {
  pipeline,      ///< "pipeline/<pipeline>"
  node,          ///< "node/<pipeline>/<node>"
  table,         ///< "table/<catalog.schema.table>", "table/<url>" of one in no catalog
  user,          ///< "user/<name>"
  subscription,  ///< "subscription/<its member `subscription`>"
  project,       ///< "project"
};

/// "pipeline", "node", …
std::string_view to_text(SubjectKind kind);

enum class FieldType : std::uint8_t {
  text,
  integer,
  number,
  boolean,
  instant,  ///< text, as format_instant() writes it
  texts,    ///< list of texts
  list,     ///< list of objects
  object,
};

/// "text", "integer", …
std::string_view to_text(FieldType type);

/// A member of an event's details.
struct FieldInfo {
  std::string_view name;
  FieldType type;
  bool is_required;  ///< the others may be absent or null
  std::string_view doc;
};

/// What a type means, told once: the table's documents, the JSON Schema, the reference
/// and the check of what is told all come from here.
struct EventTypeInfo {
  EventType type;
  std::string_view name;  ///< as in tables, JSON and pipelines: "run_started"
  EventLevel level;
  EventTopic topic;
  SubjectKind subject;
  /// The message of an event that brings none; {pipeline}, {node}, {table}, {version}
  /// and {batch} stand for the event's own.
  std::string_view sentence;
  /// What its details may hold, and nothing else.
  std::span<const FieldInfo> fields;
};

/// All of them, in the order of EventType.
std::span<const EventTypeInfo> event_types();
const EventTypeInfo& describe(EventType type);
std::optional<EventType> event_type_from_name(std::string_view name);

}  // namespace lakemill::events
