#include <string>

#include "lakemill/language/keys.h"

namespace lakemill::language {

namespace {

// A value that a variable, an expression or a secret gives when the file is loaded.
const Json& variable_schema() {
  static const Json schema = {{"type", "string"}, {"pattern", "\\$\\{"}};
  return schema;
}

Json typed(const char* type) { return {{"type", type}}; }

Json scalar_schema() { return {{"type", {"string", "number"}}}; }

Json reference(std::string_view object) {
  return {{"$ref", "#/definitions/" + std::string(object)}};
}

Json any_of(std::initializer_list<Json> schemas) {
  Json list = Json::array();
  for (const Json& schema : schemas) list.push_back(schema);
  return {{"anyOf", std::move(list)}};
}

Json list_of(Json item) { return {{"type", "array"}, {"items", std::move(item)}}; }

Json map_of(Json value) {
  return {{"type", "object"}, {"additionalProperties", std::move(value)}};
}

Json choice_schema(const KeySpec& key) {
  // Editors complete the upper-case words; the loader takes any case.
  Json words = choices_of(key.choices);
  std::string pattern;
  for (const std::string& choice : choices_of(key.choices)) {
    if (!pattern.empty()) pattern += '|';
    for (const char letter : choice) {
      const bool is_letter = letter >= 'A' && letter <= 'Z';
      if (is_letter) {
        pattern += {'[', letter, static_cast<char>(letter - 'A' + 'a'), ']'};
      } else {
        pattern += letter;
      }
    }
  }
  return any_of({Json{{"enum", std::move(words)}},
                 Json{{"type", "string"}, {"pattern", "^(" + pattern + ")$"}}});
}

Json value_schema(const KeySpec& key) {
  const Json null = typed("null");
  switch (key.type) {
    case ValueType::any:
      return Json::object();
    case ValueType::text:
    case ValueType::path:
    case ValueType::duration:
    case ValueType::size:
    case ValueType::cron:
    case ValueType::schedule:
      return any_of({scalar_schema(), null});
    case ValueType::sql:
      return any_of({scalar_schema(), typed("boolean"), null});
    case ValueType::boolean:
      return any_of({typed("boolean"), variable_schema(), null});
    case ValueType::integer:
      return any_of(
          {Json{{"type", "integer"}, {"minimum", 0}}, variable_schema(), null});
    case ValueType::number:
      return any_of({typed("number"), variable_schema(), null});
    case ValueType::choice:
      return any_of({choice_schema(key), variable_schema(), null});
    case ValueType::choice_list:
      return any_of({choice_schema(key), variable_schema(),
                     list_of(any_of({choice_schema(key), variable_schema()})), null});
    case ValueType::text_list:
      return any_of({scalar_schema(), list_of(scalar_schema()), null});
    case ValueType::any_list:
      return any_of({typed("array"), scalar_schema(), null});
    case ValueType::text_map:
    case ValueType::any_map:
      return any_of({typed("object"), variable_schema(), null});
    case ValueType::object:
      return any_of({reference(key.object), variable_schema(), null});
    case ValueType::object_list:
      return any_of({list_of(any_of({reference(key.object), variable_schema()})),
                     reference(key.object), variable_schema(), null});
    case ValueType::object_map:
      return any_of(
          {map_of(any_of({reference(key.object), null})), variable_schema(), null});
    case ValueType::columns:
      return any_of(
          {scalar_schema(), list_of(any_of({scalar_schema(), reference(key.object)})),
           map_of(any_of({scalar_schema(), typed("array"), typed("object"), null})),
           null});
    case ValueType::selection:
      return any_of({scalar_schema(), list_of(scalar_schema()),
                     map_of(any_of({scalar_schema(), null})), null});
    case ValueType::flag_or_list:
      return any_of(
          {typed("boolean"), scalar_schema(), list_of(scalar_schema()), null});
    case ValueType::text_or_object:
      return any_of({scalar_schema(), typed("boolean"), reference(key.object), null});
    case ValueType::text_or_object_list:
      return any_of({scalar_schema(), reference(key.object),
                     list_of(any_of({scalar_schema(), reference(key.object)})), null});
    case ValueType::duration_or_object:
      return any_of({scalar_schema(), reference(key.object), null});
    case ValueType::choice_or_object:
      return any_of(
          {choice_schema(key), variable_schema(), reference(key.object), null});
  }
  return Json::object();
}

std::string description(const KeySpec& key) {
  std::string text(key.doc);
  if (!key.default_text.empty()) {
    text += " Default: " + std::string(key.default_text) + ".";
  }
  if (!key.kinds.empty()) {
    std::string kinds;
    for (const std::string& kind : choices_of(key.kinds)) {
      if (!kinds.empty()) kinds += ", ";
      kinds += kind;
    }
    text += " For " + kinds + ".";
  }
  if (key.support == Support::later) text += " Not supported yet.";
  if (key.support == Support::ignored) text += " Ignored.";
  if (!key.refused.empty()) {
    std::string refused;
    for (const std::string& choice : choices_of(key.refused)) {
      if (!refused.empty()) refused += ", ";
      refused += choice;
    }
    text += " Not supported yet: " + refused + ".";
  }
  return text;
}

Json object_schema(const ObjectSpec& object) {
  Json properties = Json::object();
  Json required = Json::array();
  for (const KeySpec& key : object.keys) {
    Json value = value_schema(key);
    value["description"] = description(key);
    properties[std::string(key.key)] = std::move(value);
    if (key.required) required.push_back(std::string(key.key));
  }
  // `<<` merges another mapping in.
  properties["<<"] = Json::object();
  Json schema = {{"type", "object"},
                 {"description", std::string(object.doc)},
                 {"properties", std::move(properties)},
                 {"additionalProperties", false}};
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

std::string choices_text(const KeySpec& key) {
  std::string text;
  for (const std::string& choice : choices_of(key.choices)) {
    if (!text.empty()) text += ", ";
    text += "`" + choice + "`";
  }
  return text;
}

std::string type_text(const KeySpec& key) {
  const std::string object =
      "[" + std::string(key.object) + "](#" + std::string(key.object) + ")";
  switch (key.type) {
    case ValueType::any:
      return "any value";
    case ValueType::text:
      return "text";
    case ValueType::sql:
      return "SQL";
    case ValueType::path:
      return "path";
    case ValueType::boolean:
      return "true or false";
    case ValueType::integer:
      return "whole number";
    case ValueType::number:
      return "number";
    case ValueType::duration:
      return "duration";
    case ValueType::size:
      return "size";
    case ValueType::schedule:
      return "duration or cron expression";
    case ValueType::cron:
      return "cron expression";
    case ValueType::choice:
      return choices_text(key);
    case ValueType::choice_list:
      return "list of " + choices_text(key);
    case ValueType::text_list:
      return "list of texts";
    case ValueType::any_list:
      return "list";
    case ValueType::text_map:
      return "names to values";
    case ValueType::any_map:
      return "mapping";
    case ValueType::object:
      return object;
    case ValueType::object_list:
      return "list of " + object;
    case ValueType::object_map:
      return "names to " + object;
    case ValueType::columns:
      return "names to types, or list of " + object;
    case ValueType::selection:
      return "list of names, or names to names";
    case ValueType::flag_or_list:
      return "true, false or list of names";
    case ValueType::text_or_object:
      return "text, or " + object;
    case ValueType::text_or_object_list:
      return "list of texts or " + object;
    case ValueType::duration_or_object:
      return "duration, or " + object;
    case ValueType::choice_or_object:
      return choices_text(key) + ", or " + object;
  }
  return "";
}

}  // namespace

Json json_schema() {
  Json definitions = Json::object();
  for (const ObjectSpec& object : language_objects()) {
    definitions[std::string(object.name)] = object_schema(object);
  }
  return {{"$schema", "http://json-schema.org/draft-07/schema#"},
          {"title", "Lakemill pipeline or project"},
          {"anyOf", {reference("pipeline"), reference("project")}},
          {"definitions", std::move(definitions)}};
}

std::string reference_markdown() {
  std::string text =
      "# Keys of pipeline and project files\n\n"
      "Printed from the table that the loader uses. Keys marked + are Lakemill's own; "
      "the others are Laktory's. A variable may stand for any value.\n";
  for (const ObjectSpec& object : language_objects()) {
    text += "\n## " + std::string(object.name) + "\n\n" + std::string(object.doc) +
            "\n\n| key | value | meaning |\n|---|---|---|\n";
    for (const KeySpec& key : object.keys) {
      text += "| " + std::string(key.ours ? "+ " : "") + "`" + std::string(key.key) +
              "`" + (key.required ? ", required" : "") + " | " + type_text(key) +
              " | " + description(key) + " |\n";
    }
  }
  return text;
}

}  // namespace lakemill::language
