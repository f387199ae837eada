#pragma once

#include <string>

#include <duckdb.hpp>

namespace lakemill::engine_duckdb {

/// Makes a parsed SELECT give `column` of what it reads, as its last column: every
/// SELECT in it hands the column on, and no star means it. For queries whose rows each
/// come from one row of a relation that has the column; of others the result may not
/// bind.
void carry_column(duckdb::SelectStatement& statement, const std::string& column);

}  // namespace lakemill::engine_duckdb
