#pragma once

#include <string_view>

#include "lakemill/dml/table_change.h"

namespace lakemill::dml {

/// The key of a field's metadata under which Spark keeps "varchar(3)" or "char(3)" of
/// what is a string to Delta.
inline constexpr std::string_view kCharacterType = "__CHAR_VARCHAR_TYPE_STRING";

/// As files_target(), for rows that the table holds already: they stay what others
/// wrote, also where that has nulls below a column, or texts, which new rows may not
/// have.
engine::TableFilesTarget held_rows_target(const delta::Table& table,
                                          const delta::Metadata& metadata,
                                          const FileLayout& layout);

}  // namespace lakemill::dml
