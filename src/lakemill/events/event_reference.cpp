#include "lakemill/events/event_reference.h"

#include <algorithm>
#include <array>

#include "lakemill/events/event.h"

namespace lakemill::events {

namespace {

struct ColumnDoc {
  std::string_view name;
  std::string_view doc;
};

// In the order of event_schema(), which the test holds it to.
constexpr std::array kColumns{
    ColumnDoc{"id", "its identity: `<writer>-<sequence>`"},
    ColumnDoc{"writer", "who told it: a process, by a random id"},
    ColumnDoc{"sequence", "from 0, +1 for each event of a writer"},
    ColumnDoc{"time", "when it was told, UTC"},
    ColumnDoc{"level", "debug, info, warning or error"},
    ColumnDoc{"type", "one of the types below"},
    ColumnDoc{"run_id", "of the run that it belongs to"},
    ColumnDoc{"pipeline", "its name"},
    ColumnDoc{"node", "its name in the pipeline"},
    ColumnDoc{"table_name", "the table or file, for people"},
    ColumnDoc{"version", "of the table"},
    ColumnDoc{"batch", "of the node's flow, from 1"},
    ColumnDoc{"message", "a sentence for people"},
    ColumnDoc{"details", "what else there is to know, by type"},
    ColumnDoc{"chain", "hash over it and the writer's event before"},
    ColumnDoc{"subject", "what it happened to; events of one subject are in order"},
    ColumnDoc{"caused_by", "id of the event but for which it would not be"},
    ColumnDoc{"actor", "who wanted it; null: nobody did"},
};

// A topic's heading, and what its events are about.
struct TopicDoc {
  EventTopic topic;
  std::string_view title;
  std::string_view doc;
};
constexpr std::array kTopics{
    TopicDoc{EventTopic::run, "Runs", "What is decided about a pipeline's runs."},
    TopicDoc{EventTopic::node, "Nodes and batches", "What a run does, node by node."},
    TopicDoc{EventTopic::table, "Tables", "What happens to tables."},
    TopicDoc{EventTopic::quality, "Data quality", "What expectations and merges find."},
    TopicDoc{EventTopic::source, "Sources", "What happens to files and servers."},
    TopicDoc{EventTopic::configuration, "Configuration", "Files of the project."},
    TopicDoc{EventTopic::user, "Users", "What people did."},
    TopicDoc{EventTopic::delivery, "Subscriptions", "What could not be delivered."},
    TopicDoc{EventTopic::log, "The log itself", "And remarks."},
};

std::string_view form_of(SubjectKind kind) {
  switch (kind) {
    case SubjectKind::pipeline:
      return "`pipeline/<pipeline>`";
    case SubjectKind::node:
      return "`node/<pipeline>/<node>`";
    case SubjectKind::table:
      return "`table/<catalog.schema.table or url>`";
    case SubjectKind::user:
      return "`user/<name>`";
    case SubjectKind::subscription:
      return "`subscription/<name>`";
    case SubjectKind::project:
      break;
  }
  return "`project`";
}

OrderedJson value_schema(FieldType type) {
  switch (type) {
    case FieldType::text:
      return {{"type", "string"}};
    case FieldType::integer:
      return {{"type", "integer"}};
    case FieldType::number:
      return {{"type", "number"}};
    case FieldType::boolean:
      return {{"type", "boolean"}};
    case FieldType::instant:
      return {{"type", "string"}, {"format", "date-time"}};
    case FieldType::texts:
      return {{"type", "array"}, {"items", {{"type", "string"}}}};
    case FieldType::list:
      return {{"type", "array"}, {"items", {{"type", "object"}}}};
    case FieldType::object:
      break;
  }
  return {{"type", "object"}};
}

void allow_null(OrderedJson& schema) {
  schema["type"] = OrderedJson::array({schema["type"], "null"});
}

OrderedJson details_schema(const EventTypeInfo& info) {
  OrderedJson properties = OrderedJson::object();
  OrderedJson required = OrderedJson::array();
  for (const FieldInfo& field : info.fields) {
    OrderedJson value = value_schema(field.type);
    if (field.is_required) {
      required.push_back(field.name);
    } else {
      allow_null(value);
    }
    value["description"] = field.doc;
    properties[std::string(field.name)] = std::move(value);
  }
  OrderedJson schema = {{"description", info.sentence},
                        {"type", "object"},
                        {"properties", std::move(properties)},
                        {"additionalProperties", false}};
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

OrderedJson column_schema(const data::Field& field, std::string_view doc) {
  OrderedJson schema;
  if (field.type.kind == data::TypeKind::int64) {
    schema["type"] = "integer";
  } else {
    schema["type"] = "string";
  }
  if (field.type.kind == data::TypeKind::timestamp) schema["format"] = "date-time";
  schema["description"] = doc;
  return schema;
}

// Columns that every event has.
bool is_always_there(std::string_view column) {
  constexpr std::array<std::string_view, 8> kAlways{
      "id", "writer", "sequence", "time", "level", "type", "message", "subject"};
  return std::find(kAlways.begin(), kAlways.end(), column) != kAlways.end();
}

// Words of Markdown's own in a cell.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char character : text) {
    if (character == '|' || character == '<' || character == '{') escaped += '\\';
    escaped += character;
  }
  return escaped;
}

void append_type(std::string& text, const EventTypeInfo& info) {
  text.append("\n### `").append(info.name).append("`\n\n");
  text.append(cell(info.sentence)).append(". Level ").append(to_text(info.level));
  text.append(", subject ").append(form_of(info.subject)).append(".\n");
  if (info.fields.empty()) return;
  text += "\n| detail | type | |\n|---|---|---|\n";
  for (const FieldInfo& field : info.fields) {
    text.append("| `").append(field.name).append("` | ").append(to_text(field.type));
    text.append(field.is_required ? "" : ", may be absent");
    text.append(" | ").append(cell(field.doc)).append(" |\n");
  }
}

}  // namespace

OrderedJson event_json_schema() {
  OrderedJson properties = OrderedJson::object();
  OrderedJson required = OrderedJson::array();
  for (std::size_t i = 0; i < kColumns.size(); ++i) {
    const data::Field& field = event_schema().fields.at(i);
    if (field.name == "chain") continue;
    OrderedJson schema = column_schema(field, kColumns.at(i).doc);
    required.push_back(field.name);
    if (!is_always_there(field.name)) allow_null(schema);
    properties[field.name] = std::move(schema);
  }
  properties["details"] = {{"type", "object"},
                           {"description", "what else there is to know, by type"}};
  OrderedJson names = OrderedJson::array();
  OrderedJson by_type = OrderedJson::array();
  OrderedJson definitions = OrderedJson::object();
  for (const EventTypeInfo& info : event_types()) {
    names.push_back(info.name);
    definitions[std::string(info.name)] = details_schema(info);
    const OrderedJson details = {
        {"anyOf",
         {{{"$ref", "#/$defs/" + std::string(info.name)}}, {{"$ref", "#/$defs/cut"}}}}};
    by_type.push_back(
        {{"if", {{"properties", {{"type", {{"const", info.name}}}}}}},
         {"then",
          {{"properties",
            {{"level", {{"const", to_text(info.level)}}}, {"details", details}}}}}});
  }
  definitions["cut"] = {
      {"description", "in the place of details that were too large to keep"},
      {"type", "object"},
      {"properties",
       {{"left_out", {{"type", "string"}}}, {"size_bytes", {{"type", "integer"}}}}},
      {"required", {"left_out", "size_bytes"}},
      {"additionalProperties", false}};
  properties["type"]["enum"] = std::move(names);
  return {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
          {"title", "Lakemill event"},
          {"type", "object"},
          {"properties", std::move(properties)},
          {"required", std::move(required)},
          {"allOf", std::move(by_type)},
          {"$defs", std::move(definitions)}};
}

std::string event_reference_markdown() {
  std::string text =
      "# Events\n\n"
      "Written by `lakemill schema --events --markdown` from the same table that the\n"
      "JSON Schema (`lakemill schema --events`) comes from.\n\n"
      "The log is the Delta table `_lakemill/events` below the project's root, append\n"
      "only. `lakemill events --json` and the API give an event as an object with the\n"
      "table's columns but `chain`, and with `details` as an object; in the table,\n"
      "`details` is its JSON text. What an event does not have is null.\n\n"
      "| column | |\n|---|---|\n";
  for (const ColumnDoc& column : kColumns) {
    text.append("| `").append(column.name).append("` | ");
    text.append(column.doc).append(" |\n");
  }
  for (const TopicDoc& topic : kTopics) {
    text.append("\n## ").append(topic.title).append("\n\n").append(topic.doc);
    text += '\n';
    for (const EventTypeInfo& info : event_types()) {
      if (info.topic == topic.topic) append_type(text, info);
    }
  }
  return text;
}

}  // namespace lakemill::events
