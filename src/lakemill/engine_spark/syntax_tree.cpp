#include "lakemill/engine_spark/syntax_tree.h"

#include <algorithm>

#include "lakemill/engine_spark/spark_sql.h"
#include "lakemill/engine_spark/spark_types.h"

namespace lakemill::engine_spark {

namespace {

std::string decimal_text(std::int64_t digits, std::size_t scale) {
  const bool negative = digits < 0;
  std::string text = std::to_string(digits);
  if (negative) text.erase(0, 1);
  if (text.size() <= scale) text.insert(0, scale + 1 - text.size(), '0');
  text.insert(text.size() - scale, scale == 0 ? "" : ".");
  return negative ? "(-" + text + ")" : text;
}

}  // namespace

const Json& member(const Json& json, std::string_view key) {
  static const Json kNone;
  const Json* found = find_member(json, key);
  return found == nullptr ? kNone : *found;
}

bool has(const Json& json, std::string_view key) {
  const Json& found = member(json, key);
  if (found.is_string()) return !found.get_ref<const std::string&>().empty();
  return !found.is_null() && !(found.is_structured() && found.empty());
}

std::string text_of(const Json& json, std::string_view key) {
  return string_member(json, key, "");
}

bool is_constant(const Json& expression, std::string_view id) {
  return text_of(expression, "class") == "CONSTANT" &&
         text_of(member(member(expression, "value"), "type"), "id") == id;
}

Result<std::string> constant_sql(const Json& expression) {
  const Json& value = member(expression, "value");
  const Json& content = member(value, "value");
  const std::string type = text_of(member(value, "type"), "id");
  if (bool_member(value, "is_null", false)) return std::string("NULL");
  if (content.is_string()) return quote_text(content.get_ref<const std::string&>());
  if (content.is_boolean()) return std::string(content.get<bool>() ? "true" : "false");
  if (type == "DECIMAL" && content.is_number_integer()) {
    const Json& info = member(member(value, "type"), "type_info");
    return decimal_text(content.get<std::int64_t>(),
                        static_cast<std::size_t>(std::max(
                            std::int64_t{0}, integer_member(info, "scale", 0))));
  }
  if (type == "DOUBLE" && content.is_number()) {
    return "CAST('" + json_text(content) + "' AS DOUBLE)";
  }
  if ((type == "INTEGER" || type == "BIGINT") && content.is_number_integer()) {
    const auto number = content.get<std::int64_t>();
    const std::string text = std::to_string(number) + (type == "BIGINT" ? "L" : "");
    return number < 0 ? "(" + text + ")" : text;
  }
  return not_on_spark("a constant of type " + type);
}

}  // namespace lakemill::engine_spark
