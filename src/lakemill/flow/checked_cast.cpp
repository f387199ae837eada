#include "lakemill/flow/checked_cast.h"

#include "lakemill/base/text.h"
#include "lakemill/dml/sql_type.h"
#include "lakemill/engine/text_spelling.h"

namespace lakemill::flow {

namespace {

// False where the engine does not even begin a cast: structs that share no field, at
// any depth.
bool may_cast(const data::Type& from, const data::Type& to) {
  if (from.kind != to.kind || from.children.empty()) return true;
  const bool is_struct = from.kind == data::TypeKind::structure;
  bool shared = false;
  for (std::size_t i = 0; i < from.children.size(); ++i) {
    for (std::size_t k = 0; k < to.children.size(); ++k) {
      const bool same =
          is_struct ? equals_ignoring_case(from.children[i].name, to.children[k].name)
                    : i == k;
      if (!same) continue;
      if (!may_cast(from.children[i].type, to.children[k].type)) return false;
      shared = true;
    }
  }
  return shared;
}

// What the engine's cast of a text would leave out of it: a fraction, digits behind
// the last that a decimal has, the time of a day, what is below a microsecond. SQL;
// empty: nothing.
std::string lost_of_text(const std::string& name, const std::string& value,
                         const data::Type& type) {
  switch (type.kind) {
    case data::TypeKind::int8:
    case data::TypeKind::int16:
    case data::TypeKind::int32:
    case data::TypeKind::int64:
      return "regexp_matches(" + name + ", '\\.[0-9]*[1-9]|[eE]-')";
    case data::TypeKind::decimal:
      return "regexp_matches(" + name + ", '\\.[0-9]{" + std::to_string(type.scale) +
             "}[0-9]*[1-9]') OR regexp_matches(" + name + ", '[eE]-') AND CAST(" +
             value + " AS DOUBLE) IS DISTINCT FROM TRY_CAST(" + name + " AS DOUBLE)";
    case data::TypeKind::date:
      return "coalesce(TRY_CAST(" + name + " AS TIMESTAMP) <> CAST(" + value +
             " AS TIMESTAMP), false)";
    case data::TypeKind::timestamp:
    case data::TypeKind::timestamp_ntz:
      return "regexp_matches(" + name + ", " +
             quote_literal(engine::kBelowMicroseconds) + ")";
    default:
      return "";
  }
}

}  // namespace

CheckedCast checked_cast(const data::Field& field, const data::Type& type) {
  const std::string name = quote_identifier(field.name);
  const std::string target = dml::sql_type(type);
  if (type.kind == data::TypeKind::string) return {"CAST(" + name + " AS VARCHAR)", ""};
  if (!may_cast(field.type, type)) {
    return {"CAST(NULL AS " + target + ")", name + " IS NOT NULL"};
  }
  const std::string value = "TRY_CAST(" + name + " AS " + target + ")";
  std::string misfit = name + " IS NOT NULL AND (" + value + " IS NULL";
  if (field.type.kind == data::TypeKind::string) {
    const std::string lost = lost_of_text(name, value, type);
    if (!lost.empty()) misfit += " OR " + lost;
  } else {
    misfit += " OR TRY_CAST(" + value + " AS " + dml::sql_type(field.type) +
              ") IS DISTINCT FROM " + name;
  }
  return {value, misfit + ")"};
}

std::string spelled_otherwise_sql(const data::Field& field, const data::Type& type) {
  if (field.type.kind != data::TypeKind::string) return "";
  const std::string name = quote_identifier(field.name);
  switch (type.kind) {
    case data::TypeKind::boolean:
      return engine::unlike_boolean_sql(name);
    case data::TypeKind::int8:
    case data::TypeKind::int16:
    case data::TypeKind::int32:
    case data::TypeKind::int64:
    case data::TypeKind::decimal:
    case data::TypeKind::float32:
    case data::TypeKind::float64:
      return engine::unlike_number_sql(name);
    default:
      return "";
  }
}

std::string value_text_sql(const data::Field& field) {
  const std::string name = quote_identifier(field.name);
  return "CAST(" + (field.type.children.empty() ? name : "to_json(" + name + ")") +
         " AS VARCHAR)";
}

}  // namespace lakemill::flow
