#pragma once

#include "lakemill/sinks/target_table.h"

namespace lakemill::sinks {

/// Appends to a table, or replaces its rows: the engine writes the table's files, the
/// commit names them.
///
/// An append reads nothing, so it goes behind whatever other writers commit; the files
/// of a replacement fit every state of the table.
class WriteSink final : public Sink {
 public:
  WriteSink(TableSinkSpec spec, SinkServices services)
      : target_(std::move(spec), services) {}

  Result<std::optional<std::int64_t>> last_batch(std::string_view app_id) override {
    return target_.last_batch(app_id);
  }
  Result<std::int64_t> take_over(engine::Session& session,
                                 const Batch& batch) override {
    return target_.take_over(session, batch);
  }
  Result<Description> describe(engine::Session& session, const Batch& batch) override {
    return target_.describe(session, batch);
  }
  Result<engine::WriteTarget> stage(const data::Schema& schema,
                                    const Batch& batch) override;
  Result<SinkResult> commit(engine::Session& session,
                            const engine::WriteResult& written,
                            const Batch& batch) override;

 private:
  Result<TargetPlan> plan_again(const dml::TableState& state, const Batch& batch) const;
  Status check_follows(const dml::TableState& state, const Batch& batch) const;
  Result<std::vector<engine::FileRows>> replaced_rows(engine::Session& session,
                                                      const dml::TableState& state);
  Json details(const Batch& batch, const engine::WriteResult& written,
               bool replaces) const;
  OldRows old_rows(const delta::Snapshot* snapshot, const Batch& batch) const {
    return target_.old_rows(snapshot, batch, target_.spec().mode == WriteMode::replace);
  }

  TargetTable target_;
  int bindings_ = 0;                            // of the target, in the session
  data::Schema query_;                          // of the staged rows
  std::optional<delta::Metadata> staged_over_;  // the table's when they were staged
  TargetPlan staged_;                           // what their files were written for
};

}  // namespace lakemill::sinks
