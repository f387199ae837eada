#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace lakemill::engine_duckdb {

/// What is wrong with SQL, and at which byte of it; without one where that is unknown.
struct SyntaxFault {
  std::string message;
  std::optional<std::size_t> offset;
};

/// What a session refuses of a pipeline's query before it knows any table: syntax, more
/// than one statement, what is no SELECT, functions that others' text may not call.
/// Needs no DuckDB that is open. Thread-safe.
std::optional<SyntaxFault> fault_in_query(std::string_view sql);

/// The same for one expression.
std::optional<SyntaxFault> fault_in_predicate(std::string_view predicate);

}  // namespace lakemill::engine_duckdb
