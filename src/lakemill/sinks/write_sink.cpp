#include "lakemill/sinks/write_sink.h"

#include "lakemill/base/text.h"

namespace lakemill::sinks {
namespace {

/// True if files written for `staged` can be added to a table that is `planned`: every
/// column of theirs is there, under the same physical name and type.
bool files_fit(const delta::Metadata& staged, const delta::Metadata& planned) {
  if (staged.partition_columns != planned.partition_columns) return false;
  constexpr const char* kPhysicalName = "delta.columnMapping.physicalName";
  for (const data::Field& field : staged.schema.fields) {
    const data::Field* held = planned.schema.find(field.name);
    if (held == nullptr || held->name != field.name || !(held->type == field.type) ||
        string_member(held->metadata, kPhysicalName, "") !=
            string_member(field.metadata, kPhysicalName, "")) {
      return false;
    }
  }
  return true;
}

}  // namespace

Result<engine::WriteTarget> WriteSink::stage(const data::Schema& schema,
                                             const Batch& batch) {
  LAKEMILL_TRY(delta::Table * table, target_.table());
  LAKEMILL_TRY(const dml::TableState state, dml::state_of(*table));
  LAKEMILL_TRY(staged_, target_.plan(state.snapshot.get(), schema, batch.app_id,
                                     old_rows(state.snapshot.get(), batch)));
  query_ = schema;
  staged_over_.reset();
  if (state.snapshot != nullptr) staged_over_ = state.snapshot->metadata();
  return engine::WriteTarget(
      dml::files_target(*table, staged_.metadata, target_.spec().layout));
}

// The plan that the files were written for, as long as it still fits the table.
Result<TargetPlan> WriteSink::plan_again(const dml::TableState& state,
                                         const Batch& batch) const {
  if (state.snapshot != nullptr && staged_over_ == state.snapshot->metadata()) {
    return staged_;
  }
  if (state.snapshot == nullptr && !staged_over_) return staged_;
  LAKEMILL_TRY(TargetPlan plan, target_.plan(state.snapshot.get(), query_, batch.app_id,
                                             old_rows(state.snapshot.get(), batch)));
  if (!files_fit(staged_.metadata, plan.metadata)) {
    return Error(ErrorCode::unavailable,
                 "table " + target_.spec().name +
                     " was changed by another writer while the batch was written: "
                     "repeat the batch");
  }
  return plan;
}

// What was derived again must be all that the flow has read: behind a later batch it
// would take that one's rows away, and its cursor back.
Status WriteSink::check_follows(const dml::TableState& state,
                                const Batch& batch) const {
  if (target_.spec().follows == 0 || state.snapshot == nullptr) return {};
  const auto held = state.snapshot->transaction(batch.app_id);
  if (!held || *held <= target_.spec().follows) return {};
  return Error(ErrorCode::exists,
               "table " + target_.spec().name +
                   " got another batch while its rows were derived again: repeat it");
}

// The rows that a backfill derived again.
Result<std::vector<engine::FileRows>> WriteSink::replaced_rows(
    engine::Session& session, const dml::TableState& state) {
  const std::string& condition = target_.spec().replace_where;
  if (condition.empty() || state.scan == nullptr || state.scan->files().empty()) {
    return std::vector<engine::FileRows>();
  }
  const std::string name =
      "_lakemill_replaced_" + target_.spec().name + "_" + std::to_string(++bindings_);
  LAKEMILL_TRY_OK(session.bind(name, engine::TableRelation{state.scan}));
  return session.query_positions(
      "SELECT \"_lakemill_file\" AS file, \"_lakemill_row\" AS row FROM " +
      quote_identifier(name) + " WHERE (" + condition + "\n) ORDER BY ALL");
}

Json WriteSink::details(const Batch& batch, const engine::WriteResult& written,
                        bool replaces) const {
  std::int64_t bytes = 0;
  for (const engine::WrittenFile& file : written.files) bytes += file.size_bytes;
  const std::string& condition = target_.spec().replace_where;
  Json parameters = {
      {"mode", replaces || !condition.empty() ? "Overwrite" : "Append"},
      {"partitionBy", json_text(Json(staged_.metadata.partition_columns))}};
  if (!condition.empty()) parameters["predicate"] = condition;
  return commit_details(batch, parameters,
                        {{"numFiles", std::to_string(written.files.size())},
                         {"numOutputRows", std::to_string(written.written_rows)},
                         {"numOutputBytes", std::to_string(bytes)}});
}

Result<SinkResult> WriteSink::commit(engine::Session& session,
                                     const engine::WriteResult& written,
                                     const Batch& batch) {
  LAKEMILL_TRY(const dml::ChangeContext context, target_.context(session, batch));
  SinkResult result;
  const auto plan = [&](const dml::TableState& state) -> Result<dml::TableChange> {
    LAKEMILL_TRY_OK(check_follows(state, batch));
    LAKEMILL_TRY(TargetPlan planned, plan_again(state, batch));
    dml::TableChange change;
    change.metadata = std::move(planned.metadata);
    change.clustering = std::move(planned.clustering);
    change.replaces_rows = old_rows(state.snapshot.get(), batch) != OldRows::stay;
    change.added = written.files;
    LAKEMILL_TRY(change.removed, replaced_rows(session, state));
    const bool reads = change.replaces_rows || !target_.spec().replace_where.empty();
    change.scope = reads ? delta::ReadScope::table : delta::ReadScope::none;
    change.operation = "WRITE";
    change.details = details(batch, written, change.replaces_rows);
    result.schema_changes = std::move(planned.schema_changes);
    return change;
  };
  LAKEMILL_TRY(const dml::ChangeOutcome outcome, dml::change_table(context, plan));
  result.version = outcome.version;
  if (outcome.already_held) {
    result.already_held = true;
    result.schema_changes.clear();
    return result;
  }
  result.rows_added = written.written_rows;
  result.upkeep_error =
      upkeep_error(target_.maintain_files(session, batch, outcome.version));
  return result;
}

}  // namespace lakemill::sinks
