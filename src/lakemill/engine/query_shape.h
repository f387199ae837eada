#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/data/type.h"

namespace lakemill::engine {

/// A column of a relation, as lineage names it.
struct ColumnRef {
  std::string relation;  ///< the bound name, or catalog.schema.table
  std::string column;
  auto operator<=>(const ColumnRef&) const = default;
};

/// How values of one column come into another.
enum class Flow : std::uint8_t {
  identity,        ///< as they are
  transformation,  ///< computed of one row: casts, functions, window functions, lists
  aggregation,     ///< computed of several rows
};
inline constexpr std::array kFlows{Flow::identity, Flow::transformation,
                                   Flow::aggregation};

/// How a column decides what comes out without being in it.
enum class Influence : std::uint8_t {
  join,    ///< compared with another relation's, or taken apart into rows
  filter,  ///< WHERE, HAVING, FILTER, LIMIT; the right side of EXCEPT and INTERSECT
  group,   ///< GROUP BY, DISTINCT, set operations without ALL
  sort,    ///< ORDER BY
  window,  ///< PARTITION BY, ORDER BY and the frame of a window
};
inline constexpr std::array kInfluences{Influence::join, Influence::filter,
                                        Influence::group, Influence::sort,
                                        Influence::window};

/// As JSON, YAML and people call it.
constexpr std::string_view name_of(Flow flow) {
  constexpr std::array<std::string_view, kFlows.size()> kNames{
      "identity", "transformation", "aggregation"};
  return kNames.at(static_cast<std::size_t>(flow));
}
constexpr std::string_view name_of(Influence influence) {
  constexpr std::array<std::string_view, kInfluences.size()> kNames{
      "join", "filter", "group", "sort", "window"};
  return kNames.at(static_cast<std::size_t>(influence));
}

/// What a column has of a column of a relation.
struct LineageEdge {
  ColumnRef from;
  std::vector<Flow> flows;            ///< ascending; none: it only decides
  std::vector<Influence> influences;  ///< on this column alone; ascending
  auto operator<=>(const LineageEdge&) const = default;
};

/// A column that decides which rows there are, or in which order.
struct RowInfluence {
  ColumnRef from;
  Influence kind = Influence::filter;
  auto operator<=>(const RowInfluence&) const = default;
};

/// Where the columns of a query come from.
struct QueryLineage {
  std::vector<std::vector<LineageEdge>> columns;  ///< per output column, by `from`
  std::vector<RowInfluence> rows;                 ///< on all columns; ascending
  /// False if something in the plan is not known to lineage: edges may lack.
  bool complete = true;
  std::string incomplete_because;  ///< "table function table_history", …
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
  QueryLineage lineage;
};

}  // namespace lakemill::engine
