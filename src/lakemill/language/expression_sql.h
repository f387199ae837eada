#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/base/result.h"
#include "lakemill/data/type.h"

// Dataframe expressions (Python source text) as SQL.
//
// They mean what they mean in Narwhals over Polars: `count` leaves nulls out and `len`
// does not, `n_unique` counts null as a value, `//` and `%` round towards minus
// infinity, `round` rounds halves to even, `clip` keeps nulls, casts of fractions to
// integers cut. Where a table differs from a frame in memory, nothing is guessed: rows
// have no order, so what depends on one (`shift`, `cum_sum`, `first`, …) needs
// `.over(order_by=...)` or `order_by=`. Where Polars and the engine differ on purpose
// (language.md, section 10): a division by zero gives what DuckDB gives, an integer
// overflow is an error, and `list.get` beyond the end gives null.
//
// Where the type of an operand is not known (after sql_expr), numbers are taken for
// numbers and casts are the engine's own.

namespace lakemill::language {

/// For whom SQL is written. Only `duckdb` is implemented.
enum class Dialect : std::uint8_t { duckdb, spark };

/// What an aggregate outside of `.over(...)` becomes.
enum class AggregateForm : std::uint8_t {
  plain,      ///< an aggregate function: one value for each group
  broadcast,  ///< a window over all rows: the same value on every row
};

/// One output column of an expression.
struct CompiledExpression {
  std::string sql;                   ///< safe to embed: brackets where needed
  std::string name;                  ///< of the column: the alias, else the root's name
  std::optional<std::string> alias;  ///< where the expression says it
  bool aggregates = false;           ///< has an aggregate function
  bool windows = false;              ///< has a window function
  bool reads_rows = false;           ///< reads columns outside of aggregates
  bool is_sql = false;               ///< written as SQL, so the flags above are a guess
  std::optional<data::Type> type;    ///< if known
};

/// Compiles an expression that gives exactly one column, aggregates as plain ones.
/// Errors: invalid, with "column N: " in front; unsupported for a dialect.
Result<CompiledExpression> compile_expression(std::string_view text,
                                              const data::Schema& schema,
                                              Dialect dialect);

/// Compiles an expression that may give several columns (`nw.all()`, `nw.col("a",
/// "b")`).
Result<std::vector<CompiledExpression>> compile_expressions(std::string_view text,
                                                            const data::Schema& schema,
                                                            Dialect dialect,
                                                            AggregateForm form);

/// What is wrong with an expression whatever the columns are: each fault with "column
/// N: " in front. The columns that it gives, as far as they can be told; one called
/// "*" stands for all of the frame.
struct CheckedExpressions {
  std::vector<CompiledExpression> columns;
  std::vector<std::string> faults;
};
CheckedExpressions check_expressions(std::string_view text, AggregateForm form);

/// An SQL expression as a column; a name after `AS` at its end is its alias. Only
/// checked for being one expression: the engine binds it.
Result<CompiledExpression> embed_sql_expression(std::string_view sql);

/// Where a text stands, for is_expression.
enum class TextContext : std::uint8_t { method_argument, aggregation, expectation };

/// True if `text` is a dataframe expression: for a method's argument if it has a '(',
/// else a literal; for an aggregation and an expectation if it calls nw. pl. F. col( or
/// lit(, else SQL.
bool is_expression(std::string_view text, TextContext context);

/// The engine's name of a type written as "nw.Int64", "nw.List(nw.String())", "string".
/// Errors: invalid, with the column and the types there are.
Result<std::string> compile_type(std::string_view text, Dialect dialect);

/// One line of the reference.
struct ExpressionFunction {
  std::string_view scope;  ///< "nw", "F", "expr", "str", "dt", "list", …
  std::string_view name;
  std::string_view signature;
  std::string_view summary;
};

/// Every function and method that expressions know, by scope and name.
std::vector<ExpressionFunction> expression_functions();

/// Every type name that expressions know.
std::vector<std::string> expression_types();

}  // namespace lakemill::language
