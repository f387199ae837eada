#include "lakemill/sinks/merge_sink.h"

#include <algorithm>
#include <utility>

#include "lakemill/base/hash.h"
#include "lakemill/base/text.h"
#include "lakemill/delta/protocol.h"
#include "lakemill/dml/sql_type.h"
#include "lakemill/sinks/state_retention.h"
#include "lakemill/sinks/unchanged_values.h"

namespace lakemill::sinks {
namespace {

TableSinkSpec companion_of(const TableSinkSpec& target, const std::string& url,
                           const std::string& name) {
  TableSinkSpec spec;
  spec.url = url;
  spec.name = name;
  spec.shared = target.shared;
  spec.adopt_app_id = target.adopt_app_id;
  spec.layout = target.layout;
  spec.properties["delta.enableDeletionVectors"] = "false";
  const auto widens = target.properties.find("delta.enableTypeWidening");
  if (widens != target.properties.end()) spec.properties.insert(*widens);
  return spec;
}

TableSinkSpec state_spec(const TableSinkSpec& target) {
  TableSinkSpec spec = companion_of(target, target.changes->state_url,
                                    "the change state of " + target.name);
  spec.layout = change_state_layout();
  spec.properties["delta.enableTypeWidening"] = "true";  // where the target's may widen
  return spec;
}

std::string scratch_prefix(const TableSinkSpec& spec) {
  return "_lakemill_change_" + sha256_hex(spec.url).substr(0, 12);
}

/// State rows as the state table holds them: with what every row of a batch shares.
data::Schema with_batch(data::Schema schema) {
  schema.fields.push_back(
      {std::string(kStateBatch), data::make_type(data::TypeKind::int64), true, {}});
  schema.fields.push_back(
      {std::string(kFoldedAt), data::make_type(data::TypeKind::timestamp), true, {}});
  return schema;
}

std::string batch_columns(const Batch& batch) {
  return "CAST(" + std::to_string(batch.transaction_version) + " AS BIGINT) AS " +
         quote_identifier(kStateBatch) + ", CAST(" +
         quote_literal(format_instant(batch.now)) +
         " AS TIMESTAMP WITH TIME ZONE) AS " + quote_identifier(kFoldedAt);
}

bool holds_batch(const delta::Snapshot* snapshot, const Batch& batch) {
  if (snapshot == nullptr) return false;
  return snapshot->transaction(batch.app_id).value_or(-1) >= batch.transaction_version;
}

/// A table's rows as a relation; empty where it has no file.
Result<std::string> bind_rows(Scratch& scratch, std::string_view label,
                              const dml::TableState& state) {
  if (state.scan == nullptr || state.scan->files().empty()) return std::string();
  return scratch.table(label, state.scan);
}

/// The same rows with columns as `fields` say: cast, and null where there is none yet.
Result<std::string> bind_as(Scratch& scratch, std::string_view label,
                            const dml::TableState& state,
                            const std::vector<data::Field>& fields) {
  LAKEMILL_TRY(const std::string rows, bind_rows(scratch, label, state));
  if (rows.empty()) return rows;
  const data::Schema& held = state.scan->schema();
  std::string columns;
  bool differs = false;
  for (const data::Field& field : fields) {
    const data::Field* found = held.find(field.name);
    const std::string name = quote_identifier(field.name);
    if (found != nullptr && found->type == field.type) {
      columns += name + ", ";
      continue;
    }
    differs = true;
    columns += "CAST(" + (found == nullptr ? std::string("NULL") : name) + " AS " +
               dml::sql_type(field.type) + ") AS " + name + ", ";
  }
  if (!differs) return rows;
  return scratch.view(
      label, "SELECT " + columns + "\"_lakemill_file\", \"_lakemill_row\" FROM " + rows,
      engine::Origin::lakemill);
}

/// The order_by columns take the types that a table holds their sequence in.
void adopt_sequence_type(const data::Field* held, ChangeColumns& columns) {
  if (held == nullptr) return;
  if (columns.order.size() == 1) {
    columns.order.front().type = held->type;
  } else if (held->type.children.size() == columns.order.size()) {
    for (std::size_t i = 0; i < columns.order.size(); ++i) {
      columns.order[i].type = held->type.children[i].type;
    }
  }
  columns.sequence = sequence_type(columns.order);
}

std::unique_ptr<MergeStep> make_step(const MergeRun& run) {
  return run.options.scd_type == 2 || run.options.ignore_null_updates
             ? make_history_step(run)
             : make_row_step(run);
}

}  // namespace

dml::FileLayout change_state_layout() {
  dml::FileLayout layout;
  layout.compression = "lz4_raw";
  layout.parquet_version = 2;  // sequences are nearly the ones before them
  return layout;
}

MergeSink::MergeSink(TableSinkSpec spec, SinkServices services)
    : target_(spec, services),
      state_(state_spec(spec), services),
      rejected_(companion_of(spec, spec.changes->rejected_url, spec.name + "_rejected"),
                services) {}

Result<std::optional<std::int64_t>> MergeSink::begun_batch(std::string_view app_id) {
  LAKEMILL_TRY(const auto state, state_.last_batch(app_id));
  LAKEMILL_TRY(const auto rejected, rejected_.last_batch(app_id));
  return std::max(state, rejected);
}

std::string MergeSink::staged_name() const {
  return scratch_prefix(target_.spec()) + "_staged";
}

// What the commit of the target would refuse is refused before that of the state.
Status MergeSink::check_changeable(const delta::Snapshot* snapshot,
                                   const delta::Metadata& metadata) const {
  std::optional<delta::Protocol> current;
  if (snapshot != nullptr) {
    current = snapshot->protocol();
    LAKEMILL_TRY_OK(delta::check_writable(*current, snapshot->metadata()));
  }
  LAKEMILL_TRY(const delta::Protocol protocol, delta::protocol_for(metadata, current));
  if (!delta::append_only(protocol, metadata)) return {};
  return Error(
      ErrorCode::unsupported,
      "a merge changes rows, which table " + target_.spec().name +
          " does not allow: its property delta.appendOnly is true; write mode: "
          "APPEND, or merge into another table");
}

Result<engine::WriteTarget> MergeSink::stage(const data::Schema& schema,
                                             const Batch& batch) {
  LAKEMILL_TRY(delta::Table * table, target_.table());
  LAKEMILL_TRY(const dml::TableState state, dml::state_of(*table));
  LAKEMILL_TRY(const data::Schema target, target_schema(schema, options()));
  LAKEMILL_TRY(const TargetPlan plan,
               target_.plan(state.snapshot.get(), target, batch.app_id,
                            target_.old_rows(state.snapshot.get(), batch, false)));
  LAKEMILL_TRY_OK(check_changeable(state.snapshot.get(), plan.metadata));
  staged_ = schema;
  return engine::WriteTarget(engine::TemporaryTarget{staged_name()});
}

Result<ChangeColumns> MergeSink::columns_for(const delta::Metadata& target,
                                             const delta::Snapshot* state) const {
  LAKEMILL_TRY(ChangeColumns columns, resolve_columns(staged_, target, options()));
  if (options().scd_type == 2) {
    adopt_sequence_type(target.schema.find(options().start_at_column_name), columns);
  } else if (!columns.sequence_in_target && state != nullptr) {
    adopt_sequence_type(state->metadata().schema.find(kSequence), columns);
  }
  return columns;
}

Result<StateBounds> MergeSink::bounds_of(Scratch& scratch, const std::string& state,
                                         const Batch& batch) const {
  StateBounds bounds;
  if (state.empty()) return bounds;
  const std::string operation = quote_identifier(kOperation);
  const std::string highest = "max(" + quote_identifier(kSequence) + ") FILTER (";
  // A horizon holds from the batch after the one that drew it.
  LAKEMILL_TRY(
      const std::string kept,
      scratch.keep("bounds", "SELECT " + highest + operation + " = " +
                                 number_of(ChangeKind::horizon) + " AND " +
                                 quote_identifier(kStateBatch) + " < " +
                                 std::to_string(batch.transaction_version) +
                                 ") AS horizon, " + highest + operation + " = " +
                                 number_of(ChangeKind::truncate) +
                                 ") AS truncated FROM " + state + " WHERE " +
                                 operation + " >= " + number_of(ChangeKind::truncate)));
  LAKEMILL_TRY(const std::vector<std::int64_t> is_there,
               scratch.counts("SELECT count(horizon), count(truncated) FROM " + kept));
  if (is_there.at(0) > 0) bounds.horizon = "(SELECT horizon FROM " + kept + ")";
  if (is_there.at(1) > 0) bounds.truncated = "(SELECT truncated FROM " + kept + ")";
  return bounds;
}

// A companion that holds the batch must hold it by the same plan: else another runner
// planned it otherwise, and the target would get rows of one plan by the state of
// another.
Status MergeSink::check_same_plan(TargetTable& companion, const Batch& batch) {
  constexpr std::size_t kCommitsMax = 100;  // it was committed just before
  const std::string plan = string_member(batch.commit_details, "plan", "");
  if (plan.empty()) return {};
  LAKEMILL_TRY(delta::Table * table, companion.table());
  LAKEMILL_TRY(const auto history, table->history(kCommitsMax));
  for (const delta::HistoryEntry& entry : history) {
    const Json* facts = find_member(entry.commit_info, "lakemill");
    if (facts == nullptr || string_member(*facts, "flow", "") != batch.app_id ||
        integer_member(*facts, "generation", -1) != batch.generation ||
        integer_member(*facts, "batch", -1) != batch.number) {
      continue;
    }
    if (string_member(*facts, "plan", "") == plan) return {};
    return Error(ErrorCode::exists, companion.spec().name + " holds batch " +
                                        std::to_string(batch.number) +
                                        " by another plan: run again");
  }
  return {};
}

Status MergeSink::commit_companion(TargetTable& companion, Scratch& scratch,
                                   const std::string& rows_sql,
                                   const data::Schema& schema, const Batch& batch) {
  LAKEMILL_TRY(const dml::ChangeContext context,
               companion.context(scratch.session(), batch));
  const auto plan = [&](const dml::TableState& state) -> Result<dml::TableChange> {
    dml::TableChange change;
    const OldRows rows = companion.old_rows(state.snapshot.get(), batch, false);
    change.replaces_rows = rows != OldRows::stay;
    LAKEMILL_TRY(TargetPlan planned,
                 companion.plan(state.snapshot.get(), schema, batch.app_id, rows));
    change.metadata = std::move(planned.metadata);
    engine::WriteSpec spec;
    spec.sql = rows_sql;
    spec.target = dml::files_target(context.table, change.metadata, context.layout);
    LAKEMILL_TRY(engine::WriteResult written, scratch.session().write(spec));
    change.operation = "WRITE";
    change.details =
        commit_details(batch, {{"mode", "Append"}},
                       {{"numOutputRows", std::to_string(written.written_rows)}});
    change.added = std::move(written.files);
    return change;
  };
  auto outcome = dml::change_table(context, plan);
  if (!outcome) {
    return std::move(outcome).error().while_doing(companion.spec().name);
  }
  if (outcome->already_held) return check_same_plan(companion, batch);
  (void)companion.maintain(outcome->version);  // the next one tries again
  return {};
}

Result<SinkResult> MergeSink::commit_target(const MergeRun& run, MergeStep& step,
                                            const MergeTables& tables) {
  LAKEMILL_TRY(const data::Schema schema, target_schema(staged_, options()));
  engine::Session& session = run.scratch.session();
  LAKEMILL_TRY(const dml::ChangeContext context, target_.context(session, run.batch));
  SinkResult result;
  const auto plan = [&](const dml::TableState& state) -> Result<dml::TableChange> {
    dml::TableChange change;
    const OldRows old_rows = target_.old_rows(state.snapshot.get(), run.batch, false);
    change.replaces_rows = old_rows != OldRows::stay;
    LAKEMILL_TRY(TargetPlan planned, target_.plan(state.snapshot.get(), schema,
                                                  run.batch.app_id, old_rows));
    change.clustering = std::move(planned.clustering);
    change.metadata = std::move(planned.metadata);
    result.schema_changes = std::move(planned.schema_changes);
    MergeTables now = tables;
    const bool is_as_before =
        state.snapshot != nullptr && state.snapshot->version() == run.target_version;
    if (change.replaces_rows) {
      now.target.clear();
    } else if (!is_as_before) {
      LAKEMILL_TRY(now.target, bind_as(run.scratch, "target", state,
                                       change.metadata.schema.fields));
    }
    LAKEMILL_TRY(const TargetRows rows, step.target_rows(now));
    if (!rows.positions_sql.empty()) {
      LAKEMILL_TRY(change.removed, session.query_positions(rows.positions_sql));
    }
    engine::WriteSpec spec;
    spec.sql = rows.inserts_sql;
    spec.target = dml::files_target(context.table, change.metadata, context.layout);
    LAKEMILL_TRY(engine::WriteResult written, session.write(spec));
    result.rows_deleted = rows.deleted;
    result.rows_updated = rows.updated;
    result.rows_added = written.written_rows - rows.updated;
    change.added = std::move(written.files);
    change.keys = options().primary_keys;
    if (options().scd_type == 2) {
      change.keys.push_back(options().start_at_column_name);
    }
    change.scope = delta::ReadScope::table;
    change.operation = "MERGE";
    change.details = commit_details(
        run.batch, {{"matchedPredicates", "[]"}},
        {{"numSourceRows", std::to_string(run.set.changes + run.set.truncates)},
         {"numTargetRowsInserted", std::to_string(result.rows_added)},
         {"numTargetRowsUpdated", std::to_string(result.rows_updated)},
         {"numTargetRowsDeleted", std::to_string(result.rows_deleted)},
         {"numOutputRows", std::to_string(written.written_rows)}});
    return change;
  };
  LAKEMILL_TRY(const dml::ChangeOutcome outcome, dml::change_table(context, plan));
  if (outcome.already_held) result = SinkResult{};
  result.already_held = outcome.already_held;
  result.version = outcome.version;
  return result;
}

// Puts the batch into the state, and gives the relation of the state with it.
Result<std::string> MergeSink::commit_state(const MergeRun& run,
                                            const std::string& rows,
                                            const data::Schema& schema) {
  const std::string sql = "SELECT " + cast_list("", schema.fields) + ", " +
                          batch_columns(run.batch) + " FROM (" + rows + ")";
  LAKEMILL_TRY_OK(
      commit_companion(state_, run.scratch, sql, with_batch(schema), run.batch));
  LAKEMILL_TRY(delta::Table * table, state_.table());
  LAKEMILL_TRY(const dml::TableState state, dml::state_of(*table));
  return bind_as(run.scratch, "state", state, schema.fields);
}

// Writes the state anew when it has many files or an old one. Comes after the target's
// commit and is a commit of its own: what a batch that is repeated needs is then still
// there. Whoever has begun a later batch takes it over, so losing the race is no harm.
Status MergeSink::forget_old_state(const MergeRun& run) {
  LAKEMILL_TRY(delta::Table * table, state_.table());
  LAKEMILL_TRY(const dml::TableState state, dml::state_of(*table));
  if (state.snapshot == nullptr || state.scan->files().empty()) return {};
  const std::int64_t cutoff_ms =
      to_epoch_ms(run.batch.now - run.options.state_retention);
  const auto& files = state.snapshot->files();
  const bool is_due = files.size() >= kStateFilesMax ||
                      std::any_of(files.begin(), files.end(), [&](const auto& file) {
                        return file.modification_time_ms < cutoff_ms;
                      });
  const std::int64_t held = state.snapshot->transaction(run.batch.app_id).value_or(-1);
  if (!is_due || held > run.batch.transaction_version) return {};

  LAKEMILL_TRY(dml::ChangeContext context,
               state_.context(run.scratch.session(), run.batch));
  context.app_id.clear();
  const auto plan = [&](const dml::TableState& now) -> Result<dml::TableChange> {
    dml::TableChange change;
    change.metadata = now.snapshot->metadata();
    if (now.snapshot->version() != state.snapshot->version()) {
      return Error(ErrorCode::exists, "the state has moved on");
    }
    LAKEMILL_TRY(const std::string rows, bind_rows(run.scratch, "old_state", now));
    engine::WriteSpec spec;
    spec.sql = retained_state_sql(rows, run.columns, run.options, run.batch);
    spec.target = dml::files_target(context.table, change.metadata, context.layout);
    LAKEMILL_TRY(engine::WriteResult written, run.scratch.session().write(spec));
    change.added = std::move(written.files);
    change.replaces_rows = true;
    change.scope = delta::ReadScope::table;
    change.operation = "OPTIMIZE";
    change.details = commit_details(run.batch, Json::object(), Json::object());
    return change;
  };
  auto outcome = dml::change_table(context, plan);
  if (!outcome && outcome.error().code() != ErrorCode::exists) {
    return std::move(outcome).error().while_doing(state_.spec().name);
  }
  return {};
}

Result<std::unique_ptr<MergeSink::Prepared>> MergeSink::prepare(
    Scratch scratch, const dml::TableState& target, const Batch& batch) {
  auto merge = std::make_unique<Prepared>(std::move(scratch));
  const OldRows old_rows = target_.old_rows(target.snapshot.get(), batch, false);
  LAKEMILL_TRY(const data::Schema schema, target_schema(staged_, options()));
  LAKEMILL_TRY(const TargetPlan plan,
               target_.plan(target.snapshot.get(), schema, batch.app_id, old_rows));
  merge->target_fields = plan.metadata.schema.fields;
  LAKEMILL_TRY(delta::Table * state_table, state_.table());
  LAKEMILL_TRY(dml::TableState state, dml::state_of(*state_table));
  merge->state_holds = holds_batch(state.snapshot.get(), batch);
  if (state_.begins_generation(state.snapshot.get(), batch)) state = {};
  LAKEMILL_TRY(merge->columns, columns_for(plan.metadata, state.snapshot.get()));

  MergeTables& tables = merge->tables;
  LAKEMILL_TRY(tables.state, bind_rows(merge->scratch, "state", state));
  if (old_rows == OldRows::stay) {
    LAKEMILL_TRY(tables.target,
                 bind_as(merge->scratch, "target", target, merge->target_fields));
  }
  LAKEMILL_TRY(const StateBounds bounds,
               bounds_of(merge->scratch, tables.state, batch));
  LAKEMILL_TRY(const std::string staged_rows,
               put_unchanged_values(merge->scratch, quote_identifier(staged_name()),
                                    staged_, merge->columns, options(), tables.target));
  LAKEMILL_TRY(merge->set,
               sort_out_changes(merge->scratch, staged_rows, staged_, merge->columns,
                                options(), bounds, batch.transaction_version));
  merge->run.emplace(MergeRun{
      merge->scratch, options(), merge->columns, merge->set, batch, bounds,
      target.snapshot == nullptr ? delta::Version{-1} : target.snapshot->version()});
  merge->step = make_step(*merge->run);
  LAKEMILL_TRY(tables.state, bind_as(merge->scratch, "state", state,
                                     with_batch(merge->step->state_schema()).fields));
  tables.state_now = tables.state;
  if (!merge->state_holds) {
    // Finds changes that contradict the state, too: nothing of them may be committed.
    LAKEMILL_TRY(merge->state_rows, merge->step->state_rows(tables));
  }
  return merge;
}

Result<SinkResult> MergeSink::merge(Prepared& merge, const Batch& batch) {
  if (merge.set.rejected > 0) {
    LAKEMILL_TRY_OK(commit_companion(rejected_, merge.scratch, merge.set.rejected_sql,
                                     rejected_schema(staged_), batch));
  } else {
    LAKEMILL_TRY(const auto held, rejected_.last_batch(batch.app_id));
    if (held && *held >= batch.transaction_version) {
      LAKEMILL_TRY_OK(check_same_plan(rejected_, batch));
    }
  }
  if (merge.state_holds) {
    LAKEMILL_TRY_OK(check_same_plan(state_, batch));
  } else if (!merge.state_rows.empty()) {
    LAKEMILL_TRY(merge.tables.state_now, commit_state(*merge.run, merge.state_rows,
                                                      merge.step->state_schema()));
  }
  LAKEMILL_TRY(SinkResult result, commit_target(*merge.run, *merge.step, merge.tables));
  if (result.already_held) return result;
  result.rows_rejected = merge.set.rejected;
  (void)forget_old_state(*merge.run);  // the batch is committed; the next tries again
  return result;
}

Result<std::int64_t> MergeSink::take_over(engine::Session& session,
                                          const Batch& batch) {
  LAKEMILL_TRY(const std::int64_t of_state, state_.take_over(session, batch));
  LAKEMILL_TRY(const std::int64_t of_rejected, rejected_.take_over(session, batch));
  (void)of_state, (void)of_rejected;
  return target_.take_over(session, batch);
}

Result<std::optional<std::string>> MergeSink::preview(engine::Session& session,
                                                      const Batch& batch) {
  LAKEMILL_TRY(delta::Table * table, target_.table());
  LAKEMILL_TRY(const dml::TableState target, dml::state_of(*table));
  const std::string name = scratch_prefix(target_.spec()) + "_preview";
  if (holds_batch(target.snapshot.get(), batch)) {
    LAKEMILL_TRY_OK(session.bind(name, engine::TableRelation{target.scan}));
    return std::optional<std::string>(name);
  }
  auto prepared = prepare(Scratch(session, name), target, batch);
  if (!prepared) {
    return std::move(prepared).error().while_doing("merge into " + target_.spec().name);
  }
  Prepared& merge = **prepared;
  if (!merge.state_rows.empty()) {
    const std::string columns = cast_list("", merge.step->state_schema().fields);
    LAKEMILL_TRY(
        merge.tables.state_now,
        merge.scratch.keep(
            "state_now",
            "SELECT " + columns + " FROM (" + merge.state_rows + ")" +
                (merge.tables.state.empty() ? ""
                                            : " UNION ALL SELECT " + columns +
                                                  " FROM " + merge.tables.state)));
  }
  LAKEMILL_TRY(const TargetRows rows, merge.step->target_rows(merge.tables));
  std::string stays;
  if (!merge.tables.target.empty()) {
    stays = "SELECT " + column_list("t", merge.target_fields) + " FROM " +
            merge.tables.target + " AS t";
    if (!rows.positions_sql.empty()) {
      stays += " ANTI JOIN (" + rows.positions_sql +
               ") AS p ON t.\"_lakemill_file\" = p.file AND t.\"_lakemill_row\" = "
               "p.row";
    }
    stays += " UNION ALL BY NAME ";
  }
  LAKEMILL_TRY_OK(session.bind_query(name, stays + "(" + rows.inserts_sql + ")",
                                     engine::Origin::lakemill));
  return std::optional<std::string>(name);
}

Result<SinkResult> MergeSink::commit(engine::Session& session,
                                     const engine::WriteResult& /*written*/,
                                     const Batch& batch) {
  LAKEMILL_TRY(delta::Table * table, target_.table());
  LAKEMILL_TRY(const dml::TableState target, dml::state_of(*table));
  if (holds_batch(target.snapshot.get(), batch)) {
    SinkResult result;
    result.already_held = true;
    result.version = target.snapshot->version();
    return result;
  }
  const auto merged = [&]() -> Result<SinkResult> {
    LAKEMILL_TRY(
        const auto prepared,
        prepare(Scratch(session, scratch_prefix(target_.spec())), target, batch));
    return merge(*prepared, batch);
  };
  auto result = merged();
  if (!result) {
    return std::move(result).error().while_doing("merge into " + target_.spec().name);
  }
  result->upkeep_error =
      upkeep_error(target_.maintain_files(session, batch, result->version));
  return result;
}

}  // namespace lakemill::sinks
