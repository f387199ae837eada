#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lakemill/flow/workspace.h"

namespace lakemill::flow {

/// The table that SQL names: `catalog.schema.table`, or a place. Null for a name of the
/// session that only looks like a table's.
Result<std::shared_ptr<delta::Table>> table_in_sql(const Workspace& workspace,
                                                   const std::string& relation);

/// The tables among the relations that a query reads, each with its newest version.
/// Errors: those of the tables.
Result<std::map<std::string, std::int64_t>> newest_versions(
    const Workspace& workspace, const std::vector<std::string>& relations);

}  // namespace lakemill::flow
