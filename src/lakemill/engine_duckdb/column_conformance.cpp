#include "lakemill/engine_duckdb/column_conformance.h"

#include <array>
#include <charconv>
#include <optional>

#include "lakemill/base/text.h"
#include "lakemill/dml/held_rows.h"
#include "lakemill/engine_duckdb/type_mapping.h"

namespace lakemill::engine_duckdb {

namespace {

using data::Field;
using data::Type;
using data::TypeKind;
using duckdb::LogicalType;
using duckdb::LogicalTypeId;

// An expression, and whether it is still the untouched one it was made from.
struct Conformed {
  std::string sql;
  bool changed = false;
};

struct Place {
  std::string path;  // "x.y", for messages
  int depth = 0;     // of lambdas, for their parameter's name
  bool mapped = false;
};

Error column_error(const std::string& path, const std::string& what) {
  return {ErrorCode::invalid, "column " + path + ": " + what};
}

Result<LogicalType> physical_type(const Type& type, bool mapped) {
  switch (type.kind) {
    case TypeKind::structure: {
      duckdb::child_list_t<LogicalType> children;
      for (const Field& field : type.children) {
        LAKEMILL_TRY(LogicalType child, physical_type(field.type, mapped));
        children.emplace_back(physical_name(field, mapped), std::move(child));
      }
      return LogicalType::STRUCT(std::move(children));
    }
    case TypeKind::array: {
      LAKEMILL_TRY(LogicalType element, physical_type(type.children[0].type, mapped));
      return LogicalType::LIST(element);
    }
    case TypeKind::map: {
      LAKEMILL_TRY(LogicalType key, physical_type(type.children[0].type, mapped));
      LAKEMILL_TRY(LogicalType value, physical_type(type.children[1].type, mapped));
      return LogicalType::MAP(key, value);
    }
    default:
      return to_duckdb(type);
  }
}

std::string cast_sql(const std::string& sql, const LogicalType& type) {
  return "CAST(" + sql + " AS " + type.ToString() + ")";
}

// The number of decimal digits before the point that a type can need.
int integer_digits(const Type& type) {
  switch (type.kind) {
    case TypeKind::int8:
      return 3;
    case TypeKind::int16:
      return 5;
    case TypeKind::int32:
      return 10;
    case TypeKind::int64:
      return 19;
    case TypeKind::decimal:
      return type.precision - type.scale;
    default:
      return 0;
  }
}

bool is_integer(TypeKind kind) {
  return kind >= TypeKind::int8 && kind <= TypeKind::int64;
}

std::string mismatch(const Type& from, const Type& to) {
  const bool instants =
      (from.kind == TypeKind::timestamp && to.kind == TypeKind::timestamp_ntz) ||
      (from.kind == TypeKind::timestamp_ntz && to.kind == TypeKind::timestamp);
  const std::string says =
      "the query gives " + to_text(from) + ", the table holds " + to_text(to);
  if (instants) {
    return says + "; write `AT TIME ZONE 'UTC'` (or the zone that is meant) to turn " +
           "one into the other";
  }
  return says + "; cast it in the SQL, or give the table a wider type";
}

// What stands in the way of a null where the table has none. Nulls of plain columns are
// told by the statistics of the files that were written; those below a column only
// here.
std::string refuse_null(const std::string& path) {
  return "error(" +
         quote_literal("column " + path +
                       ": the query gives null, the table's column is NOT NULL") +
         ")";
}

Result<Conformed> conform(const std::string& sql, const LogicalType& from,
                          const Field& to, const Place& place);

// A field of a struct, an element of a list, a value of a map.
Result<Conformed> conform_part(const std::string& sql, const LogicalType& from,
                               const Field& to, const Place& place) {
  LAKEMILL_TRY(Conformed part, conform(sql, from, to, place));
  if (to.nullable) return part;
  return Conformed{"coalesce(" + part.sql + ", " + refuse_null(place.path) + ")", true};
}

Result<Conformed> conform_struct(const std::string& sql, const LogicalType& from,
                                 const Type& to, const Place& place) {
  const auto& given = duckdb::StructType::GetChildTypes(from);
  std::vector<bool> used(given.size(), false);
  std::vector<std::string> parts;
  bool changed = given.size() != to.children.size();
  for (std::size_t i = 0; i < to.children.size(); ++i) {
    const Field& field = to.children[i];
    std::optional<std::size_t> found;
    for (std::size_t k = 0; k < given.size() && !found; ++k) {
      if (equals_ignoring_case(given[k].first, field.name)) found = k;
    }
    const std::string name = physical_name(field, place.mapped);
    const Place inner{place.path + "." + field.name, place.depth, place.mapped};
    if (!found) {
      LAKEMILL_TRY(const LogicalType type, physical_type(field.type, place.mapped));
      const std::string value = field.nullable ? "NULL" : refuse_null(inner.path);
      parts.push_back(quote_identifier(name) + " := " + cast_sql(value, type));
      changed = true;
      continue;
    }
    used[*found] = true;
    LAKEMILL_TRY(Conformed child,
                 conform_part("struct_extract(" + sql + ", " +
                                  quote_literal(given[*found].first) + ")",
                              given[*found].second, field, inner));
    changed = changed || child.changed || *found != i || given[*found].first != name;
    parts.push_back(quote_identifier(name) + " := " + child.sql);
  }
  for (std::size_t k = 0; k < given.size(); ++k) {
    if (!used[k]) {
      return column_error(place.path + "." + given[k].first,
                          "the table has no such field");
    }
  }
  if (!changed) return Conformed{sql, false};
  return Conformed{"CASE WHEN (" + sql + ") IS NULL THEN NULL ELSE struct_pack(" +
                       join(parts, ", ") + ") END",
                   true};
}

std::string lambda_name(const Place& place) {
  return "_lakemill_element_" + std::to_string(place.depth);
}

Result<Conformed> conform_list(const std::string& sql, const LogicalType& from,
                               const Type& to, const Place& place) {
  const bool fixed = from.id() == LogicalTypeId::ARRAY;
  const LogicalType element = fixed ? duckdb::ArrayType::GetChildType(from)
                                    : duckdb::ListType::GetChildType(from);
  const std::string list = fixed ? cast_sql(sql, LogicalType::LIST(element)) : sql;
  const std::string parameter = lambda_name(place);
  const Place inner{place.path + ".element", place.depth + 1, place.mapped};
  LAKEMILL_TRY(const Conformed child,
               conform_part(parameter, element, to.children[0], inner));
  if (!child.changed) return Conformed{list, fixed};
  return Conformed{
      "list_transform(" + list + ", lambda " + parameter + ": " + child.sql + ")",
      true};
}

Result<Conformed> conform_map(const std::string& sql, const LogicalType& from,
                              const Type& to, const Place& place) {
  const std::string parameter = lambda_name(place);
  const Place key_place{place.path + ".key", place.depth + 1, place.mapped};
  const Place value_place{place.path + ".value", place.depth + 1, place.mapped};
  LAKEMILL_TRY(const Conformed key,
               conform("struct_extract(" + parameter + ", 'key')",
                       duckdb::MapType::KeyType(from), to.children[0], key_place));
  LAKEMILL_TRY(
      const Conformed value,
      conform_part("struct_extract(" + parameter + ", 'value')",
                   duckdb::MapType::ValueType(from), to.children[1], value_place));
  if (!key.changed && !value.changed) return Conformed{sql, false};
  return Conformed{"CASE WHEN (" + sql +
                       ") IS NULL THEN NULL ELSE map_from_entries(list_transform("
                       "map_entries(" +
                       sql + "), lambda " + parameter + ": struct_pack(key := " +
                       key.sql + ", value := " + value.sql + "))) END",
                   true};
}

// A sum of integers is HUGEINT; as long it must fit, and the message names the column.
std::string checked_long(const std::string& sql, const std::string& path) {
  const std::string message =
      "column " + path + ": the integer does not fit into long (64 bits): ";
  return "CASE WHEN (" + sql + ") IS NULL OR (" + sql +
         ") BETWEEN -9223372036854775808 AND 9223372036854775807 THEN TRY_CAST(" + sql +
         " AS BIGINT) ELSE error(" + quote_literal(message) + " || (" + sql + ")) END";
}

Result<Conformed> conform_scalar(const std::string& sql, const LogicalType& from,
                                 const Type& to, const Place& place) {
  LAKEMILL_TRY(const Type stored, from_duckdb(from, place.path));
  LAKEMILL_TRY(const LogicalType type, physical_type(to, place.mapped));
  if (!holds_every_value(to, stored)) {
    return column_error(place.path, mismatch(stored, to));
  }
  if (from == type) return Conformed{sql, false};
  const bool huge = from.id() == LogicalTypeId::HUGEINT ||
                    from.id() == LogicalTypeId::UHUGEINT ||
                    from.id() == LogicalTypeId::BIGNUM;
  if (huge && to.kind == TypeKind::int64) {
    return Conformed{checked_long(sql, place.path), true};
  }
  return Conformed{cast_sql(sql, type), true};
}

Result<Conformed> conform(const std::string& sql, const LogicalType& from,
                          const Field& to, const Place& place) {
  if (to.type.kind == TypeKind::void_type) {
    return Error(ErrorCode::unsupported,
                 "column " + place.path + ": a nested field of type void");
  }
  if (from.id() == LogicalTypeId::SQLNULL) {
    LAKEMILL_TRY(const LogicalType type, physical_type(to.type, place.mapped));
    // Not just null: what is of no type may be an error() that is to be raised.
    return Conformed{cast_sql(sql, type), true};
  }
  const bool is_list =
      from.id() == LogicalTypeId::LIST || from.id() == LogicalTypeId::ARRAY;
  if (from.id() == LogicalTypeId::STRUCT && to.type.kind == TypeKind::structure) {
    return conform_struct(sql, from, to.type, place);
  }
  if (is_list && to.type.kind == TypeKind::array) {
    return conform_list(sql, from, to.type, place);
  }
  if (from.id() == LogicalTypeId::MAP && to.type.kind == TypeKind::map) {
    return conform_map(sql, from, to.type, place);
  }
  return conform_scalar(sql, from, to.type, place);
}

// The length in "varchar(3)", "char(3)"; 0: it is another type.
int length_of(std::string_view type, std::string_view name) {
  if (!type.starts_with(name) || !type.ends_with(")")) return 0;
  const std::string_view digits =
      type.substr(name.size(), type.size() - name.size() - 1);
  int length = 0;
  const auto read =
      std::from_chars(digits.data(), digits.data() + digits.size(), length);
  return read.ec == std::errc() && read.ptr == digits.data() + digits.size() ? length
                                                                             : 0;
}

// Spark's VARCHAR(n) and CHAR(n) are strings with a length in the field's metadata. As
// it does: spaces beyond the length go, a longer text is refused, CHAR is filled up.
std::string fit_length(const std::string& text, const Field& field) {
  const std::string type = string_member(field.metadata, dml::kCharacterType, "");
  const int filled = length_of(type, "char(");
  const int length = filled > 0 ? filled : length_of(type, "varchar(");
  if (length == 0 || field.type.kind != TypeKind::string) return text;
  const std::string most = std::to_string(length);
  const std::string message =
      " characters, the table's column is " + type + "; shorten it in the SQL";
  std::string fitted =
      "CASE WHEN length(" + text + ") > " + most + " THEN CASE WHEN length(rtrim(" +
      text + ", ' ')) <= " + most + " THEN left(" + text + ", " + most +
      ") ELSE error(" +
      quote_literal("column " + field.name + ": the query gives a text of ") +
      " || length(" + text + ") || " + quote_literal(message) + ") END ELSE " + text +
      " END";
  if (filled == 0) return fitted;
  return "rpad(" + fitted + ", " + most + ", ' ')";
}

Result<std::optional<FileColumn>> conform_column(const QueryColumns& columns,
                                                 const Field& field, bool mapped,
                                                 std::vector<bool>& used) {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < columns.names.size() && !found; ++i) {
    if (equals_ignoring_case(columns.names[i], field.name)) found = i;
  }
  if (found) used[*found] = true;
  if (field.type.kind == TypeKind::void_type) return std::optional<FileColumn>();
  FileColumn column{field.name, physical_name(field, mapped), {}, {}, field.nullable};
  LAKEMILL_TRY(column.type, physical_type(field.type, mapped));
  if (!found) {
    column.expression = cast_sql("NULL", column.type);
    return std::optional(std::move(column));
  }
  const Place place{field.name, 0, mapped};
  LAKEMILL_TRY(Conformed conformed, conform(quote_identifier(columns.names[*found]),
                                            columns.types[*found], field, place));
  column.expression = fit_length(conformed.sql, field);
  // Statistics tell whether plain columns hold nulls; nested ones are looked at here.
  if (!field.nullable && column.type.IsNested()) {
    column.expression =
        "coalesce(" + column.expression + ", " + refuse_null(field.name) + ")";
  }
  return std::optional(std::move(column));
}

}  // namespace

std::string physical_name(const Field& field, bool mapped) {
  if (!mapped) return field.name;
  return string_member(field.metadata, "delta.columnMapping.physicalName", field.name);
}

bool holds_every_value(const Type& to, const Type& from) {
  if (to.kind == from.kind && to.kind != TypeKind::decimal) {
    return true;  // nested types are compared field by field elsewhere
  }
  if (is_integer(from.kind) && is_integer(to.kind)) return from.kind <= to.kind;
  if (to.kind == TypeKind::decimal &&
      (is_integer(from.kind) || from.kind == TypeKind::decimal)) {
    return integer_digits(to) >= integer_digits(from) && to.scale >= from.scale;
  }
  if (to.kind == TypeKind::float64) {
    return from.kind == TypeKind::float32 ||
           (is_integer(from.kind) && from.kind != TypeKind::int64);
  }
  if (to.kind == TypeKind::float32) {
    return from.kind == TypeKind::int8 || from.kind == TypeKind::int16;
  }
  const bool to_timestamp =
      to.kind == TypeKind::timestamp || to.kind == TypeKind::timestamp_ntz;
  return to_timestamp && from.kind == TypeKind::date;
}

Result<std::vector<FileColumn>> conform_columns(const QueryColumns& columns,
                                                const data::Schema& schema,
                                                bool mapped) {
  std::vector<bool> used(columns.names.size(), false);
  std::vector<FileColumn> conformed;
  for (const Field& field : schema.fields) {
    LAKEMILL_TRY(std::optional<FileColumn> column,
                 conform_column(columns, field, mapped, used));
    if (column) conformed.push_back(std::move(*column));
  }
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) return column_error(columns.names[i], "the table has no such column");
  }
  return conformed;
}

}  // namespace lakemill::engine_duckdb
