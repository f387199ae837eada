#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lakemill/base/clock.h"
#include "lakemill/data/table_scan.h"
#include "lakemill/delta/snapshot.h"

namespace lakemill::engine_duckdb {

struct TableId {
  std::string catalog;
  std::string schema;
  std::string table;
};

/// What a name of a catalog stands for: a table, or a view (exactly one is set).
struct NamedTable {
  std::shared_ptr<delta::Table> table;
  std::string view_sql;
};

/// The engine's view of a catalog: names to tables.
///
/// Thread-safety: concurrent calls are allowed.
class NamedTables {
 public:
  virtual ~NamedTables() = default;

  /// Errors: not_found (naming what is near), denied, unavailable.
  virtual Result<NamedTable> open(const TableId& id) = 0;
  /// Every table and view there is, sorted.
  virtual Result<std::vector<TableId>> list() = 0;
  /// A table by its folder (absolute path or url). Errors: not_found.
  virtual Result<std::shared_ptr<delta::Table>> open_folder(const std::string& url) = 0;
};

}  // namespace lakemill::engine_duckdb
