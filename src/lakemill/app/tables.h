#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lakemill/app/workbench.h"

namespace lakemill::app {

/// Facts of a table, in order: a name, and a text, a number (bytes for sizes) or null
/// for what is not known.
using Facts = std::vector<std::pair<std::string, Json>>;

/// A table is named by its path (against the working folder) or its catalog name.
/// Errors of all: not_found, corrupt, unsupported.

Result<Facts> table_facts(Workbench& workbench, const std::string& table);
/// version, timestamp, operation, rows, run_id, details.
Result<data::Rows> table_history(Workbench& workbench, const std::string& table,
                                 std::size_t count_max);
/// column, type, nullable, comment.
Result<data::Rows> table_schema(Workbench& workbench, const std::string& table);
/// path, size_bytes, rows, deleted_rows, partition, modified.
Result<data::Rows> table_files(Workbench& workbench, const std::string& table);

/// Removes the table and its files. Errors: denied (inside the state folder).
Status table_drop(Workbench& workbench, const std::string& table);

/// Names of all tables and views of the catalog: catalog, schema, name, kind.
Result<data::Rows> list_tables(Workbench& workbench);

}  // namespace lakemill::app
