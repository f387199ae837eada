#include "lakemill/sinks/change_sql.h"

#include <algorithm>

#include "lakemill/base/text.h"
#include "lakemill/dml/sql_type.h"

namespace lakemill::sinks {
namespace {

std::string joined(const std::vector<data::Field>& fields, std::string_view separator,
                   const std::function<std::string(const data::Field&)>& piece) {
  std::string text;
  for (const data::Field& field : fields) {
    if (!text.empty()) text += separator;
    text += piece(field);
  }
  return text;
}

std::string cast(std::string_view alias, const data::Field& field) {
  return "CAST(" + column(alias, field.name) + " AS " + dml::sql_type(field.type) + ")";
}

bool may_hold_any_text(const data::Type& type) {
  return type.kind == data::TypeKind::string ||
         type.kind == data::TypeKind::structure || type.kind == data::TypeKind::array ||
         type.kind == data::TypeKind::map;
}

}  // namespace

std::string column(std::string_view alias, std::string_view name) {
  return alias.empty() ? quote_identifier(name)
                       : std::string(alias) + "." + quote_identifier(name);
}

std::string column_list(std::string_view alias,
                        const std::vector<data::Field>& fields) {
  return joined(fields, ", ",
                [&](const data::Field& field) { return column(alias, field.name); });
}

std::string cast_list(std::string_view alias, const std::vector<data::Field>& fields) {
  return joined(fields, ", ", [&](const data::Field& field) {
    return cast(alias, field) + " AS " + quote_identifier(field.name);
  });
}

std::string keys_equal(std::string_view left, std::string_view right,
                       const std::vector<data::Field>& keys, bool nulls_match) {
  const std::string equal = nulls_match ? " IS NOT DISTINCT FROM " : " = ";
  return joined(keys, " AND ", [&](const data::Field& field) {
    return column(left, field.name) + equal + column(right, field.name);
  });
}

std::string key_is_null(std::string_view alias, const std::vector<data::Field>& keys) {
  return "(" +
         joined(keys, " OR ",
                [&](const data::Field& field) {
                  return column(alias, field.name) + " IS NULL";
                }) +
         ")";
}

std::string sequence_of(std::string_view alias, const ChangeColumns& columns) {
  if (columns.order.size() == 1) return cast(alias, columns.order.front());
  const std::string packed = joined(columns.order, ", ", [&](const data::Field& field) {
    return quote_identifier(field.name) + " := " + cast(alias, field);
  });
  return "CASE WHEN " + key_is_null(alias, columns.order) +
         " THEN NULL ELSE struct_pack(" + packed + ") END";
}

std::string row_hash(std::string_view alias, const std::vector<data::Field>& fields) {
  std::vector<data::Field> ordered = fields;
  std::sort(ordered.begin(), ordered.end(), [](const auto& left, const auto& right) {
    return to_lower(left.name) < to_lower(right.name);
  });
  std::string text = "CAST(md5_number_lower(concat_ws(chr(31), ''";
  for (const data::Field& field : ordered) {
    const std::string value = "CAST(" + column(alias, field.name) + " AS VARCHAR)";
    // With its length, so that no text looks like the end of it and another column.
    text += ", " + quote_literal(to_lower(field.name) + "=") + " || " +
            (may_hold_any_text(field.type) ? "strlen(" + value + ") || ':' || " : "") +
            value;
  }
  return text + ")) >> 1 AS BIGINT)";
}

std::vector<data::Field> without_metadata(const std::vector<data::Field>& fields) {
  std::vector<data::Field> left;
  for (const data::Field& field : fields) {
    if (!field.name.starts_with("_")) left.push_back(field);
  }
  return left;
}

std::string number_of(ChangeKind kind) {
  return std::to_string(static_cast<int>(kind));
}

}  // namespace lakemill::sinks
