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

/// Success if `name` may name a catalog, a schema or a table, and so a folder: not
/// empty, at most 200 bytes, no '/', '\', control character or "..", and no '_' or '.'
/// at the beginning (such folders are not tables). Errors: invalid, with the name.
Status check_name(std::string_view name);

/// Reads "table", "schema.table" or "catalog.schema.table". A part in backquotes or
/// double quotes may hold dots; a quote in it is doubled. Errors: invalid, with the
/// text.
Result<TableName> parse_table_name(std::string_view text, const NameDefaults& defaults);

/// "catalog.schema.table", parts in double quotes where parse_table_name needs them.
std::string to_text(const TableName& name);

}  // namespace lakemill::catalog
