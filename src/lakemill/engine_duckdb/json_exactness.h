#pragma once

#include <set>
#include <string>

#include <duckdb.hpp>

#include "lakemill/formats/json_text.h"

namespace lakemill::engine_duckdb {

/// SQL function (record, all): formats::numbers_of() as a text for parse_numbers();
/// null where there are none.
constexpr const char* kJsonNumbers = "lakemill_json_numbers";

/// SQL function (record, paths): formats::exact_json().
constexpr const char* kExactJson = "lakemill_exact_json";

/// SQL functions (text): the double or float that holds a number as it is written; null
/// where there is none. Words ("inf", "nan") are what DuckDB takes them for.
constexpr const char* kExactDouble = "lakemill_exact_double";
constexpr const char* kExactFloat = "lakemill_exact_float";

/// SQL function (text): likewise, and for a fraction the nearest double; null beyond
/// the range of doubles.
constexpr const char* kNearDouble = "lakemill_near_double";

/// SQL function (text): a number without its exponent; what is no number as it is, and
/// null where no decimal has so many digits.
constexpr const char* kPlainNumber = "lakemill_plain_number";

/// SQL function (file, name, value): ", line 3" where the member of that name has that
/// value; empty where no record is found to have it.
constexpr const char* kJsonPlace = "lakemill_json_place";

/// What one or more texts of kJsonNumbers say, together with `numbers`.
void parse_numbers(const std::string& text, formats::NumbersByPath& numbers);

/// The paths as kExactJson wants them.
std::string text_paths_sql(const std::set<std::string>& paths);

/// Adds all of them to the system catalog; a transaction is open on `connection`.
void register_json_exactness(duckdb::Connection& connection);

}  // namespace lakemill::engine_duckdb
