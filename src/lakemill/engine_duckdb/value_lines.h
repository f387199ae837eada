#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <duckdb.hpp>

namespace lakemill::engine_duckdb {

/// The bytes of a file, unpacked; empty if it is too large to be searched for the place
/// of an error.
std::string bytes_to_search(duckdb::ClientContext& context, const std::string& url);

/// The line, from 1, of what row `row` of a function's input asks for; nothing if it is
/// not in the file's bytes.
using LineSearch = std::function<std::optional<std::int64_t>(const std::string& bytes,
                                                             duckdb::idx_t row)>;

/// A scalar function that tells places: its first argument is a file's URL, its result
/// ", line N", or empty where `search` finds none. Reads a file once for rows that
/// follow one another.
void give_lines(duckdb::DataChunk& input, duckdb::ExpressionState& state,
                duckdb::Vector& result, const LineSearch& search);

}  // namespace lakemill::engine_duckdb
