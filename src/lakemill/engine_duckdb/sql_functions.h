#pragma once

#include <span>
#include <string_view>

namespace lakemill::engine_duckdb {

/// A function of Spark SQL or Polars SQL that DuckDB lacks, as a macro. One name may
/// have several rows, each with another number of parameters, which follow each other.
struct SqlFunction {
  std::string_view name;
  std::string_view parameters;  ///< "(x, y)"
  std::string_view body;        ///< SQL over the parameters
  std::string_view example;     ///< an expression …
  std::string_view answer;      ///< … and its value as text
};

/// All of them, in the order of their making.
std::span<const SqlFunction> sql_functions();

}  // namespace lakemill::engine_duckdb
