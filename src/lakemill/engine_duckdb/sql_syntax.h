#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

/// A table that SQL names: by its schema (`schema.t`, `catalog.schema.t`), or as
/// delta_scan('place') does.
struct TableInSql {
  std::string catalog;  ///< empty: the default one
  std::string schema;
  std::string table;
  std::string place;  ///< of delta_scan; the parts above are empty then
  std::size_t offset = 0;
};

/// The tables that a pipeline's query or expression names and reads as they are now;
/// none where it cannot be parsed.
std::vector<TableInSql> tables_in_query(std::string_view sql);
std::vector<TableInSql> tables_in_predicate(std::string_view predicate);

}  // namespace lakemill::engine_duckdb
