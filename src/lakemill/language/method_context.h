#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/language/method_sql.h"
#include "lakemill/language/signature.h"

// How method_sql works inside; for the method_*.cpp files alone.

namespace lakemill::language {

/// A named output column.
struct OutputColumn {
  std::string name;
  CompiledExpression expression;
  Location location;
  bool one_of_many = false;  ///< its expression gives several columns
};

/// A call with its arguments in their places, and what it reads.
struct MethodContext {
  const MethodCall& call;
  const Frame& input;
  const FrameResolver& frames;
  Dialect dialect;
  BoundArguments<Tree> arguments;
  /// Where faults go that do not end the compiling; null: the first one ends it. Only
  /// with an open input.
  std::vector<Error>* faults = nullptr;

  /// "file:line:column: method: message".
  Error error(const Tree* at, std::string_view message) const;

  const Tree* find(std::string_view argument) const;
  Result<std::string> text(std::string_view argument, std::string_view otherwise) const;
  Result<std::int64_t> integer(std::string_view argument, std::int64_t otherwise) const;
  Result<bool> boolean(std::string_view argument, bool otherwise) const;

  /// Names of columns of the input, as its schema writes them.
  Result<std::string> column(const Tree& value) const;
  Result<std::string> column_of(const Frame& frame, const Tree& value) const;
  Result<std::vector<std::string>> columns(std::string_view argument) const;
  Result<std::vector<std::string>> columns_of(const Frame& frame,
                                              const Tree& value) const;
  /// A boolean for each of `count` columns: one for all, or a list.
  Result<std::vector<bool>> flags(std::string_view argument, std::size_t count) const;

  /// What a value that may be an expression means: a string with '(' is an expression,
  /// another string a column, anything else a constant; a list gives its items'.
  Result<std::vector<OutputColumn>> expressions(const Tree& value,
                                                AggregateForm form) const;
  /// The same for aggregations: `{expr, type}`, expressions and SQL.
  Result<std::vector<OutputColumn>> aggregations(const Tree& value) const;
  /// All expressions of the call: by position, then by name.
  Result<std::vector<OutputColumn>> output_columns(AggregateForm form) const;

  Result<Frame> frame(std::string_view argument) const;
  /// ORDER BY terms of `order_by`; empty if it is not given.
  Result<std::vector<std::string>> order_terms(std::string_view argument) const;

 private:
  Result<std::vector<OutputColumn>> found_expressions(const Tree& value,
                                                      AggregateForm form) const;
  Result<std::vector<OutputColumn>> compiled_text(const Tree& value,
                                                  AggregateForm form) const;
  Result<std::vector<OutputColumn>> found_aggregations(const Tree& value) const;
  Result<std::vector<OutputColumn>> going_on(
      Result<std::vector<OutputColumn>> found) const;
};

using MethodHandler = Result<std::string> (*)(const MethodContext& context);

struct MethodEntry {
  std::string_view name;
  std::string_view signature;
  std::string_view summary;
  MethodHandler handler;
};

std::span<const MethodEntry> column_methods();  // select, filter, with_columns, …
std::span<const MethodEntry> row_methods();     // unique, sort, head, sample, …
std::span<const MethodEntry> frame_methods();   // join, union, group_by, pivot, …

const MethodEntry* find_method(std::string_view name);

/// SQL pieces.
std::vector<std::string> column_names(const data::Schema& schema);
bool contains_name(const std::vector<std::string>& names, std::string_view name);
/// A constant, or nothing if it is a list or a mapping.
std::optional<std::string> constant_sql(const Tree& value);
/// A name that no column has.
std::string free_name(const data::Schema& schema, std::string_view wish);

}  // namespace lakemill::language
