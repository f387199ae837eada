#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/sinks/change_columns.h"

namespace lakemill::sinks {

// Pieces of SQL over the columns of a merge. `alias` is the relation that holds them,
// or empty; every name comes out quoted.

/// alias."name"
std::string column(std::string_view alias, std::string_view name);

/// "a, b, c" of `fields` of `alias`.
std::string column_list(std::string_view alias, const std::vector<data::Field>& fields);

/// CAST(alias."name" AS type) AS "name", ...
std::string cast_list(std::string_view alias, const std::vector<data::Field>& fields);

/// The keys of two relations are equal; null keys too with `nulls_match`.
std::string keys_equal(std::string_view left, std::string_view right,
                       const std::vector<data::Field>& keys, bool nulls_match);

/// One of the key columns is null.
std::string key_is_null(std::string_view alias, const std::vector<data::Field>& keys);

/// The order_by columns of `alias` as one sequence; null if one of them is.
std::string sequence_of(std::string_view alias, const ChangeColumns& columns);

/// A number that tells rows with different values apart. Independent of the order of
/// columns and of columns that are null, so that a column added later changes no hash
/// of before; the same in every version of the engine.
std::string row_hash(std::string_view alias, const std::vector<data::Field>& fields);

/// `fields` without those whose name begins with '_'.
std::vector<data::Field> without_metadata(const std::vector<data::Field>& fields);

std::string number_of(ChangeKind kind);

}  // namespace lakemill::sinks
