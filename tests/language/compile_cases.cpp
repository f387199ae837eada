// Compiles the cases of narwhals_peer.py: JSON lines on standard input,
// {"schema": <Delta schema>, "other_schema": ..., "method": {"name", "args": [value],
// "kwargs": [[name, value]]}}; SQL or errors as JSON lines on standard output.

#include <iostream>
#include <string>

#include "method_json.h"

#include "lakemill/base/json.h"
#include "lakemill/data/type.h"
#include "lakemill/language/expression_sql.h"
#include "lakemill/language/method_sql.h"

namespace {

using lakemill::Json;
using lakemill::Result;
using namespace lakemill::language;

Result<std::string> compile(const Json& request) {
  LAKEMILL_TRY(lakemill::data::Schema schema,
               lakemill::data::schema_from_delta_json(request.at("schema")));
  lakemill::data::Schema other_schema = schema;
  if (request.contains("other_schema")) {
    LAKEMILL_TRY(other_schema,
                 lakemill::data::schema_from_delta_json(request.at("other_schema")));
  }
  const FrameResolver frames = [&](std::string_view) -> Result<Frame> {
    return Frame{"other", other_schema};
  };
  return compile_method(method_from_json(request.at("method")), Frame{"df", schema},
                        frames, Dialect::duckdb);
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
