#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/base/clock.h"
#include "lakemill/base/json.h"
#include "lakemill/data/type.h"
#include "lakemill/data/value.h"
#include "lakemill/events/event_type.h"

namespace lakemill::events {

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
  Json details = Json::object();  ///< the type's fields
  std::string subject;    ///< what it happened to; empty: by the type's SubjectKind
  std::string caused_by;  ///< id of the event but for which it would not be
  std::string actor;      ///< who wanted it; empty: nobody did

  // The writer fills these; (writer, sequence) is the identity of an event.
  std::string writer;
  std::int64_t sequence = 0;  ///< from 0, +1 for each event of a writer
  Instant time{};
};

/// "<writer>-<sequence>".
std::string id_of(const Event& event);

/// The event's own message, or its type's sentence with the names put in.
std::string message_of(const Event& event);

/// The event's own subject, or what its type's kind makes of its other members; where
/// those are empty, that of what is around it: "node/…", "pipeline/…", "project".
std::string subject_of(const Event& event);

/// The event as reading the log gives it back: with a message and a subject, a message
/// of at most 16 KiB, details of at most 256 KiB (else their size).
Event stored_form(Event event);

/// What is wrong with the event's details by its type's fields: one that is missing,
/// unknown or of another type. Nothing: they are as described.
std::optional<std::string> fault_in_details(const Event& event);

/// The columns of the event log: id ("<writer>-<sequence>"), writer, sequence, time,
/// level, type, run_id, pipeline, node, table_name, version, batch, message, details
/// (JSON text), chain, subject, caused_by, actor. What an event does not have is null.
/// New columns come at the end: logs that lack them are read as if all were null there.
const data::Schema& event_schema();

/// The event as a JSON object for who follows events: the columns of event_schema() but
/// `chain`, with `details` as an object. event_json_schema() describes it.
Json event_json(const Event& event);

/// Where the chain of a writer begins.
inline constexpr std::string_view kChainBegin = "";

/// The link of `event` behind `previous` (kChainBegin for a writer's first):
/// the SHA-256 of `previous`, a newline, and the event's columns but `chain` as one
/// JSON object with sorted keys, without those behind `chain` that are null (logs from
/// before there were such keep their links). A change, a gap or another order breaks
/// all later links.
std::string chain_of(std::string_view previous, const Event& event);

/// The same of an event as its columns (but `chain`): names as event_schema() has them,
/// times as text.
std::string chain_after(std::string_view previous, Json columns);

/// The event as a row of the log: one JSON object without a newline, keys as
/// event_schema() names them, time as "2026-01-31T23:59:59.123456Z"; in its
/// stored_form().
std::string row_of(const Event& event, std::string_view chain);

/// A row of the log as JSON: what row_of() writes, or a row that was read, its times as
/// row_of() has them.
Json columns_of_row(const data::Schema& schema, const std::vector<data::Value>& row);

/// The event of such a row. One of a type that this version does not know is a `notice`
/// with its message. Errors: corrupt.
Result<Event> event_from_columns(const Json& columns);

}  // namespace lakemill::events
