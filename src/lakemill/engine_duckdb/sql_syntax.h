#pragma once

#include <cstddef>
#include <cstdint>
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

/// The byte at which a column of the query's own list begins that has no name, so that
/// its expression becomes one, and whose text holds `part`.
std::optional<std::size_t> nameless_column(std::string_view sql, std::string_view part);

/// Where an expression stands, and so what may stand in it.
enum class PredicateUse : std::uint8_t {
  any,        ///< as part of a query
  filter,     ///< of WHERE: one row, without the others
  condition,  ///< of a change: one row
  row_check,  ///< of a ROW expectation: one value for each row
  aggregate   ///< of an AGGREGATE expectation: one value for all rows
};

/// The same for one expression, which must give one value of what its use looks at.
std::optional<SyntaxFault> fault_in_predicate(std::string_view predicate,
                                              PredicateUse use);

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
