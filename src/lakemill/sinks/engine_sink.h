#pragma once

#include <string>

#include "lakemill/engine/table_commit.h"
#include "lakemill/sinks/target_table.h"

namespace lakemill::sinks {

/// Appends to a table, or replaces its rows, by an engine that commits to tables itself
/// (its sessions are engine::TableCommitter): the batch is staged in the engine, and
/// one commit of the engine's carries it with the batch's txn. Who owns the table, what
/// its schema becomes and whether the batch is held already is decided here, as for
/// every table.
class EngineSink final : public Sink {
 public:
  EngineSink(TableSinkSpec spec, SinkServices services)
      : target_(std::move(spec), services) {}

  Result<std::optional<std::int64_t>> last_batch(std::string_view app_id) override {
    return target_.last_batch(app_id);
  }
  Result<std::int64_t> take_over(engine::Session& session,
                                 const Batch& batch) override {
    return target_.take_over(session, batch);
  }
  Result<engine::WriteTarget> stage(const data::Schema& schema,
                                    const Batch& batch) override;
  Result<SinkResult> commit(engine::Session& session,
                            const engine::WriteResult& written,
                            const Batch& batch) override;

 private:
  // What the engine is not asked to take away (a property, say) stays.
  OldRows old_rows(const delta::Snapshot* snapshot, const Batch& batch) const {
    const OldRows rows =
        target_.old_rows(snapshot, batch, target_.spec().mode == WriteMode::replace);
    return rows == OldRows::begin_anew ? OldRows::go : rows;
  }
  Result<engine::TableCommit> commit_target(const delta::Snapshot* snapshot,
                                            const TargetPlan& plan,
                                            const Batch& batch) const;
  std::string staged_name() const { return target_.spec().name + ".staged"; }

  TargetTable target_;
  data::Schema query_;  // of the staged rows
};

}  // namespace lakemill::sinks
