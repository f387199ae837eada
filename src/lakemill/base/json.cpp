#include "lakemill/base/json.h"

namespace lakemill {

Result<Json> parse_json(std::string_view text) {
  try {
    return Json::parse(text);
  } catch (const Json::exception& exception) {
    return Error(ErrorCode::invalid, std::string("not JSON: ") + exception.what());
  }
}

std::string json_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string json_text(const OrderedJson& json) {
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

const Json* find_member(const Json& json, std::string_view key) {
  if (!json.is_object()) return nullptr;
  const auto found = json.find(key);
  return found == json.end() ? nullptr : &*found;
}

std::string string_member(const Json& json, std::string_view key,
                          std::string_view fallback) {
  const Json* member = find_member(json, key);
  if (member == nullptr || !member->is_string()) return std::string(fallback);
  return member->get<std::string>();
}

std::int64_t integer_member(const Json& json, std::string_view key,
                            std::int64_t fallback) {
  const Json* member = find_member(json, key);
  if (member == nullptr || !member->is_number_integer()) return fallback;
  return member->get<std::int64_t>();
}

bool bool_member(const Json& json, std::string_view key, bool fallback) {
  const Json* member = find_member(json, key);
  if (member == nullptr || !member->is_boolean()) return fallback;
  return member->get<bool>();
}

}  // namespace lakemill
