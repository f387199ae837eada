#pragma once

#include <memory>
#include <optional>
#include <string>

#include <duckdb.hpp>

#include "lakemill/engine_duckdb/session_state.h"

namespace lakemill::engine_duckdb {

/// Which version of a table a statement asks for; neither: the pinned one, or the
/// newest.
struct WantedVersion {
  std::optional<duckdb::Value> version;
  std::optional<duckdb::Value> instant;  ///< a timestamp, a date, or text of one
};

/// The rows of `table` at that version. `pin_name` is looked up in the session's pinned
/// versions. Errors: invalid (not a version, not an instant), those of delta::Table.
Result<std::shared_ptr<const data::TableScan>> open_version(
    const SessionState* state, delta::Table& table, const std::string& pin_name,
    const WantedVersion& wanted);

/// Where a path that SQL names leads: relative ones from the base folder, and confined
/// to the roots where the statement's origin is. Errors: denied, invalid.
Result<std::string> locate(const SessionState* state, const std::string& path);

/// Registers delta_scan, table_history and table_changes; a transaction is open.
void register_delta_functions(duckdb::Connection& connection);

}  // namespace lakemill::engine_duckdb
