#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lakemill::engine_duckdb {

/// What helps where a line of CSV or text is too long.
inline constexpr std::string_view kLongerLines =
    "let longer ones be read: reader_kwargs: {max_line_size: 100000000}";

/// What is wrong where the reader of CSV loses its way.
inline constexpr std::string_view kLostRows =
    "its rows do not all end alike (by a line feed here, a carriage return and a line "
    "feed there), or a quote stands within a value that is not quoted; end all rows "
    "alike, and quote such values, where the file is written";

/// DuckDB's report about a bad CSV line or JSON record as one sentence of ours: "file
/// f, line 3: 1 column, expected 2: …". Nothing if the message is no such report.
std::optional<std::string> explain_reader_error(std::string_view message);

}  // namespace lakemill::engine_duckdb
