#include "lakemill/events/event.h"

#include <algorithm>
#include <array>

#include "lakemill/base/check.h"
#include "lakemill/base/hash.h"

namespace lakemill::events {

namespace {

constexpr std::size_t kMessageBytesMax = 16 << 10;
constexpr std::size_t kDetailsBytesMax = 256 << 10;

constexpr std::array kTypes{
    EventTypeInfo{EventType::run_started, "run_started", EventLevel::info,
                  "run of {pipeline} started"},
    EventTypeInfo{EventType::run_succeeded, "run_succeeded", EventLevel::info,
                  "run of {pipeline} succeeded"},
    EventTypeInfo{EventType::run_failed, "run_failed", EventLevel::error,
                  "run of {pipeline} failed"},
    EventTypeInfo{EventType::run_cancelled, "run_cancelled", EventLevel::warning,
                  "run of {pipeline} was cancelled"},
    EventTypeInfo{EventType::node_started, "node_started", EventLevel::debug,
                  "node {node} started"},
    EventTypeInfo{EventType::node_succeeded, "node_succeeded", EventLevel::info,
                  "node {node} succeeded"},
    EventTypeInfo{EventType::node_skipped, "node_skipped", EventLevel::debug,
                  "node {node} had nothing to do"},
    EventTypeInfo{EventType::node_failed, "node_failed", EventLevel::error,
                  "node {node} failed"},
    EventTypeInfo{EventType::node_cancelled, "node_cancelled", EventLevel::warning,
                  "node {node} was cancelled, or a node before it failed"},
    EventTypeInfo{EventType::batch_planned, "batch_planned", EventLevel::debug,
                  "batch {batch} of node {node} was planned"},
    EventTypeInfo{EventType::batch_committed, "batch_committed", EventLevel::info,
                  "batch {batch} of node {node} is in all its tables"},
    EventTypeInfo{EventType::table_created, "table_created", EventLevel::info,
                  "table {table} was created"},
    EventTypeInfo{EventType::table_committed, "table_committed", EventLevel::info,
                  "table {table} is at version {version}"},
    EventTypeInfo{EventType::table_dropped, "table_dropped", EventLevel::warning,
                  "table {table} was dropped"},
    EventTypeInfo{EventType::table_adopted, "table_adopted", EventLevel::info,
                  "node {node} has taken over table {table}"},
    EventTypeInfo{EventType::upkeep_failed, "upkeep_failed", EventLevel::warning,
                  "table {table} could not be tidied"},
    EventTypeInfo{EventType::sink_begins_late, "sink_begins_late", EventLevel::warning,
                  "{table} lacks the rows of earlier batches"},
    EventTypeInfo{EventType::foreign_rows_replaced, "foreign_rows_replaced",
                  EventLevel::warning,
                  "a full refresh replaced rows of {table} that others had written"},
    EventTypeInfo{EventType::schema_changed, "schema_changed", EventLevel::warning,
                  "the columns of table {table} changed with version {version}"},
    EventTypeInfo{EventType::expectation_passed, "expectation_passed",
                  EventLevel::debug, "an expectation of node {node} passed"},
    EventTypeInfo{EventType::expectation_warned, "expectation_warned",
                  EventLevel::warning,
                  "an expectation of node {node} did not pass, which only warns"},
    EventTypeInfo{EventType::expectation_failed, "expectation_failed",
                  EventLevel::error, "an expectation of node {node} failed the batch"},
    EventTypeInfo{EventType::rows_dropped, "rows_dropped", EventLevel::warning,
                  "expectations of node {node} dropped rows of batch {batch}"},
    EventTypeInfo{
        EventType::rows_quarantined, "rows_quarantined", EventLevel::warning,
        "expectations of node {node} put rows of batch {batch} in quarantine"},
    EventTypeInfo{EventType::rows_rejected, "rows_rejected", EventLevel::warning,
                  "changes came too late, contradicted each other, or had no key or "
                  "sequence, and went to the rejected table of {table}"},
    EventTypeInfo{EventType::file_changed, "file_changed", EventLevel::warning,
                  "a file that node {node} read before has changed since"},
    EventTypeInfo{EventType::file_vanished, "file_vanished", EventLevel::warning,
                  "a file that node {node} read before is gone"},
    EventTypeInfo{EventType::file_set_aside, "file_set_aside", EventLevel::warning,
                  "a file that node {node} cannot read went to the dead letters"},
    EventTypeInfo{EventType::retry, "retry", EventLevel::warning,
                  "a step of node {node} is tried again"},
    EventTypeInfo{EventType::slot_lost, "slot_lost", EventLevel::error,
                  "a replication slot, or the log that it needs, is gone"},
    EventTypeInfo{EventType::slot_moved, "slot_moved", EventLevel::error,
                  "a replication slot was moved beyond what tables of {pipeline} have"},
    EventTypeInfo{EventType::slot_in_use, "slot_in_use", EventLevel::error,
                  "a replication slot of {pipeline} is read by somebody else"},
    EventTypeInfo{EventType::table_lost, "table_lost", EventLevel::error,
                  "a table that node {node} follows is another one, or its changes "
                  "came no more for a while"},
    EventTypeInfo{EventType::server_changed, "server_changed", EventLevel::error,
                  "a server is not the one that {pipeline} read before"},
    EventTypeInfo{EventType::connection_lost, "connection_lost", EventLevel::warning,
                  "the connection to a server was lost"},
    EventTypeInfo{EventType::connection_restored, "connection_restored",
                  EventLevel::info, "the connection to a server is there again"},
    EventTypeInfo{EventType::snapshot_started, "snapshot_started", EventLevel::info,
                  "node {node} began to read the rows that are there"},
    EventTypeInfo{EventType::snapshot_progressed, "snapshot_progressed",
                  EventLevel::debug, "node {node} has read a part of the rows"},
    EventTypeInfo{EventType::snapshot_finished, "snapshot_finished", EventLevel::info,
                  "node {node} has read the rows that were there"},
    EventTypeInfo{EventType::notice, "notice", EventLevel::debug, "a remark"},
    EventTypeInfo{EventType::notices_dropped, "notices_dropped", EventLevel::warning,
                  "more events came than could be written; some were left out"},
};

constexpr bool in_order() {
  for (std::size_t index = 0; index < kTypes.size(); ++index) {
    if (static_cast<std::size_t>(kTypes[index].type) != index) return false;
  }
  return true;
}
static_assert(in_order(), "describe() looks types up by their index");

std::string cut(std::string text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  constexpr std::string_view kMore = " … (cut)";
  auto end = bytes_max - kMore.size();
  // not in the middle of a character
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end).append(kMore);
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

Json number_or_null(const std::optional<std::int64_t>& number) {
  return number ? Json(*number) : Json();
}

// Every column but `chain`.
Json columns_of(const Event& event) {
  const auto& info = describe(event.type);
  auto details = event.details.empty() ? std::string() : json_text(event.details);
  if (details.size() > kDetailsBytesMax) {
    details =
        json_text(Json{{"left_out", "too large"}, {"size_bytes", details.size()}});
  }
  return Json{{"id", event.writer + "-" + std::to_string(event.sequence)},
              {"writer", event.writer},
              {"sequence", event.sequence},
              {"time", format_instant(event.time)},
              {"level", to_text(info.level)},
              {"type", info.name},
              {"run_id", text_or_null(event.run_id)},
              {"pipeline", text_or_null(event.pipeline)},
              {"node", text_or_null(event.node)},
              {"table_name", text_or_null(event.table_name)},
              {"version", number_or_null(event.version)},
              {"batch", number_or_null(event.batch)},
              {"message", cut(message_of(event), kMessageBytesMax)},
              {"details", text_or_null(details)}};
}

data::Schema make_schema() {
  data::Schema schema;
  const auto column = [&schema](std::string name, data::TypeKind kind, bool nullable) {
    schema.fields.push_back(
        {.name = std::move(name), .type = data::make_type(kind), .nullable = nullable});
  };
  using data::TypeKind;
  // All nullable: readers lose nothing, and no writer has to prove it.
  for (const auto* name : {"id", "writer"}) column(name, TypeKind::string, true);
  column("sequence", TypeKind::int64, true);
  column("time", TypeKind::timestamp, true);
  for (const auto* name :
       {"level", "type", "run_id", "pipeline", "node", "table_name"}) {
    column(name, TypeKind::string, true);
  }
  column("version", TypeKind::int64, true);
  column("batch", TypeKind::int64, true);
  for (const auto* name : {"message", "details", "chain"}) {
    column(name, TypeKind::string, true);
  }
  return schema;
}

}  // namespace

std::string_view to_text(EventLevel level) {
  constexpr std::array<std::string_view, 4> kNames{"debug", "info", "warning", "error"};
  return kNames.at(static_cast<std::size_t>(level));
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

std::string message_of(const Event& event) {
  if (!event.message.empty()) return event.message;
  std::string message;
  std::string_view rest = describe(event.type).sentence;
  while (!rest.empty()) {
    const auto open = std::min(rest.find('{'), rest.size());
    message.append(rest.substr(0, open));
    rest.remove_prefix(open);
    if (rest.empty()) break;
    const auto close = rest.find('}');
    const auto name = rest.substr(1, close - 1);
    if (name == "pipeline") message += event.pipeline;
    if (name == "node") message += event.node;
    if (name == "table") message += event.table_name;
    if (name == "version")
      message += event.version ? std::to_string(*event.version) : "?";
    if (name == "batch") message += event.batch ? std::to_string(*event.batch) : "?";
    rest.remove_prefix(close + 1);
  }
  return message;
}

const data::Schema& event_schema() {
  static const data::Schema schema = make_schema();
  return schema;
}

std::string chain_of(std::string_view previous, const Event& event) {
  return chain_after(previous, columns_of(event));
}

std::string chain_after(std::string_view previous, const Json& columns) {
  return sha256_hex(std::string(previous).append("\n").append(json_text(columns)));
}

std::string row_of(const Event& event, std::string_view chain) {
  auto columns = columns_of(event);
  columns["chain"] = chain;
  return json_text(columns);
}

}  // namespace lakemill::events
