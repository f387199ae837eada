#pragma once

#include <optional>
#include <string>
#include <vector>

#include <duckdb.hpp>

#include "lakemill/base/result.h"
#include "lakemill/data/type.h"
#include "lakemill/engine_duckdb/duckdb_session.h"
#include "lakemill/engine_duckdb/files_plan.h"

namespace lakemill::engine_duckdb {

Error file_error(const std::string& url, const std::string& what);

/// One group of all files, if there are any.
void group_all(FilesPlan& plan, std::vector<SourceColumn> columns);

/// The type that the relation says a column has.
Result<std::optional<duckdb::LogicalType>> known_type(const FilesPlan& plan,
                                                      const std::string& name);

/// The columns of the files before these ones; none where there is no such file.
Result<QueryColumns> columns_before(DuckdbSession& session, FilesPlan& plan);

/// The type of a column in which some value is never anything but null.
Result<std::optional<duckdb::LogicalType>> type_of_nulls(DuckdbSession& session,
                                                         FilesPlan& plan,
                                                         const std::string& name);

/// That of a column of `plan`, found without case.
std::optional<duckdb::LogicalType> wanted_type(const FilesPlan& plan,
                                               const std::string& name);

/// The columns of `plan` become those of `schema`.
Status set_schema(FilesPlan& plan, const data::Schema& schema);

/// The columns of `plan` become those of all groups, united by name in the order in
/// which they come.
void unite_columns(FilesPlan& plan);

/// Refuses columns that the schema lacks, and files that have none of its columns;
/// nothing of that where the relation rescues what does not fit.
Status refuse_extra_columns(const FilesPlan& plan);

}  // namespace lakemill::engine_duckdb
