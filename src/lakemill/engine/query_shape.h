#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lakemill/data/type.h"

namespace lakemill::engine {

/// A column of a relation, as lineage names it.
struct ColumnRef {
  std::string relation;  ///< the bound name, or catalog.schema.table
  std::string column;
  auto operator<=>(const ColumnRef&) const = default;
};

/// What a query is, told by its bound plan (never by its text).
struct QueryShape {
  data::Schema schema;
  /// True if each output row comes from one input row, whatever other rows there are,
  /// and running it on parts and uniting the answers equals running it on all.
  bool row_wise = false;
  std::string
      not_row_wise_because;  ///< "aggregate", "join", "window", "volatile function", …
  std::vector<std::string> relations;  ///< bound names and catalog tables read, sorted
  std::vector<std::vector<ColumnRef>>
      lineage;  ///< per output column: where its values come from
  std::vector<ColumnRef>
      indirect;  ///< columns that decide rows: filters, joins, groups, order
};

}  // namespace lakemill::engine
