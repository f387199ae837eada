#pragma once

#include <string>
#include <vector>

#include <duckdb.hpp>

#include "lakemill/data/type.h"

namespace lakemill::engine_duckdb {

/// The columns of a query, in DuckDB's terms.
struct QueryColumns {
  std::vector<std::string> names;
  duckdb::vector<duckdb::LogicalType> types;
};

/// A column as it goes into a data file.
struct FileColumn {
  std::string logical_name;
  std::string physical_name;
  duckdb::LogicalType type;  ///< nested fields under their physical names
  std::string expression;    ///< SQL over the query's columns
  bool nullable = true;
};

/// SQL that turns the columns of a query into those of `schema`, in its order, under
/// the names that files have (`delta.columnMapping.physicalName` where `mapped`).
///
/// Columns and nested fields are found by name, ignoring ASCII case; one that the query
/// lacks is null. A type that Delta lacks is stored as design.md section 4 says; a
/// narrower one is widened where nothing can be lost; whatever else differs is an
/// error, as is a column or field that the schema lacks. Columns of type void are left
/// out: files cannot hold them. A value that does not fit (a sum beyond long) fails the
/// statement with the column's name.
/// Errors: invalid ("column x: …"), unsupported (variant).
Result<std::vector<FileColumn>> conform_columns(const QueryColumns& columns,
                                                const data::Schema& schema,
                                                bool mapped);

/// The name that a field has in files.
std::string physical_name(const data::Field& field, bool mapped);

/// Delta's type change: true if every value of `from` is also one of `to`.
bool holds_every_value(const data::Type& to, const data::Type& from);

}  // namespace lakemill::engine_duckdb
