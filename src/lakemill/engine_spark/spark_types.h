#pragma once

#include <string>
#include <string_view>

#include "lakemill/data/type.h"

namespace lakemill::engine_spark {

/// `text` in backquotes, inner ones doubled: an identifier of Spark SQL.
std::string quote_name(std::string_view text);
/// `text` as a string of Spark SQL, whatever is in it.
std::string quote_text(std::string_view text);

/// A type as Spark SQL writes it: "BIGINT", "ARRAY<STRING>". Errors: unsupported
/// (variant, and a column of nulls only).
Result<std::string> spark_type(const data::Type& type);

/// `expression` cast as the embedded engine casts to that Spark type: numbers are
/// rounded to integers, not cut off; an offset in a text counts. What both write
/// differently as text (floating point numbers, instants, bytes, nested values) makes
/// the statement fail. `tries`: TRY_CAST.
std::string cast_sql(const std::string& expression, const std::string& type,
                     bool tries);

/// `expression`, which the embedded engine gives `type`: a cast that fails where Spark
/// made a value of another kind of it.
std::string conform_sql(const std::string& expression, const std::string& type);

}  // namespace lakemill::engine_spark
