#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lakemill/language/model.h"
#include "lakemill/language/sql_check.h"

namespace lakemill::language {

/// How Sink::place begins where it is a path, which follows.
inline constexpr std::string_view kPathPlace = "path ";

/// Fills in `written_by` of each source of `pipeline` that reads, by a table's name or
/// by a path, what sinks of other nodes write: an edge of the graph like a reference by
/// the node's name. A source that names a version reads what is there already. One that
/// reads a folder or a pattern needs the nodes that write files there.
///
/// The same for tables that SQL (steps, filters, expectations) names, as `namer` finds
/// them, into `depends_on` of the node; without a namer there are none.
///
/// Also the places of sinks, and of the tables that section 8 names.
void link_written_tables(Pipeline& pipeline, const Project& project,
                         const TableNamer& namer);

/// Where a table is, as Sink::place tells it; its path is relative to `folder`.
std::string table_place(const TableReference& table, const std::string& folder,
                        const Project& project);

/// A table that a node writes or reads.
struct UsedTable {
  std::string name;   ///< catalog.schema.table, or its path as written
  std::string place;  ///< as Sink::place
  std::string node;
  bool is_written = false;  ///< else it is read
};

/// Those of its sinks and sources; not what only SQL names.
std::vector<UsedTable> used_tables(const Pipeline& pipeline, const Project& project);

}  // namespace lakemill::language
