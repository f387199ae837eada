#pragma once

#include <string>

#include <duckdb.hpp>
#include <duckdb/common/multi_file/multi_file_data.hpp>

#include "lakemill/data/type.h"

namespace lakemill::engine_duckdb {

using ColumnDefinitions = duckdb::vector<duckdb::MultiFileColumnDefinition>;

/// The table's columns as DuckDB's multi-file reader wants them: nested ones with
/// children, each null in a file that lacks it. `types` are theirs, in order.
ColumnDefinitions global_columns(const data::Schema& schema,
                                 const duckdb::vector<duckdb::LogicalType>& types);

/// Gives a file's columns (nested ones too) the names that the table has for them,
/// found by `mode` ("none": by name, else ignoring case; "name": by physical name;
/// "id": by field id). What the table does not know gets a name that no column has.
void name_as_table(const data::Schema& schema, const std::string& mode,
                   ColumnDefinitions& file_columns);

/// The table's columns for one file: children are left only where types differ below
/// them, because DuckDB copies and filters directly where it sees no children.
/// `file_columns` are adapted alike.
ColumnDefinitions columns_for_file(const ColumnDefinitions& table_columns,
                                   ColumnDefinitions& file_columns);

/// Copies `filters` for one file, because DuckDB casts their constants to the types
/// that the file has (2.5 becomes 2 among integers): those with constants which a
/// narrower type does not hold become expressions, evaluated after the cast to the
/// table's type; optional ones are left out then.
void fit_filters(const duckdb::TableFilterSet& filters,
                 const duckdb::vector<duckdb::ColumnIndex>& column_ids,
                 const ColumnDefinitions& table_columns,
                 const ColumnDefinitions& file_columns, duckdb::TableFilterSet& kept);

}  // namespace lakemill::engine_duckdb
