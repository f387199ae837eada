#include "lakemill/api/request_fields.h"

#include <algorithm>
#include <charconv>

namespace lakemill::api {

namespace {

constexpr int kDepthMax = 64;

// A bound on how deep arrays and objects of a body are within each other: parsers
// recurse.
bool is_too_deep(std::string_view text) {
  int depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_text && c == '\\') {
      ++i;
    } else if (c == '"') {
      in_text = !in_text;
    } else if (!in_text && (c == '[' || c == '{')) {
      if (++depth > kDepthMax) return true;
    } else if (!in_text && (c == ']' || c == '}')) {
      --depth;
    }
  }
  return false;
}

}  // namespace

std::string QueryFields::text(std::string_view name) {
  const auto all = texts(name);
  if (all.size() > 1) refuse(name, "given once");
  return all.empty() ? "" : all.front();
}

std::vector<std::string> QueryFields::texts(std::string_view name) {
  asked_.emplace(name);
  std::vector<std::string> values;
  for (const server::QueryParameter& parameter : target_.query) {
    if (parameter.name == name) values.push_back(parameter.value);
  }
  return values;
}

std::int64_t QueryFields::integer(std::string_view name, std::int64_t usual,
                                  std::int64_t max) {
  const std::string value = text(name);
  if (value.empty()) return usual;
  std::int64_t number = 0;
  const char* end = value.data() + value.size();
  const auto read = std::from_chars(value.data(), end, number);
  if (read.ec == std::errc() && read.ptr == end && number >= 1 && number <= max) {
    return number;
  }
  refuse(name, "a whole number from 1 to " + std::to_string(max));
  return usual;
}

std::optional<Instant> QueryFields::instant(std::string_view name) {
  const std::string value = text(name);
  if (value.empty()) return std::nullopt;
  const auto instant = parse_instant(value);
  if (instant) return *instant;
  refuse(name, "an instant such as 2026-01-31T23:59:59Z");
  return std::nullopt;
}

void QueryFields::refuse(std::string_view name, const std::string& wanted) {
  if (fault_) return;
  fault_ = Error(ErrorCode::invalid,
                 "the parameter '" + std::string(name) + "' must be " + wanted);
}

std::optional<Error> QueryFields::fault() const {
  if (fault_) return fault_;
  for (const server::QueryParameter& parameter : target_.query) {
    if (asked_.contains(parameter.name)) continue;
    return Error(ErrorCode::invalid,
                 "there is no parameter '" + parameter.name + "' here");
  }
  return std::nullopt;
}

BodyFields::BodyFields(std::string_view body) {
  if (body.empty()) return;
  if (is_too_deep(body)) {
    fault_ = Error(ErrorCode::invalid, "the body is nested too deep");
    return;
  }
  auto read = parse_json(body);
  if (!read) {
    fault_ = Error(ErrorCode::invalid, "the body is no JSON: " + read.error().message());
  } else if (!read->is_object()) {
    fault_ = Error(ErrorCode::invalid, "the body must be a JSON object");
  } else {
    json_ = *std::move(read);
  }
}

const Json* BodyFields::member(std::string_view name) {
  asked_.emplace(name);
  const Json* found = find_member(json_, name);
  return found == nullptr || found->is_null() ? nullptr : found;
}

std::string BodyFields::text(std::string_view name, std::string_view usual) {
  const Json* found = member(name);
  if (found == nullptr) return std::string(usual);
  if (found->is_string()) return found->get<std::string>();
  refuse(name, "a string");
  return std::string(usual);
}

bool BodyFields::flag(std::string_view name) {
  const Json* found = member(name);
  if (found == nullptr) return false;
  if (found->is_boolean()) return found->get<bool>();
  refuse(name, "true or false");
  return false;
}

std::int64_t BodyFields::integer(std::string_view name, std::int64_t usual,
                                 std::int64_t max) {
  const Json* found = member(name);
  if (found == nullptr) return usual;
  // numbers beyond 64 bits signed are no fit either
  if (found->is_number_integer() && *found >= usual && *found <= max) {
    return found->get<std::int64_t>();
  }
  refuse(name,
         "a whole number from " + std::to_string(usual) + " to " + std::to_string(max));
  return usual;
}

std::vector<std::string> BodyFields::texts(std::string_view name) {
  const Json* found = member(name);
  if (found == nullptr) return {};
  const bool fits =
      found->is_array() && std::all_of(found->begin(), found->end(), [](const Json& item) {
        return item.is_string();
      });
  if (fits) return found->get<std::vector<std::string>>();
  refuse(name, "a list of strings");
  return {};
}

std::map<std::string, std::string> BodyFields::text_map(std::string_view name) {
  const Json* found = member(name);
  if (found == nullptr) return {};
  std::map<std::string, std::string> texts;
  bool fits = found->is_object();
  if (fits) {
    for (const auto& [key, value] : found->items()) {
      if (value.is_structured() || value.is_null()) fits = false;
      texts[key] = value.is_string() ? value.get<std::string>() : json_text(value);
    }
  }
  if (fits) return texts;
  refuse(name, "an object of strings, numbers and booleans");
  return {};
}

void BodyFields::refuse(std::string_view name, const std::string& wanted) {
  if (fault_) return;
  fault_ = Error(ErrorCode::invalid,
                 "/" + std::string(name) + " of the body must be " + wanted);
}

std::optional<Error> BodyFields::fault() const {
  if (fault_) return fault_;
  for (const auto& [key, value] : json_.items()) {
    if (asked_.contains(key)) continue;
    return Error(ErrorCode::invalid, "the body has an unknown member '" + key + "'");
  }
  return std::nullopt;
}

}  // namespace lakemill::api
