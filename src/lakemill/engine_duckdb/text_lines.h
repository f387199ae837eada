#pragma once

#include <duckdb.hpp>

namespace lakemill::engine_duckdb {

/// The table function lakemill_text_lines(urls VARCHAR[], compression VARCHAR,
/// line_bytes_max BIGINT): the
/// lines of files in UTF-8 as `value`, with `filename` and `file_index`. A line ends
/// with a line feed, a carriage return or both, also mixed in one file; any other byte
/// belongs to it. Files are read side by side, each in order.
void register_text_lines(duckdb::Connection& connection);

}  // namespace lakemill::engine_duckdb
