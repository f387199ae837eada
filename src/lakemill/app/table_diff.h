#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lakemill/app/workbench.h"

namespace lakemill::app {

/// How many keys went, came, or have other rows.
struct KeyedDifference {
  std::int64_t removed = 0;  ///< only in the first
  std::int64_t added = 0;    ///< only in the second
  std::int64_t changed = 0;
};

/// How two tables differ, as bags of rows.
struct TableDifference {
  std::vector<std::string> schema;  ///< columns that differ, in words
  std::int64_t only_left = 0;
  std::int64_t only_right = 0;
  std::optional<KeyedDifference> by_key;  ///< where keys were given
  data::Rows sample;                      ///< first column: "<" or ">"

  bool equal() const { return schema.empty() && only_left == 0 && only_right == 0; }
};

struct DiffRequest {
  std::string left;
  std::string right;
  std::optional<std::int64_t> left_version;
  std::optional<std::int64_t> right_version;
  std::vector<std::string> keys;
  std::int64_t sample_max = 20;
};
/// Errors: not_found, invalid (a key that both do not have), corrupt, unsupported.
Result<TableDifference> table_diff(Workbench& workbench, const DiffRequest& request);

/// One table of two schemas.
struct SchemaDifference {
  std::string table;
  bool in_left = true;
  bool in_right = true;
  TableDifference difference;  ///< where both have it
};

/// True if the text names a schema of the catalog (`catalog.schema`, or `schema` of the
/// default catalog) and no table.
Result<bool> is_schema(Workbench& workbench, const std::string& text);

/// All tables of two schemas beside each other, by name; left and right of `request`
/// are schemas. Errors: as table_diff().
Result<std::vector<SchemaDifference>> schema_diff(Workbench& workbench,
                                                  const DiffRequest& request);

}  // namespace lakemill::app
