#pragma once

#include <string>
#include <vector>

#include "lakemill/base/random.h"
#include "lakemill/base/result.h"
#include "lakemill/delta/action.h"

namespace lakemill::dml {

/// What a batch may do to the schema of the table that it is written to.
struct EvolutionRules {
  bool may_change = true;      ///< false: the batch's columns must be the table's
  bool replaces_rows = false;  ///< no old row stays: the batch's schema becomes the
                               ///< table's
};

struct Evolution {
  delta::Metadata metadata;          ///< of the table with the batch's rows in it
  std::vector<std::string> changes;  ///< "column b added (long)", …; empty: none
};

/// Merges the columns of a query into a table's metadata, nested ones too: a new column
/// is added at the end, a missing one is filled with null, a narrower type is cast to
/// the table's. A wider type widens the table's column where the table has
/// `delta.enableTypeWidening` (readers that lack the feature could not read it).
///
/// Names are compared without regard to ASCII case; the table's spelling stays. New
/// columns of a table with column mapping get an id and a physical name.
/// Errors: invalid, naming the column, both types and what to do.
Result<Evolution> evolve_schema(const delta::Metadata& table, const data::Schema& query,
                                const EvolutionRules& rules, Random& random);

/// Gives columns that lack them an id and a physical name, where the table's properties
/// ask for column mapping. Columns of `held`, of files that are there already, keep
/// their names as physical names.
void map_columns(delta::Metadata& metadata, const data::Schema& held, Random& random);

/// True if every value of `from` is a value of `to`, so that a cast loses nothing.
bool fits_without_loss(const data::Type& from, const data::Type& to);

}  // namespace lakemill::dml
