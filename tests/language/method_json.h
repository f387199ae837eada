#pragma once

// Method calls as narwhals_peer.py writes them: {"name", "args": [value],
// "kwargs": [[name, value]]}.

#include "lakemill/base/json.h"
#include "lakemill/language/model.h"
#include "lakemill/language/tree.h"

namespace lakemill::language {

inline Tree tree_from_json(const Json& json) {
  if (json.is_boolean()) return make_boolean(json.get<bool>());
  if (json.is_number_integer()) return make_integer(json.get<std::int64_t>());
  if (json.is_number()) return make_number(json.get<double>());
  if (json.is_string()) return make_string(json.get<std::string>());
  Tree tree;
  if (json.is_array()) {
    tree.kind = TreeKind::list;
    for (const Json& item : json) tree.items.push_back(tree_from_json(item));
  } else if (json.is_object()) {
    tree.kind = TreeKind::mapping;
    for (const auto& [key, value] : json.items()) {
      tree.entries.push_back(TreeEntry{key, {}, tree_from_json(value)});
    }
  }
  return tree;
}

inline MethodCall method_from_json(const Json& json) {
  MethodCall call;
  call.name = json.at("name").get<std::string>();
  const Json positional = json.value("args", Json::array());
  for (const Json& argument : positional) {
    call.arguments.push_back(tree_from_json(argument));
  }
  const Json named = json.value("kwargs", Json::array());
  for (const Json& pair : named) {
    call.named_arguments.push_back(
        NamedArgument{pair.at(0).get<std::string>(), {}, tree_from_json(pair.at(1))});
  }
  return call;
}

}  // namespace lakemill::language
