#pragma once

#include <string_view>

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
void link_written_tables(Pipeline& pipeline, const Project& project,
                         const TableNamer& namer);

}  // namespace lakemill::language
