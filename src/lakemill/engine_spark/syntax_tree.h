#pragma once

#include <string>
#include <string_view>

#include "lakemill/base/json.h"

// Members of the trees that DuckDB's json_serialize_sql() gives.

namespace lakemill::engine_spark {

/// The member, or null where it is absent (or null).
const Json& member(const Json& json, std::string_view key);

/// True unless it is absent, null, or an empty text, list or object.
bool has(const Json& json, std::string_view key);

std::string text_of(const Json& json, std::string_view key);

/// True for a constant of the type `id`.
bool is_constant(const Json& expression, std::string_view id);

/// A constant as Spark writes it. Errors: unsupported.
Result<std::string> constant_sql(const Json& expression);

}  // namespace lakemill::engine_spark
