#pragma once

#include <string>
#include <string_view>

#include "lakemill/base/result.h"
#include "lakemill/sources/postgres/column_types.h"

namespace lakemill::sources::postgres {

/// Appends a line of COPY … TO STDOUT as a spooled row of a snapshot, without its
/// offset. Source: PostgreSQL documentation, COPY, "Text Format". Errors: corrupt.
Status append_copied_row(std::string_view line, const TableLayout& layout,
                         std::string& rows);

}  // namespace lakemill::sources::postgres
