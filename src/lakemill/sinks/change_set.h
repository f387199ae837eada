#pragma once

#include <string>

#include "lakemill/sinks/change_sql.h"
#include "lakemill/sinks/scratch.h"

namespace lakemill::sinks {

/// What a state table says about the whole target, as scalar SQL; empty: nothing.
struct StateBounds {
  std::string horizon;    ///< changes at or below it are too old
  std::string truncated;  ///< the highest truncation so far
};

/// The changes of one batch: which are accepted, what they are in the target's types,
/// and why the others are rejected.
struct ChangeSet {
  /// A relation of the accepted changes: keys, values, kSequence, kOperation.
  std::string accepted;
  /// A query of the rejected ones: the staged columns, `_reason` and `_batch_id`.
  std::string rejected_sql;
  std::int64_t rejected = 0;   ///< how many
  std::int64_t truncates = 0;  ///< accepted truncations
  std::int64_t changes = 0;    ///< accepted upserts and deletes
  std::int64_t deletes = 0;    ///< of them, deletes
  std::int64_t keys = 0;       ///< distinct keys of them
  bool has_ties = false;       ///< some key has two changes at one sequence
};

/// Sorts out the rows of `staged_rows` (a name ready to stand in SQL). Errors: invalid
/// (a `delete_where` that is no SQL; two different changes of a key at one sequence
/// where that fails).
Result<ChangeSet> sort_out_changes(Scratch& scratch, const std::string& staged_rows,
                                   const data::Schema& staged,
                                   const ChangeColumns& columns,
                                   const ChangeOptions& options,
                                   const StateBounds& bounds, std::int64_t batch_id);

/// The columns of the table of rejected changes: those of the rows (a `_reason` and a
/// `_batch_id` of theirs become `_change_reason` and `_change_batch_id`), `_reason`,
/// `_batch_id`.
data::Schema rejected_schema(const data::Schema& staged);

/// What two changes at one sequence are compared by: values but for `_` metadata; a
/// delete has none.
std::string change_fingerprint(std::string_view alias, const ChangeColumns& columns);

/// The failure of a batch that holds, or meets, another change at the same sequence.
/// `conflict_sql`: keys and kSequence of such changes. Success if it has no row.
Status fail_on_equal_sequences(Scratch& scratch, const std::string& conflict_sql,
                               const ChangeColumns& columns);

}  // namespace lakemill::sinks
