#include "lakemill/engine/text_spelling.h"

namespace lakemill::engine {

std::string unlike_boolean_sql(const std::string& text) {
  return "lower(trim(" + text + ")) NOT IN ('true', 'false')";
}

std::string unlike_number_sql(const std::string& text) {
  return "regexp_matches(" + text + R"(, '^\s*[-+]?0[0-9]'))";
}

}  // namespace lakemill::engine
