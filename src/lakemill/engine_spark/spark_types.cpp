#include "lakemill/engine_spark/spark_types.h"

#include <algorithm>
#include <array>
#include <vector>

#include "lakemill/base/text.h"

namespace lakemill::engine_spark {

namespace {

using data::TypeKind;

bool is_integer(std::string_view type) {
  static constexpr std::array<std::string_view, 4> kIntegers = {"TINYINT", "SMALLINT",
                                                                "INT", "BIGINT"};
  return std::find(kIntegers.begin(), kIntegers.end(), type) != kIntegers.end();
}

Result<std::string> nested_type(const data::Type& type) {
  std::vector<std::string> children;
  for (const data::Field& child : type.children) {
    LAKEMILL_TRY(const std::string text, spark_type(child.type));
    children.push_back(
        type.kind == TypeKind::structure ? quote_name(child.name) + ": " + text : text);
  }
  const std::string name = type.kind == TypeKind::array ? "ARRAY"
                           : type.kind == TypeKind::map ? "MAP"
                                                        : "STRUCT";
  return name + "<" + join(children, ", ") + ">";
}

std::string failing(const std::string& message) {
  return "raise_error(" + quote_text(message) + ")";
}

// Spark knows typeof() when it plans: only one of the branches is left.
std::string integer_cast(const std::string& x, const std::string& type, bool tries) {
  const std::string cast = tries ? "try_cast(" : "CAST(";
  return "CASE WHEN typeof(" + x + ") IN ('float', 'double') THEN " + cast +
         "rint(CAST(" + x + " AS DOUBLE)) AS " + type + ") WHEN typeof(" + x +
         ") LIKE 'decimal%' THEN " + cast + "round(CAST(" + x +
         " AS DECIMAL(38,18)), 0) AS " + type + ") ELSE " + cast + x + " AS " + type +
         ") END";
}

std::string text_cast(const std::string& x) {
  return "CASE WHEN typeof(" + x +
         ") IN ('float', 'double', 'timestamp', 'binary') OR typeof(" + x +
         ") RLIKE '^(array|map|struct)' THEN " +
         failing(
             "[LAKEMILL_CAST] a floating point number, an instant, bytes or a nested "
             "value is written differently as text by Spark; format it with functions, "
             "or give the node dataframe_backend: DUCKDB") +
         " ELSE CAST(" + x + " AS STRING) END";
}

}  // namespace

std::string quote_name(std::string_view text) {
  std::string quoted = "`";
  for (const char letter : text) {
    if (letter == '`') quoted.push_back('`');
    quoted.push_back(letter);
  }
  return quoted + "`";
}

std::string quote_text(std::string_view text) {
  std::string quoted = "'";
  for (const char letter : text) {
    if (letter == '\'' || letter == '\\') quoted.push_back('\\');
    quoted.push_back(letter);
  }
  return quoted + "'";
}

Result<std::string> spark_type(const data::Type& type) {
  switch (type.kind) {
    case TypeKind::boolean:
      return std::string("BOOLEAN");
    case TypeKind::int8:
      return std::string("TINYINT");
    case TypeKind::int16:
      return std::string("SMALLINT");
    case TypeKind::int32:
      return std::string("INT");
    case TypeKind::int64:
      return std::string("BIGINT");
    case TypeKind::float32:
      return std::string("FLOAT");
    case TypeKind::float64:
      return std::string("DOUBLE");
    case TypeKind::decimal:
      return "DECIMAL(" + std::to_string(type.precision) + "," +
             std::to_string(type.scale) + ")";
    case TypeKind::string:
      return std::string("STRING");
    case TypeKind::binary:
      return std::string("BINARY");
    case TypeKind::date:
      return std::string("DATE");
    case TypeKind::timestamp:
      return std::string("TIMESTAMP");
    case TypeKind::timestamp_ntz:
      return std::string("TIMESTAMP_NTZ");
    case TypeKind::array:
    case TypeKind::map:
    case TypeKind::structure:
      return nested_type(type);
    case TypeKind::void_type:
    case TypeKind::variant:
      break;
  }
  return Error(ErrorCode::unsupported,
               "type " + to_text(type) + " is not supported on Spark");
}

std::string cast_sql(const std::string& expression, const std::string& type,
                     bool tries) {
  const bool is_text = expression.starts_with('\'');
  const std::string& x = expression;
  if (is_integer(type) && !is_text) return integer_cast(x, type, tries);
  if (type == "STRING" && !is_text) return text_cast(x);
  const std::string cast = tries ? "try_cast(" : "CAST(";
  if (type == "TIMESTAMP_NTZ") {
    return "CAST(" + cast + x + " AS TIMESTAMP) AS TIMESTAMP_NTZ)";
  }
  return cast + x + " AS " + type + ")";
}

std::string conform_sql(const std::string& expression, const std::string& type) {
  const std::string& x = expression;
  const std::string cast = "CAST(" + x + " AS " + type + ")";
  const std::string fail = failing(
      "[LAKEMILL_TYPE] Spark computes a value of another type than the embedded "
      "engine; "
      "cast it in the SQL, or give the node dataframe_backend: DUCKDB");
  if (is_integer(type)) {
    return "CASE WHEN typeof(" + x + ") IN ('float', 'double', 'string') OR typeof(" +
           x + ") LIKE 'decimal%' THEN " + fail + " ELSE " + cast + " END";
  }
  if (type == "STRING") {
    return "CASE WHEN typeof(" + x + ") NOT IN ('string', 'void') THEN " + fail +
           " ELSE " + cast + " END";
  }
  return cast;
}

}  // namespace lakemill::engine_spark
