#pragma once

#include <memory>
#include <string>

#include "lakemill/delta/action.h"
#include "lakemill/sinks/change_set.h"
#include "lakemill/sinks/sink.h"

namespace lakemill::sinks {

/// What the steps of one merge share.
struct MergeRun {
  Scratch& scratch;
  const ChangeOptions& options;
  const ChangeColumns& columns;
  const ChangeSet& set;
  const Batch& batch;
  StateBounds bounds;                  ///< of the state before this batch
  delta::Version target_version = -1;  ///< of the target before; -1: there is none
};

/// Relations of the session; empty where there is no such table, or it counts as empty.
struct MergeTables {
  std::string state;      ///< before this run added the batch
  std::string state_now;  ///< with the batch
  std::string target;
};

/// How a target changes: SQL for the rows that go (file, position; empty: none), for
/// the rows that come, and what they come to.
struct TargetRows {
  std::string positions_sql;
  std::string inserts_sql;   ///< columns by name; one that is left out is null
  std::int64_t updated = 0;  ///< rows that go and come again
  std::int64_t deleted = 0;  ///< rows that go
};

/// One way to apply changes. The state's rows are committed first, then the target is
/// changed by what state and batch say together; both may be asked for again, for the
/// same batch, after a crash or a lost race, and must come to the same target.
class MergeStep {
 public:
  virtual ~MergeStep() = default;

  /// Columns of the state table.
  virtual data::Schema state_schema() const = 0;

  /// The rows that this batch adds to the state, of state_schema(); empty: none. What
  /// is wrong with the batch is found here, before anything is committed.
  /// `tables`: as state and target are before it.
  virtual Result<std::string> state_rows(const MergeTables& tables) = 0;

  /// How the target changes. `tables.target` may be newer than at state_rows().
  virtual Result<TargetRows> target_rows(const MergeTables& tables) = 0;
};

/// SCD 1 where a row is the whole of the highest change.
std::unique_ptr<MergeStep> make_row_step(const MergeRun& run);
/// SCD 1 with ignore_null_updates, and SCD 2: rows are built from all changes of a key.
std::unique_ptr<MergeStep> make_history_step(const MergeRun& run);

}  // namespace lakemill::sinks
