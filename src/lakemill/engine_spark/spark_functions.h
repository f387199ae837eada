#pragma once

#include <cstdint>
#include <string_view>

namespace lakemill::engine_spark {

/// What an argument must be for a function to mean the same on Spark.
enum class Literal : std::uint8_t {
  any,
  positive,       ///< an integer literal of at least 1
  not_negative,   ///< an integer literal of at least 0
  part,           ///< the name of a part of a time: 'month'
  plain_pattern,  ///< a text literal without what regular expressions differ in
};

/// A function of the embedded engine's SQL that Spark can be asked for with the same
/// result.
struct SparkFunction {
  std::string_view name;
  int arguments_min = 0;
  int arguments_max = 0;
  std::string_view sql;   ///< {1}, {2}, …: the arguments; {*}: all of them
  int literal_index = 0;  ///< from 1; 0: none must be a literal
  Literal literal = Literal::any;
  bool aggregates = false;
};

/// The function of that name (in lower case) that takes so many arguments, or null.
const SparkFunction* find_function(std::string_view name, int argument_count);

/// Whether any function has that name.
bool is_known_function(std::string_view name);

/// What `date_part('year', x)` is on Spark, with {1} for x; empty if it is not known.
std::string_view part_sql(std::string_view part);

}  // namespace lakemill::engine_spark
