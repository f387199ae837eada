#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <duckdb.hpp>

namespace lakemill::engine_duckdb {

/// The relation that has the rows of a table with a column more, if there is one.
using TwinOf = std::function<std::optional<std::string>(const std::string& table)>;

/// The statement, made to give `column` of the twins of what it reads behind its own
/// columns: every SELECT on the way hands it on, and no star means it. Null where no
/// SELECT reads a twin. Whether the answer binds, and whether the column is that of the
/// row that each row comes from, only its bound plan tells (hands_on_column).
duckdb::unique_ptr<duckdb::SelectStatement> carry_column(
    const duckdb::SelectStatement& statement, const std::string& column,
    const TwinOf& twin_of);

}  // namespace lakemill::engine_duckdb
