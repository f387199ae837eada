#pragma once

#include <string>
#include <string_view>

#include "lakemill/base/result.h"

namespace lakemill::catalog {

/// A table or view by its three names.
struct TableName {
  std::string catalog;
  std::string schema;
  std::string table;
  auto operator<=>(const TableName&) const = default;
};

/// What a name with fewer parts is completed with.
struct NameDefaults {
  std::string catalog;
  std::string schema;
};

/// Reads "table", "schema.table" or "catalog.schema.table". A part in backquotes or
/// double quotes may hold dots; a quote in it is doubled. Errors: invalid, with the
/// text.
Result<TableName> parse_table_name(std::string_view text, const NameDefaults& defaults);

/// "catalog.schema.table", parts in double quotes where parse_table_name needs them.
std::string to_text(const TableName& name);

}  // namespace lakemill::catalog
