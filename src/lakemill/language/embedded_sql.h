#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "lakemill/language/model.h"

namespace lakemill::language {

/// SQL that stands in an argument of a dataframe method: as an aggregation by itself,
/// or as the text of sql_expr("…") in an expression.
struct EmbeddedSql {
  std::string sql;    ///< one expression, without its alias
  SourceText scalar;  ///< the text of the file that it stands in
  std::size_t begin = 0;
  bool as_written = true;  ///< `sql` stands in the scalar byte for byte, at `begin`

  /// The byte of the scalar for one of `sql`, as far as that is known.
  std::size_t offset_in_scalar(std::size_t offset) const {
    return as_written ? begin + offset : begin;
  }
};

/// All of a method's, in order; those left out that are no expression.
std::vector<EmbeddedSql> embedded_sql(const MethodCall& call);

}  // namespace lakemill::language
