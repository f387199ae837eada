#pragma once

#include <string>
#include <vector>

#include "lakemill/sources/postgres/column_types.h"

namespace lakemill::sources::postgres {

/// A column of the rows that a source gives.
struct OutputColumn {
  std::string name;
  data::Type type;
};

/// The table's columns over rows of several layouts, the last being the newest: each
/// with its newest type. Columns that were dropped stay.
std::vector<OutputColumn> output_columns(
    const std::vector<const TableLayout*>& layouts);

/// The SELECT list that turns spooled rows of `layout` into `columns`, followed by
/// `_rescued` (a JSON object of the texts that do not fit, or null), `_op`,
/// `_unchanged` and `_source_offset`. No value is changed to make it fit.
std::string select_list(const TableLayout& layout,
                        const std::vector<OutputColumn>& columns);

}  // namespace lakemill::sources::postgres
