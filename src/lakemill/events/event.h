#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lakemill/base/clock.h"
#include "lakemill/base/json.h"
#include "lakemill/data/type.h"

namespace lakemill::events {

/// Everything that can be told. The list is closed; event_types() describes it.
enum class EventType : std::uint8_t {
  run_started,
  run_succeeded,
  run_failed,
  run_cancelled,
  node_started,
  node_succeeded,
  node_skipped,
  node_failed,
  node_cancelled,
  batch_planned,
  batch_committed,
  table_created,
  table_committed,
  table_dropped,
  table_adopted,
  upkeep_failed,
  sink_begins_late,
  foreign_rows_replaced,
  schema_changed,
  expectation_passed,
  expectation_warned,
  expectation_failed,
  rows_dropped,
  rows_quarantined,
  rows_rejected,
  file_changed,
  file_vanished,
  file_set_aside,
  retry,
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
  notice,
  notices_dropped,
};

enum class EventLevel : std::uint8_t { debug, info, warning, error };

/// "debug", "info", "warning", "error".
std::string_view to_text(EventLevel level);

/// What a type means, told once.
struct EventTypeInfo {
  EventType type;
  std::string_view name;  ///< as in tables, JSON and pipelines: "run_started"
  EventLevel level;
  /// The message of an event that brings none; {pipeline}, {node}, {table}, {version}
  /// and {batch} stand for the event's own.
  std::string_view sentence;
};

/// All of them, in the order of EventType.
std::span<const EventTypeInfo> event_types();
const EventTypeInfo& describe(EventType type);
std::optional<EventType> event_type_from_name(std::string_view name);

/// One immutable fact. Holds no secrets: who makes it sees to that.
struct Event {
  EventType type = EventType::notice;
  std::string run_id;
  std::string pipeline;
  std::string node;
  std::string table_name;
  std::optional<std::int64_t> version;  ///< of the table
  std::optional<std::int64_t> batch;
  std::string message;            ///< empty: the type's sentence
  Json details = Json::object();  ///< whatever else there is to know

  // The writer fills these; (writer, sequence) is the identity of an event.
  std::string writer;
  std::int64_t sequence = 0;  ///< from 0, +1 for each event of a writer
  Instant time{};
};

/// The event's own message, or its type's sentence with the names put in.
std::string message_of(const Event& event);

/// The columns of the event log: id ("<writer>-<sequence>"), writer, sequence, time,
/// level, type, run_id, pipeline, node, table_name, version, batch, message, details
/// (JSON text), chain. What an event does not have is null.
const data::Schema& event_schema();

/// Where the chain of a writer begins.
inline constexpr std::string_view kChainBegin = "";

/// The link of `event` behind `previous` (kChainBegin for a writer's first):
/// the SHA-256 of `previous`, a newline, and the event's columns but `chain` as one
/// JSON object with sorted keys. A change, a gap or another order breaks all later
/// links.
std::string chain_of(std::string_view previous, const Event& event);

/// The same of an event as its columns (but `chain`): names as event_schema() has them,
/// times as text.
std::string chain_after(std::string_view previous, const Json& columns);

/// The event as a row of the log: one JSON object without a newline, keys as
/// event_schema() names them, time as "2026-01-31T23:59:59.123456Z". Messages are cut
/// to 16 KiB; details over 256 KiB are replaced by their size.
std::string row_of(const Event& event, std::string_view chain);

}  // namespace lakemill::events
