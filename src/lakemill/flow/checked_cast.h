#pragma once

#include <string>

#include "lakemill/data/type.h"

namespace lakemill::flow {

/// A cast of a column that tells what it would lose.
struct CheckedCast {
  std::string value;   ///< SQL of the cast value; null where it has none
  std::string misfit;  ///< SQL: true for a value that does not fit; empty: all fit
};

/// The cast of `field`, a column of the rows that the SQL is about, to `type`. Any
/// value fits text; of others nothing may be lost, of a text no digits.
CheckedCast checked_cast(const data::Field& field, const data::Type& type);

/// SQL: true for a text that a cast to `type` takes, but that the value does not give
/// back: "07" as 7, "yes" as true; null for null. Empty: there are none.
std::string spelled_otherwise_sql(const data::Field& field, const data::Type& type);

/// A column's value as text, for people. SQL.
std::string value_text_sql(const data::Field& field);

}  // namespace lakemill::flow
