#include "lakemill/data/rows_json.h"

#include <cmath>

namespace lakemill::data {

namespace {

Json to_json(const Value& value, const Type& type) {
  if (is_null(value)) return nullptr;
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return *integer;
  if (const auto* number = std::get_if<double>(&value)) {
    if (std::isfinite(*number)) return *number;
    // JSON has no such numbers: words, as the engine writes them into files.
    return std::isnan(*number) ? "NaN" : *number > 0 ? "Infinity" : "-Infinity";
  }
  const std::string text = to_text(value);
  const bool nested = type.kind == TypeKind::structure ||
                      type.kind == TypeKind::array || type.kind == TypeKind::map;
  if (nested) {
    if (auto parsed = parse_json(text)) return *std::move(parsed);
  }
  return text;
}

}  // namespace

OrderedJson to_json(const Rows& rows) {
  OrderedJson list = OrderedJson::array();
  for (const auto& row : rows.rows) {
    OrderedJson object = OrderedJson::object();
    for (std::size_t i = 0; i < row.size(); ++i) {
      const Field& field = rows.schema.fields[i];
      object[field.name] = to_json(row[i], field.type);
    }
    list.push_back(std::move(object));
  }
  return list;
}

}  // namespace lakemill::data
