#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lakemill/base/json.h"

namespace lakemill::data {

/// The types of a table's columns: those of the Delta protocol.
enum class TypeKind : std::uint8_t {
  boolean,
  int8,
  int16,
  int32,
  int64,
  float32,
  float64,
  decimal,  ///< `precision` up to 38, `scale`
  string,   ///< UTF-8
  binary,
  date,           ///< days since 1970
  timestamp,      ///< an instant, microseconds, UTC
  timestamp_ntz,  ///< a wall clock, microseconds, no zone
  void_type,      ///< holds only nulls
  variant,
  array,      ///< one child, "element"
  map,        ///< two children, "key" and "value"
  structure,  ///< a child per field
};

struct Field;

/// A type as a value; nested types own their children.
struct Type {
  TypeKind kind = TypeKind::string;
  int precision = 0;  ///< decimal only
  int scale = 0;      ///< decimal only
  std::vector<Field> children;

  bool operator==(const Type& other) const;
};

/// A named, typed place in a schema, a struct, an array or a map.
struct Field {
  std::string name;
  Type type;
  bool nullable = true;
  Json metadata = Json::object();  ///< Delta's field metadata, kept as it came

  bool operator==(const Field& other) const;
};

/// The columns of a table or of a query, in order.
struct Schema {
  std::vector<Field> fields;

  /// The field of that name, ignoring ASCII case, or null.
  const Field* find(std::string_view name) const;
  bool operator==(const Schema& other) const = default;
};

Type make_type(TypeKind kind);
Type make_decimal(int precision, int scale);
Type make_array(Type element, bool contains_null);
Type make_map(Type key, Type value, bool value_contains_null);
Type make_struct(std::vector<Field> fields);

/// As Delta and people write it: "long", "decimal(10,2)", "array<string>",
/// "map<string,long>", "struct<a:long,b:string>".
std::string to_text(const Type& type);

/// Schemas as Delta writes them in metaData.schemaString, and back.
/// Source: Delta PROTOCOL.md, "Schema Serialization Format". Errors: invalid.
Json to_delta_json(const Schema& schema);
Result<Schema> schema_from_delta_json(const Json& json);

}  // namespace lakemill::data
