#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "lakemill/data/value.h"

namespace lakemill::engine_spark {

/// How the values of a column come: what Arrow type Spark is asked for.
enum class ArrowKind : std::uint8_t {
  boolean,
  integer,    ///< int64
  float64,    ///< double
  string,     ///< UTF-8; with a nested type its JSON
  decimal,    ///< UTF-8: its digits
  binary,     //
  date,       ///< int32, days
  timestamp,  ///< int64, microseconds; with or without zone
};

/// Appends the rows of one Arrow IPC stream (a schema, then record batches, not
/// compressed) to `rows`, up to `rows_max` of them in all. Every offset in the bytes is
/// checked. Errors: corrupt (the bytes, or columns that are not of `kinds`).
/// Source: arrow.apache.org, "Arrow Columnar Format", "Serialization and IPC".
Status append_rows(std::string_view stream, const std::vector<ArrowKind>& kinds,
                   std::int64_t rows_max, std::vector<std::vector<data::Value>>& rows);

}  // namespace lakemill::engine_spark
