#pragma once

#include <functional>
#include <string>
#include <vector>

#include <duckdb.hpp>

#include "lakemill/data/table_scan.h"

namespace lakemill::engine_duckdb {

/// Gives the logical name of a scan's column by the index that a filter uses, or
/// nothing for one that is not a column of the table.
using ColumnName = std::function<std::string(std::uint64_t)>;

/// What of a filter can be told in comparisons of a column with constants; parts that
/// cannot are left out, so that the answer never says more than the filter.
///
/// Comparisons of floating-point columns from below (`>`, `>=`) are left out: DuckDB
/// holds NaN to be the greatest number, and files' statistics may know nothing of NaN.
void add_comparisons(const duckdb::Expression& filter, const ColumnName& column_name,
                     std::vector<data::Comparison>& out);
void add_comparisons(const duckdb::TableFilter& filter, const std::string& column,
                     std::vector<data::Comparison>& out);

}  // namespace lakemill::engine_duckdb
