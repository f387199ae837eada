#pragma once

#include <optional>
#include <string>

#include "lakemill/sinks/merge_step.h"
#include "lakemill/sinks/target_table.h"

namespace lakemill::sinks {

/// Applies changes to a table: rejected changes, then the state, then the target, one
/// commit each under the same transaction identifier. A batch that is repeated after a
/// crash between them finds what is there and does the rest.
class MergeSink final : public Sink {
 public:
  MergeSink(TableSinkSpec spec, SinkServices services);

  Result<std::optional<std::int64_t>> last_batch(std::string_view app_id) override {
    return target_.last_batch(app_id);
  }
  Result<std::optional<std::int64_t>> begun_batch(std::string_view app_id) override;
  std::vector<std::string> companions() const override {
    return {state_.spec().url, rejected_.spec().url};
  }
  Result<std::int64_t> take_over(engine::Session& session, const Batch& batch) override;
  Result<std::optional<std::string>> preview(engine::Session& session,
                                             const Batch& batch) override;
  Result<Description> describe(engine::Session& session, const Batch& batch) override {
    return target_.describe(session, batch);
  }
  Result<engine::WriteTarget> stage(const data::Schema& schema,
                                    const Batch& batch) override;
  Result<SinkResult> commit(engine::Session& session,
                            const engine::WriteResult& written,
                            const Batch& batch) override;

 private:
  /// A merge whose changes are sorted out and found to be well; nothing is committed.
  struct Prepared {
    explicit Prepared(Scratch of) : scratch(std::move(of)) {}
    Scratch scratch;
    std::vector<data::Field> target_fields;
    ChangeColumns columns;
    ChangeSet set;
    std::optional<MergeRun> run;  // of all of the above
    std::unique_ptr<MergeStep> step;
    MergeTables tables;
    bool state_holds = false;
    std::string state_rows;  // empty: none
  };

  const ChangeOptions& options() const { return *target_.spec().changes; }
  std::string staged_name() const;
  Result<ChangeColumns> columns_for(const delta::Metadata& target,
                                    const delta::Snapshot* state) const;
  Result<StateBounds> bounds_of(Scratch& scratch, const std::string& state,
                                const Batch& batch) const;
  Status check_changeable(const delta::Snapshot* snapshot,
                          const delta::Metadata& metadata) const;
  Status check_same_plan(TargetTable& companion, const Batch& batch);
  Status commit_companion(TargetTable& companion, Scratch& scratch,
                          const std::string& rows_sql, const data::Schema& schema,
                          const Batch& batch);
  Result<std::string> commit_state(const MergeRun& run, const std::string& rows,
                                   const data::Schema& schema);
  Result<SinkResult> commit_target(const MergeRun& run, MergeStep& step,
                                   const MergeTables& tables);
  Status forget_old_state(const MergeRun& run);
  Result<std::unique_ptr<Prepared>> prepare(Scratch scratch,
                                            const dml::TableState& target,
                                            const Batch& batch);
  Result<SinkResult> merge(Prepared& merge, const Batch& batch);

  TargetTable target_;
  TargetTable state_;
  TargetTable rejected_;
  data::Schema staged_;  // of the staged rows
};

}  // namespace lakemill::sinks
