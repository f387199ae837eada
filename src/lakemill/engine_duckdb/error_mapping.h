#pragma once

#include <exception>
#include <string_view>

#include <duckdb.hpp>

#include "lakemill/base/result.h"

namespace lakemill::engine_duckdb {

/// DuckDB's failure as ours: a code to branch on, and its text without prefixes, hints
/// about itself and the drawing of the statement; where the place is known, the message
/// ends in "at line 2, column 7 of the SQL". `sql` may be empty.
Error to_error(const duckdb::ErrorData& error, std::string_view sql);
Error to_error(const std::exception& exception, std::string_view sql);

}  // namespace lakemill::engine_duckdb
