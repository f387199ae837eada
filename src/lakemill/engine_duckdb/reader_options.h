#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "lakemill/base/result.h"
#include "lakemill/engine/relation.h"

namespace lakemill::engine_duckdb {

/// The longest line of CSV and text that is read without the option max_line_size; the
/// readers' buffers have this size too.
inline constexpr std::int64_t kLineBytesMax = 32'000'000;

/// reader_kwargs as Spark, Polars and pandas name them, as options of DuckDB's reader
/// (values are SQL). Sets has_header and infer_schema of `relation` where they say so.
/// Errors: invalid (an option that is not known for the format, with what is near).
Result<std::map<std::string, std::string>> reader_options(
    engine::FilesRelation& relation);

}  // namespace lakemill::engine_duckdb
