#include "lakemill/data/type.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "lakemill/base/text.h"

namespace lakemill::data {

namespace {

struct PrimitiveName {
  TypeKind kind;
  std::string_view name;
};

constexpr std::array kPrimitives = {
    PrimitiveName{TypeKind::boolean, "boolean"},
    PrimitiveName{TypeKind::int8, "byte"},
    PrimitiveName{TypeKind::int16, "short"},
    PrimitiveName{TypeKind::int32, "integer"},
    PrimitiveName{TypeKind::int64, "long"},
    PrimitiveName{TypeKind::float32, "float"},
    PrimitiveName{TypeKind::float64, "double"},
    PrimitiveName{TypeKind::string, "string"},
    PrimitiveName{TypeKind::binary, "binary"},
    PrimitiveName{TypeKind::date, "date"},
    PrimitiveName{TypeKind::timestamp, "timestamp"},
    PrimitiveName{TypeKind::timestamp_ntz, "timestamp_ntz"},
    PrimitiveName{TypeKind::void_type, "void"},
    PrimitiveName{TypeKind::variant, "variant"},
};

Json type_to_json(const Type& type);
Result<Type> type_from_json(const Json& json);

Json field_to_json(const Field& field) {
  return {{"name", field.name},
          {"type", type_to_json(field.type)},
          {"nullable", field.nullable},
          {"metadata", field.metadata}};
}

Json fields_to_json(const std::vector<Field>& fields) {
  Json list = Json::array();
  for (const Field& field : fields) list.push_back(field_to_json(field));
  return {{"type", "struct"}, {"fields", std::move(list)}};
}

Json type_to_json(const Type& type) {
  switch (type.kind) {
    case TypeKind::structure:
      return fields_to_json(type.children);
    case TypeKind::array:
      return {{"type", "array"},
              {"elementType", type_to_json(type.children[0].type)},
              {"containsNull", type.children[0].nullable}};
    case TypeKind::map:
      return {{"type", "map"},
              {"keyType", type_to_json(type.children[0].type)},
              {"valueType", type_to_json(type.children[1].type)},
              {"valueContainsNull", type.children[1].nullable}};
    default:
      return to_text(type);
  }
}

Result<Field> field_from_json(const Json& json) {
  const Json* type_json = find_member(json, "type");
  const Json* name = find_member(json, "name");
  if (type_json == nullptr || name == nullptr || !name->is_string()) {
    return Error(ErrorCode::invalid, "a field lacks name or type: " + json_text(json));
  }
  LAKEMILL_TRY(Type type, type_from_json(*type_json));
  Field field{name->get<std::string>(), std::move(type),
              bool_member(json, "nullable", true)};
  const Json* metadata = find_member(json, "metadata");
  if (metadata != nullptr && metadata->is_object()) field.metadata = *metadata;
  return field;
}

Result<std::vector<Field>> fields_from_json(const Json& json) {
  const Json* list = find_member(json, "fields");
  if (list == nullptr || !list->is_array()) {
    return Error(ErrorCode::invalid, "a struct type lacks fields: " + json_text(json));
  }
  std::vector<Field> fields;
  for (const Json& item : *list) {
    LAKEMILL_TRY(Field field, field_from_json(item));
    fields.push_back(std::move(field));
  }
  return fields;
}

Result<Type> child_from_json(const Json& json, std::string_view key) {
  const Json* child = find_member(json, key);
  if (child == nullptr) {
    return Error(ErrorCode::invalid,
                 "a type lacks " + std::string(key) + ": " + json_text(json));
  }
  return type_from_json(*child);
}

// "decimal(10,2)", or "decimal", which is decimal(10,0).
Result<Type> decimal_from_text(std::string_view text) {
  if (text == "decimal") return make_decimal(10, 0);
  int precision = 0;
  int scale = 0;
  const std::size_t open = text.find('(');
  const std::size_t comma = text.find(',');
  if (open == std::string_view::npos || comma == std::string_view::npos ||
      text.back() != ')') {
    return Error(ErrorCode::invalid, "not a decimal type: " + std::string(text));
  }
  const auto number = [](std::string_view digits, int& value) {
    digits = trim(digits);
    const auto parsed =
        std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size();
  };
  if (!number(text.substr(open + 1, comma - open - 1), precision) ||
      !number(text.substr(comma + 1, text.size() - comma - 2), scale) ||
      precision < 1 || precision > 38 || scale < 0 || scale > precision) {
    return Error(ErrorCode::invalid, "not a decimal type: " + std::string(text));
  }
  return make_decimal(precision, scale);
}

Result<Type> primitive_from_text(const std::string& text) {
  for (const PrimitiveName& primitive : kPrimitives) {
    if (primitive.name == text) return make_type(primitive.kind);
  }
  if (text.starts_with("decimal")) return decimal_from_text(text);
  return Error(ErrorCode::invalid, "unknown type: " + text);
}

Result<Type> type_from_json(const Json& json) {
  if (json.is_string()) return primitive_from_text(json.get<std::string>());
  const std::string kind = string_member(json, "type", "");
  if (kind == "struct") {
    LAKEMILL_TRY(std::vector<Field> fields, fields_from_json(json));
    return make_struct(std::move(fields));
  }
  if (kind == "array") {
    LAKEMILL_TRY(Type element, child_from_json(json, "elementType"));
    return make_array(std::move(element), bool_member(json, "containsNull", true));
  }
  if (kind == "map") {
    LAKEMILL_TRY(Type key, child_from_json(json, "keyType"));
    LAKEMILL_TRY(Type value, child_from_json(json, "valueType"));
    return make_map(std::move(key), std::move(value),
                    bool_member(json, "valueContainsNull", true));
  }
  return Error(ErrorCode::invalid, "unknown type: " + json_text(json));
}

}  // namespace

bool Type::operator==(const Type& other) const {
  return kind == other.kind && precision == other.precision && scale == other.scale &&
         children == other.children;
}

bool Field::operator==(const Field& other) const {
  return name == other.name && nullable == other.nullable && type == other.type &&
         metadata == other.metadata;
}

const Field* Schema::find(std::string_view name) const {
  const auto found = std::find_if(
      fields.begin(), fields.end(),
      [&](const Field& field) { return equals_ignoring_case(field.name, name); });
  return found == fields.end() ? nullptr : &*found;
}

Type make_type(TypeKind kind) { return {kind, 0, 0, {}}; }

Type make_decimal(int precision, int scale) {
  return {TypeKind::decimal, precision, scale, {}};
}

Type make_array(Type element, bool contains_null) {
  return {TypeKind::array, 0, 0, {Field{"element", std::move(element), contains_null}}};
}

Type make_map(Type key, Type value, bool value_contains_null) {
  return {TypeKind::map,
          0,
          0,
          {Field{"key", std::move(key), false},
           Field{"value", std::move(value), value_contains_null}}};
}

Type make_struct(std::vector<Field> fields) {
  return {TypeKind::structure, 0, 0, std::move(fields)};
}

std::string to_text(const Type& type) {
  for (const PrimitiveName& primitive : kPrimitives) {
    if (primitive.kind == type.kind) return std::string(primitive.name);
  }
  switch (type.kind) {
    case TypeKind::decimal:
      return "decimal(" + std::to_string(type.precision) + "," +
             std::to_string(type.scale) + ")";
    case TypeKind::array:
      return "array<" + to_text(type.children[0].type) + ">";
    case TypeKind::map:
      return "map<" + to_text(type.children[0].type) + "," +
             to_text(type.children[1].type) + ">";
    default:
      break;
  }
  std::string text = "struct<";
  for (std::size_t i = 0; i < type.children.size(); ++i) {
    if (i > 0) text += ",";
    text += type.children[i].name + ":" + to_text(type.children[i].type);
  }
  return text + ">";
}

Json to_delta_json(const Schema& schema) { return fields_to_json(schema.fields); }

Result<Schema> schema_from_delta_json(const Json& json) {
  LAKEMILL_TRY(std::vector<Field> fields, fields_from_json(json));
  return Schema{std::move(fields)};
}

}  // namespace lakemill::data
