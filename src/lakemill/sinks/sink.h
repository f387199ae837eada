#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lakemill/base/clock.h"
#include "lakemill/base/json.h"
#include "lakemill/engine/engine.h"
#include "lakemill/engine/write_spec.h"

namespace lakemill::sinks {

/// Which batch of which flow a commit carries. Source: design.md, section 1.
struct Batch {
  std::string app_id;                    ///< the flow's id: Delta's txn.appId
  std::int64_t transaction_version = 0;  ///< generation · 2^32 + N
  std::int64_t number = 0;               ///< N
  std::int64_t generation = 0;
  Instant now;  ///< the batch instant, from the plan
  std::string run_id;
  Json commit_details =
      Json::object();  ///< further members of commitInfo: plan hash, offsets
  /// Asked by sinks whose commits carry no such facts, just before a commit takes
  /// effect: what it refuses does not. Empty: nothing to ask.
  std::function<Status()> before_visible = {};
};

/// What a commit of a batch came to.
struct SinkResult {
  bool already_held = false;  ///< the sink holds this batch (or a later one of the
                              ///< flow): nothing was written
  std::int64_t version = -1;  ///< of the Delta table; -1 for files
  std::int64_t rows_added = 0;
  std::int64_t rows_updated = 0;
  std::int64_t rows_deleted = 0;
  std::int64_t rows_rejected = 0;
  std::vector<std::string> schema_changes;  ///< "column b added (long)", …
  /// Why the table's log or small files could not be tidied behind the commit, which
  /// stands; the next one tries again. Empty if they could.
  std::string upkeep_error;
};

/// What a commit without rows made of a table.
struct Description {
  std::int64_t version = -1;  ///< -1: nothing differed, nothing was committed
  std::vector<std::string> changes = {};
};

/// Where the rows of a batch go. Per batch: last_batch(), stage(), the engine writes
/// what stage() names, commit(). Only commit() makes anything visible.
///
/// Not thread-safe; made for one batch, or for the batches of one flow in turn.
class Sink {
 public:
  virtual ~Sink() = default;

  /// The transaction version that this sink holds of `app_id`; nothing if none.
  /// Errors: invalid (the target holds another flow's batches and is neither shared nor
  /// adopted; says by whose), corrupt, denied, unavailable.
  virtual Result<std::optional<std::int64_t>> last_batch(std::string_view app_id) = 0;

  /// The transaction version of `app_id` that stands beside the target (in a change
  /// state, say), where it may be one that last_batch() does not hold yet: that batch
  /// must be completed as it was planned. Errors: as last_batch().
  virtual Result<std::optional<std::int64_t>> begun_batch(std::string_view app_id) {
    (void)app_id;
    return std::optional<std::int64_t>();
  }

  /// URLs of the Delta tables that begun_batch() looks at, in the order in which a
  /// batch commits to them last: what the first says of a batch that it holds counts.
  virtual std::vector<std::string> companions() const { return {}; }

  /// Makes the batch that this sink holds of the flow that it takes over (its spec
  /// names it) count as one of `batch.app_id`: a commit of its own, without rows, of
  /// the version that is held, with the facts of `batch.commit_details`. Does nothing
  /// where there is none, or where the sink holds a batch of `app_id` already. Gives
  /// the version of the table, -1 for nothing done and for files.
  virtual Result<std::int64_t> take_over(engine::Session& session, const Batch& batch) {
    (void)session, (void)batch;
    return std::int64_t{-1};
  }

  /// Brings what the pipeline declares of a table that is there (its properties,
  /// comments and clustering) to it, in a commit of no batch and without rows; none
  /// where the table says so already. `batch` names the flow.
  virtual Result<Description> describe(engine::Session& session, const Batch& batch) {
    (void)session, (void)batch;
    return Description();
  }

  /// For checks that must see the target whole before it is committed: binds in
  /// `session`, which wrote the staged rows, what the target would hold after commit(),
  /// and gives the relation's name. Nothing where that is told without the sink: the
  /// staged rows, behind the target's own unless they replace it.
  /// Errors: those of commit() that need no commit.
  virtual Result<std::optional<std::string>> preview(engine::Session& session,
                                                     const Batch& batch) {
    (void)session, (void)batch;
    return std::optional<std::string>();
  }

  /// What the engine must write rows of `schema` to, so that commit() can take them.
  /// Errors: invalid (schema evolution forbids it: names the column and both types).
  virtual Result<engine::WriteTarget> stage(const data::Schema& schema,
                                            const Batch& batch) = 0;

  /// Makes what was staged visible, in one commit that carries the batch's identity.
  /// `session` is the one that wrote. Errors: invalid (equal sequences, null in a
  /// non-null column, …), unavailable (also: undecided; repeat the batch), exists (what
  /// the batch was planned behind is no longer the last: plan anew).
  virtual Result<SinkResult> commit(engine::Session& session,
                                    const engine::WriteResult& written,
                                    const Batch& batch) = 0;
};

}  // namespace lakemill::sinks
