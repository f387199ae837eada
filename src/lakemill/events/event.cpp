#include "lakemill/events/event.h"

#include <algorithm>
#include <array>

#include "lakemill/base/hash.h"

namespace lakemill::events {

namespace {

constexpr std::size_t kMessageBytesMax = 16 << 10;
constexpr std::size_t kDetailsBytesMax = 256 << 10;

// Logs from before there were such have none of them.
constexpr std::array<std::string_view, 3> kLaterColumns{"subject", "caused_by",
                                                        "actor"};

std::string cut(std::string text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  constexpr std::string_view kMore = " … (cut)";
  auto end = bytes_max - kMore.size();
  // not in the middle of a character
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end).append(kMore);
}

Json to_json(const data::Value& value) {
  if (data::is_null(value)) return nullptr;
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  if (const auto* time = std::get_if<data::Timestamp>(&value)) {
    return format_instant(Instant(std::chrono::microseconds(time->micros)));
  }
  return data::to_text(value);
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

Json number_or_null(const std::optional<std::int64_t>& number) {
  return number ? Json(*number) : Json();
}

// Details that may be kept.
Json bounded(Json details) {
  const std::size_t size_bytes = json_text(details).size();
  if (size_bytes <= kDetailsBytesMax) return details;
  return Json{{"left_out", "too large"}, {"size_bytes", size_bytes}};
}

// Every column but `chain`, of an event in its stored form.
Json columns_of(const Event& event) {
  const auto& info = describe(event.type);
  return Json{{"id", id_of(event)},
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
              {"message", event.message},
              {"details",
               text_or_null(event.details.empty() ? "" : json_text(event.details))},
              {"subject", text_or_null(event.subject)},
              {"caused_by", text_or_null(event.caused_by)},
              {"actor", text_or_null(event.actor)}};
}

bool is_of_type(const Json& value, FieldType type) {
  const auto all = [&value](auto&& holds) {
    return value.is_array() && std::all_of(value.begin(), value.end(), holds);
  };
  switch (type) {
    case FieldType::text:
      return value.is_string();
    case FieldType::instant:
      return value.is_string() &&
             parse_instant(value.get_ref<const std::string&>()).has_value();
    case FieldType::integer:
      return value.is_number_integer();
    case FieldType::number:
      return value.is_number();
    case FieldType::boolean:
      return value.is_boolean();
    case FieldType::texts:
      return all([](const Json& item) { return item.is_string(); });
    case FieldType::list:
      return all([](const Json& item) { return item.is_object(); });
    case FieldType::object:
      break;
  }
  return value.is_object();
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
  for (const auto name : kLaterColumns) {
    column(std::string(name), TypeKind::string, true);
  }
  return schema;
}

}  // namespace

std::string id_of(const Event& event) {
  return event.writer + "-" + std::to_string(event.sequence);
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

std::string subject_of(const Event& event) {
  if (!event.subject.empty()) return event.subject;
  switch (describe(event.type).subject) {
    case SubjectKind::user:
      if (!event.actor.empty()) return "user/" + event.actor;
      break;
    case SubjectKind::subscription: {
      const std::string name = string_member(event.details, "subscription", "");
      if (!name.empty()) return "subscription/" + name;
      break;
    }
    case SubjectKind::table:
      if (!event.table_name.empty()) return "table/" + event.table_name;
      [[fallthrough]];
    case SubjectKind::node:
      if (!event.node.empty()) return "node/" + event.pipeline + "/" + event.node;
      [[fallthrough]];
    case SubjectKind::pipeline:
      if (!event.pipeline.empty()) return "pipeline/" + event.pipeline;
      break;
    case SubjectKind::project:
      break;
  }
  return "project";
}

Event stored_form(Event event) {
  event.message = cut(message_of(event), kMessageBytesMax);
  event.details = bounded(std::move(event.details));
  event.subject = subject_of(event);
  return event;
}

std::optional<std::string> fault_in_details(const Event& event) {
  const auto& info = describe(event.type);
  if (!event.details.is_object()) {
    return "details of " + std::string(info.name) + " are no object";
  }
  const auto fault = [&info](std::string_view field, const char* what) {
    return "'" + std::string(field) + "' in details of " + std::string(info.name) +
           " " + what;
  };
  for (const FieldInfo& field : info.fields) {
    const Json* value = find_member(event.details, field.name);
    const bool is_there = value != nullptr && !value->is_null();
    if (!is_there && field.is_required) return fault(field.name, "is missing");
    if (is_there && !is_of_type(*value, field.type)) {
      return fault(field.name, "is of another type");
    }
  }
  for (const auto& [name, value] : event.details.items()) {
    const bool is_known =
        std::any_of(info.fields.begin(), info.fields.end(),
                    [&known = name](const auto& field) { return field.name == known; });
    if (!is_known) return fault(name, "is not described");
  }
  return std::nullopt;
}

const data::Schema& event_schema() {
  static const data::Schema schema = make_schema();
  return schema;
}

Json event_json(const Event& event) {
  const Event stored = stored_form(event);
  Json json = columns_of(stored);
  json["details"] = stored.details;
  return json;
}

std::string chain_of(std::string_view previous, const Event& event) {
  return chain_after(previous, columns_of(stored_form(event)));
}

std::string chain_after(std::string_view previous, Json columns) {
  for (const auto name : kLaterColumns) {
    const auto found = columns.find(name);
    if (found != columns.end() && found->is_null()) columns.erase(found);
  }
  return sha256_hex(std::string(previous).append("\n").append(json_text(columns)));
}

std::string row_of(const Event& event, std::string_view chain) {
  Json columns = columns_of(stored_form(event));
  columns["chain"] = chain;
  return json_text(columns);
}

Json columns_of_row(const data::Schema& schema, const std::vector<data::Value>& row) {
  Json columns = Json::object();
  for (std::size_t i = 0; i < row.size(); ++i) {
    columns[schema.fields.at(i).name] = to_json(row[i]);
  }
  return columns;
}

Result<Event> event_from_columns(const Json& columns) {
  const auto corrupt = [&columns](const char* what) {
    return Error(ErrorCode::corrupt, "event " + string_member(columns, "id", "?") +
                                         " of the log has no " + what);
  };
  const auto text = [&columns](const char* name) {
    return string_member(columns, name, "");
  };
  const auto number = [&columns](const char* name) -> std::optional<std::int64_t> {
    const Json* value = find_member(columns, name);
    if (value == nullptr || !value->is_number_integer()) return std::nullopt;
    return value->get<std::int64_t>();
  };
  Event event;
  event.type = event_type_from_name(text("type")).value_or(EventType::notice);
  event.writer = text("writer");
  if (event.writer.empty()) return corrupt("writer");
  const auto sequence = number("sequence");
  if (!sequence) return corrupt("sequence");
  event.sequence = *sequence;
  const auto time = parse_instant(text("time"));
  if (!time) return corrupt("time");
  event.time = *time;
  const std::string details = text("details");
  if (!details.empty()) {
    auto parsed = parse_json(details);
    if (!parsed || !parsed->is_object()) return corrupt("details that can be read");
    event.details = *std::move(parsed);
  }
  event.run_id = text("run_id");
  event.pipeline = text("pipeline");
  event.node = text("node");
  event.table_name = text("table_name");
  event.version = number("version");
  event.batch = number("batch");
  event.message = text("message");
  event.subject = text("subject");
  event.caused_by = text("caused_by");
  event.actor = text("actor");
  return stored_form(std::move(event));
}

}  // namespace lakemill::events
