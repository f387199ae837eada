#pragma once

#include <string>

#include "lakemill/data/type.h"

namespace lakemill::dml {

/// The engine's SQL name of the type that holds values of a Delta type, for casts:
/// "BIGINT", "STRUCT(\"a\" INTEGER)[]". `timestamp` is TIMESTAMP WITH TIME ZONE,
/// `timestamp_ntz` TIMESTAMP, `void` INTEGER (always null).
std::string sql_type(const data::Type& type);

}  // namespace lakemill::dml
