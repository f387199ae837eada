#pragma once

#include <cstdio>
#include <string>

#include "lakemill/data/value.h"

namespace lakemill::cli {

/// Prints rows as a table with a line under the header; numbers stand right. Cells are
/// cut to `width_max` characters; 0: not at all.
void print_table(std::FILE* out, const data::Rows& rows, std::size_t width_max);

/// Rows as a JSON array of objects.
std::string rows_to_json(const data::Rows& rows);

/// True if people look at it.
bool is_terminal(std::FILE* file);

/// Width of text on a terminal, in columns (every code point counts one).
std::size_t text_width(std::string_view text);

/// "1,234,567".
std::string with_thousands(std::int64_t number);

}  // namespace lakemill::cli
