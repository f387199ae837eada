#pragma once

#include <cstddef>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>

#include <duckdb.hpp>

#include "lakemill/base/result.h"

namespace lakemill::engine_duckdb {

/// DuckDB's failure as ours: a code to branch on, and its text without prefixes, hints
/// about itself and the drawing of the statement; where the place is known, the message
/// ends in "at line 2, column 7 of the SQL". `sql` may be empty.
Error to_error(const duckdb::ErrorData& error, std::string_view sql);
Error to_error(const std::exception& exception, std::string_view sql);

/// Where in `sql` a failure is, if DuckDB tells.
std::optional<std::size_t> offset_in(const duckdb::ErrorData& error,
                                     std::string_view sql);

/// Throws `error` through DuckDB, so that to_error() gives it back as it was; with the
/// place, where that is known, as it does of DuckDB's own.
[[noreturn]] void throw_error(const Error& error, duckdb::optional_idx place = {});

/// The value of `result`, or its error thrown. Only inside callbacks of DuckDB.
template <typename T>
T value_or_throw(Result<T> result) {
  if (!result) throw_error(result.error());
  return std::move(result).value();
}

/// Calls DuckDB, and gives what it throws as an error. The one place of this module
/// that catches, as guard() is elsewhere: only here codes are told apart.
template <typename Call>
Status run_guarded(std::string_view sql, Call&& call) {
  try {
    std::forward<Call>(call)();
    return {};
  } catch (const std::exception& exception) {
    return to_error(exception, sql);
  }
}

}  // namespace lakemill::engine_duckdb
