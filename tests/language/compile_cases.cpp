// Compiles the cases of narwhals_peer.py: JSON lines on standard input,
// {"schema": <Delta schema>, "other_schema": ..., "method": {"name", "args": [value],
// "kwargs": [[name, value]]}}; SQL or errors as JSON lines on standard output.

#include <iostream>
#include <string>

#include "lakemill/base/json.h"
#include "lakemill/data/type.h"
#include "lakemill/language/expression_sql.h"
#include "lakemill/language/method_sql.h"
#include "lakemill/language/tree.h"

namespace {

using lakemill::Json;
using lakemill::Result;
using namespace lakemill::language;

Tree to_tree(const Json& json) {
  if (json.is_boolean()) return make_boolean(json.get<bool>());
  if (json.is_number_integer()) return make_integer(json.get<std::int64_t>());
  if (json.is_number()) return make_number(json.get<double>());
  if (json.is_string()) return make_string(json.get<std::string>());
  Tree tree;
  if (json.is_array()) {
    tree.kind = TreeKind::list;
    for (const Json& item : json) tree.items.push_back(to_tree(item));
  } else if (json.is_object()) {
    tree.kind = TreeKind::mapping;
    for (const auto& [key, value] : json.items()) {
      tree.entries.push_back(TreeEntry{key, {}, to_tree(value)});
    }
  }
  return tree;
}

Result<std::string> compile(const Json& request) {
  LAKEMILL_TRY(lakemill::data::Schema schema,
               lakemill::data::schema_from_delta_json(request.at("schema")));
  const Json& method = request.at("method");
  MethodCall call;
  call.name = method.at("name").get<std::string>();
  const Json positional = method.value("args", Json::array());
  for (const Json& argument : positional) {
    call.arguments.push_back(to_tree(argument));
  }
  const Json named = method.value("kwargs", Json::array());
  for (const Json& pair : named) {
    call.named_arguments.push_back(
        NamedArgument{pair.at(0).get<std::string>(), {}, to_tree(pair.at(1))});
  }
  lakemill::data::Schema other_schema = schema;
  if (request.contains("other_schema")) {
    LAKEMILL_TRY(other_schema,
                 lakemill::data::schema_from_delta_json(request.at("other_schema")));
  }
  const FrameResolver frames = [&](std::string_view) -> Result<Frame> {
    return Frame{"other", other_schema};
  };
  return compile_method(call, Frame{"df", schema}, frames, Dialect::duckdb);
}

}  // namespace

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    auto request = lakemill::parse_json(line);
    Json answer = Json::object();
    if (!request) {
      answer["error"] = request.error().message();
    } else if (auto sql = compile(*request); sql) {
      answer["sql"] = *sql;
    } else {
      answer["error"] = sql.error().message();
    }
    std::cout << lakemill::json_text(answer) << "\n";
  }
  return 0;
}
