#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "lakemill/base/result.h"

namespace lakemill {

/// A JSON value; objects keep no order. Its own calls throw: go through the functions
/// below for what comes from outside.
using Json = nlohmann::json;

/// A JSON value whose objects keep the order in which keys were added: for what people
/// read.
using OrderedJson = nlohmann::ordered_json;

/// Errors: invalid, with the byte where parsing stopped.
Result<Json> parse_json(std::string_view text);

/// Compact text; invalid UTF-8 is replaced rather than thrown on.
std::string json_text(const Json& json);
std::string json_text(const OrderedJson& json);

/// The member `key` of an object, or null when `json` is no object or lacks it.
const Json* find_member(const Json& json, std::string_view key);

/// A string / integer / boolean member; `fallback` when absent, null or of another
/// type.
std::string string_member(const Json& json, std::string_view key,
                          std::string_view fallback);
std::int64_t integer_member(const Json& json, std::string_view key,
                            std::int64_t fallback);
bool bool_member(const Json& json, std::string_view key, bool fallback);

}  // namespace lakemill
