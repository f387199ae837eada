#include "lakemill/engine_duckdb/rescued_values.h"

#include <algorithm>
#include <vector>

#include "lakemill/base/text.h"
#include "lakemill/engine/text_spelling.h"
#include "lakemill/engine_duckdb/csv_values.h"
#include "lakemill/engine_duckdb/json_exactness.h"
#include "lakemill/engine_duckdb/type_mapping.h"

namespace lakemill::engine_duckdb {

namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;

std::string try_cast(const std::string& sql, const LogicalType& type) {
  return "TRY_CAST(" + sql + " AS " + type.ToString() + ")";
}

// A text, or null where a regular expression finds what a cast would drop.
std::string unless(const std::string& sql, const std::string& dropped) {
  return "(CASE WHEN regexp_matches(" + sql + ", " + quote_literal(dropped) +
         ") THEN NULL ELSE " + sql + " END)";
}

bool is_instant(const LogicalType& type) {
  return type.id() == LogicalTypeId::TIMESTAMP ||
         type.id() == LogicalTypeId::TIMESTAMP_TZ;
}

// A place within a JSON value: of a column, or of an element of one of its lists.
struct JsonPlace {
  std::string base;
  std::string pointer;
  int depth = 0;  // how many lists it is in

  std::string sql() const {
    if (pointer.empty()) return base;
    return "json_extract(" + base + ", " + quote_literal(pointer) + ")";
  }
};

// What counts as lost.
enum class Keeps { all, declared, numbers };

bool keeps_shape(Keeps keeps) {
  return keeps == Keeps::all || keeps == Keeps::declared;
}

std::string loss_at(const JsonPlace& place, const LogicalType& type, Keeps keeps);

std::string loss_in_struct(const JsonPlace& place, const LogicalType& type,
                           Keeps keeps) {
  std::vector<std::string> names;
  std::vector<std::string> losses;
  for (const auto& [name, child] : duckdb::StructType::GetChildTypes(type)) {
    names.push_back(quote_literal(name));
    losses.push_back(
        loss_at({place.base, place.pointer + formats::member_step(name), place.depth},
                child, keeps));
  }
  if (keeps_shape(keeps)) {
    losses.insert(losses.begin(), "NOT list_has_all([" + join(names, ", ") +
                                      "], json_keys(" + place.sql() + "))");
  }
  return join(losses, " OR ");
}

std::string loss_in_elements(const JsonPlace& place, const LogicalType& type,
                             const std::string& path, Keeps keeps) {
  const std::string element = "_lakemill_element" + std::to_string(place.depth);
  const std::string loss = loss_at({element, "", place.depth + 1}, type, keeps);
  if (loss == "false") return loss;
  return "len(list_filter(json_extract(" + place.sql() + ", '" + path + "'), lambda " +
         element + ": " + loss + ")) > 0";
}

// Or where a cast takes it, but would not give the text back: 1 or "yes" as true, "012"
// as 12.
std::string unusual_spelling(const std::string& text, const LogicalType& type) {
  if (type.id() == LogicalTypeId::BOOLEAN) {
    return " OR " + text + " NOT IN ('true', 'false')";
  }
  if (!type.IsNumeric()) return "";
  const bool has_words =
      type.id() == LogicalTypeId::DOUBLE || type.id() == LogicalTypeId::FLOAT;
  return " OR NOT regexp_matches(" + text +
         R"(, '^(-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]+)?)" +
         (has_words ? "|NaN|-?Infinity" : "") + ")$')";
}

// True where the text of a value is none of that type.
std::string scalar_loss(const std::string& text, const LogicalType& type, Keeps keeps) {
  const std::string given = text + " IS NOT NULL AND ";
  if (keeps == Keeps::all) return text_loss(text, type);
  if (keeps == Keeps::declared) {
    return "(" + given + declared_text_cast(text, type) + " IS NULL)";
  }
  const bool is_fraction =
      type.id() == LogicalTypeId::DOUBLE || type.id() == LogicalTypeId::DECIMAL;
  if (!is_fraction) return "false";
  return "(" + given + "try_cast(" + text + " AS DOUBLE) IS NOT NULL AND " +
         exact_text_cast(text, type) + " IS NULL)";
}

std::string loss_at(const JsonPlace& place, const LogicalType& type, Keeps keeps) {
  const std::string json = place.sql();
  const auto nested = [&](const std::string& kind, const std::string& loss) {
    return "coalesce(CASE json_type(" + json + ") WHEN 'NULL' THEN false WHEN '" +
           kind + "' THEN " + loss + " ELSE " +
           (keeps_shape(keeps) ? "true" : "false") + " END AND " + json +
           " IS NOT NULL, false)";
  };
  switch (type.id()) {
    case LogicalTypeId::VARCHAR:  // any value has a text
      return "false";
    case LogicalTypeId::STRUCT:
      return nested("OBJECT", loss_in_struct(place, type, keeps));
    case LogicalTypeId::LIST:
      return nested(
          "ARRAY",
          loss_in_elements(place, duckdb::ListType::GetChildType(type), "$[*]", keeps));
    case LogicalTypeId::MAP:
      return nested("OBJECT", loss_in_elements(place, duckdb::MapType::ValueType(type),
                                               "$.*", keeps));
    default:
      return scalar_loss("(" + json + " ->> '$')", type, keeps);
  }
}

// False where DuckDB does not even begin a cast: structs that share no field.
bool may_cast(const LogicalType& from, const LogicalType& to) {
  if (from.id() != to.id()) return true;
  switch (from.id()) {
    case LogicalTypeId::LIST:
      return may_cast(duckdb::ListType::GetChildType(from),
                      duckdb::ListType::GetChildType(to));
    case LogicalTypeId::MAP:
      return may_cast(duckdb::MapType::KeyType(from), duckdb::MapType::KeyType(to)) &&
             may_cast(duckdb::MapType::ValueType(from), duckdb::MapType::ValueType(to));
    case LogicalTypeId::STRUCT:
      break;
    default:
      return true;
  }
  bool shared = false;
  for (const auto& [name, child] : duckdb::StructType::GetChildTypes(from)) {
    for (const auto& [other, wanted] : duckdb::StructType::GetChildTypes(to)) {
      if (!equals_ignoring_case(name, other)) continue;
      if (!may_cast(child, wanted)) return false;
      shared = true;
    }
  }
  return shared;
}

// The type as a table has it: without nanoseconds, for one.
LogicalType table_type(const LogicalType& type) {
  const auto field = from_duckdb({"x"}, {type});
  if (!field || field->fields.empty()) return type;
  const auto held = to_duckdb(field->fields[0].type);
  return held ? *held : type;
}

}  // namespace

std::string exact_text_cast(const std::string& sql, const LogicalType& type) {
  if (is_instant(type)) {
    // An offset in the text counts: through an instant to the wall clock of UTC.
    const std::string instant =
        try_cast(unless(sql, engine::kBelowMicroseconds), LogicalType::TIMESTAMP_TZ);
    return type.id() == LogicalTypeId::TIMESTAMP_TZ
               ? instant
               : "CAST(" + instant + " AS TIMESTAMP)";
  }
  const auto call = [&](const char* function) {
    return std::string(function) + "(" + sql + ")";
  };
  if (type.id() == LogicalTypeId::DOUBLE) return call(kExactDouble);
  if (type.id() == LogicalTypeId::FLOAT) return call(kExactFloat);
  if (type.IsIntegral()) {
    return try_cast(unless(call(kPlainNumber), "[.]0*[1-9]|[_xXbB]"), type);
  }
  if (type.id() == LogicalTypeId::DECIMAL) {
    const int scale = duckdb::DecimalType::GetScale(type);
    return try_cast(unless(call(kPlainNumber),
                           "[.][0-9]{" + std::to_string(scale) + "}0*[1-9]|[_xXbB]"),
                    type);
  }
  if (type.id() == LogicalTypeId::DATE) {
    return call(kTextDate);
  }
  return try_cast(sql, type);
}

std::string declared_text_cast(const std::string& sql, const LogicalType& type) {
  if (type.id() == LogicalTypeId::DOUBLE) {
    return std::string(kNearDouble) + "(" + sql + ")";
  }
  const bool rounds = type.IsIntegral() || type.id() == LogicalTypeId::DECIMAL ||
                      type.id() == LogicalTypeId::DATE || is_instant(type);
  return rounds ? exact_text_cast(sql, type) : try_cast(sql, type);
}

std::string text_loss(const std::string& sql, const LogicalType& type) {
  return "(" + sql + " IS NOT NULL AND (" + exact_text_cast(sql, type) + " IS NULL" +
         unusual_spelling(sql, type) + "))";
}

std::string json_loss(const std::string& json, const LogicalType& type) {
  return loss_at({json, "", 0}, type, Keeps::all);
}

std::string declared_json_loss(const std::string& json, const LogicalType& type) {
  return loss_at({json, "", 0}, type, Keeps::declared);
}

std::string json_number_loss(const std::string& json, const LogicalType& type) {
  return loss_at({json, "", 0}, type, Keeps::numbers);
}

HeldValue held_value(const std::string& raw, const LogicalType& from,
                     const LogicalType& to) {
  const std::string given = raw + " IS NOT NULL AND ";
  if (to.id() == LogicalTypeId::VARCHAR) {  // any value has a text
    return {"CAST(" + raw + " AS VARCHAR)", ""};
  }
  if (from.id() == LogicalTypeId::VARCHAR) {
    return {exact_text_cast(raw, to), text_loss(raw, to)};
  }
  const bool one_is_boolean =
      (from.id() == LogicalTypeId::BOOLEAN) != (to.id() == LogicalTypeId::BOOLEAN);
  if (one_is_boolean || !may_cast(from, to)) {
    return {"CAST(NULL AS " + to.ToString() + ")", raw + " IS NOT NULL"};
  }
  const LogicalType held = table_type(from);
  const std::string value = try_cast(raw, to);
  const std::string before = held == from ? raw : try_cast(raw, held);
  return {value, given + "(" + value + " IS NULL OR " + try_cast(value, held) +
                     " IS DISTINCT FROM " + before + ")"};
}

std::string rescued_text(const std::string& raw, const LogicalType& type) {
  return type.IsNested() ? "CAST(to_json(" + raw + ") AS VARCHAR)"
                         : "CAST(" + raw + " AS VARCHAR)";
}

}  // namespace lakemill::engine_duckdb
