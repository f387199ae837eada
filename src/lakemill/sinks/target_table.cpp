#include "lakemill/sinks/target_table.h"

#include "lakemill/dml/maintenance.h"

namespace lakemill::sinks {

TargetTable::TargetTable(TableSinkSpec spec, SinkServices services)
    : spec_(std::move(spec)), services_(services) {}

Result<delta::Table*> TargetTable::table() {
  if (table_ == nullptr) {
    LAKEMILL_TRY(table_, services_.tables.open_url(spec_.url));
  }
  return table_.get();
}

Status TargetTable::check_owner(const delta::Snapshot& snapshot,
                                std::string_view app_id) const {
  if (spec_.shared) return {};
  const auto stranger = [&](std::string_view id) {
    return id != app_id && id != spec_.adopt_app_id;
  };
  std::string owner;
  const auto& configuration = snapshot.metadata().configuration;
  if (const auto found = configuration.find(std::string(kOwnerProperty));
      found != configuration.end()) {
    if (stranger(found->second)) owner = found->second;
  } else if (!snapshot.transaction(app_id)) {
    for (const delta::SetTransaction& transaction : snapshot.transactions()) {
      if (transaction.app_id.starts_with(kFlowPrefix) && stranger(transaction.app_id)) {
        owner = transaction.app_id;
      }
    }
  }
  if (owner.empty()) return {};
  return Error(ErrorCode::invalid,
               "table " + spec_.name + " (" + spec_.url + ") holds batches of flow " +
                   owner + ", not of " + std::string(app_id) +
                   ": name another table, set shared: true on the sinks of both, or "
                   "take the table over with run --adopt " +
                   owner);
}

Result<std::optional<std::int64_t>> TargetTable::last_batch(std::string_view app_id) {
  LAKEMILL_TRY(delta::Table * held, table());
  LAKEMILL_TRY(const dml::TableState state, dml::state_of(*held));
  if (state.snapshot == nullptr) return std::optional<std::int64_t>();
  LAKEMILL_TRY_OK(check_owner(*state.snapshot, app_id));
  return state.snapshot->transaction(app_id);
}

bool TargetTable::begins_generation(const delta::Snapshot* snapshot,
                                    const Batch& batch) const {
  if (snapshot == nullptr || spec_.shared) return false;
  const auto held = snapshot->transaction(batch.app_id);
  return held && (*held >> 32) < batch.generation;
}

OldRows TargetTable::old_rows(const delta::Snapshot* snapshot, const Batch& batch,
                              bool replaces) const {
  if (spec_.replace_where.empty() && begins_generation(snapshot, batch)) {
    return spec_.drops_on_reset ? OldRows::begin_anew : OldRows::go;
  }
  return replaces ? OldRows::go : OldRows::stay;
}

Result<Description> TargetTable::describe(engine::Session& session,
                                          const Batch& batch) {
  LAKEMILL_TRY(delta::Table * held, table());
  LAKEMILL_TRY(const dml::TableState found, dml::state_of(*held));
  if (found.snapshot == nullptr) return Description();
  LAKEMILL_TRY_OK(check_owner(*found.snapshot, batch.app_id));
  LAKEMILL_TRY(const TargetPlan wanted, plan_description(*found.snapshot));
  if (wanted.metadata == found.snapshot->metadata() && !wanted.clustering) {
    return Description();
  }
  LAKEMILL_TRY(dml::ChangeContext how, context(session, batch));
  how.app_id.clear();  // of no batch
  Description described;
  const auto plan = [&](const dml::TableState& state) -> Result<dml::TableChange> {
    if (state.snapshot == nullptr) {
      return Error(ErrorCode::not_found, "table " + spec_.name + " was deleted");
    }
    LAKEMILL_TRY(TargetPlan planned, plan_description(*state.snapshot));
    dml::TableChange change;
    change.metadata = std::move(planned.metadata);
    change.clustering = std::move(planned.clustering);
    change.operation = "SET TBLPROPERTIES";
    // It carries no batch, so it says nothing of one.
    change.details = {
        {"operationParameters", {{"properties", json_text(Json(spec_.properties))}}}};
    described.changes = std::move(planned.schema_changes);
    return change;
  };
  LAKEMILL_TRY(const dml::ChangeOutcome outcome, dml::change_table(how, plan));
  described.version = outcome.version;
  (void)maintain(outcome.version);  // the next commit tries again
  return described;
}

Result<std::int64_t> TargetTable::take_over(engine::Session& session,
                                            const Batch& batch) {
  LAKEMILL_TRY(delta::Table * held, table());
  LAKEMILL_TRY(const dml::TableState found, dml::state_of(*held));
  if (spec_.adopt_app_id.empty() || found.snapshot == nullptr ||
      found.snapshot->transaction(batch.app_id)) {
    return std::int64_t{-1};
  }
  LAKEMILL_TRY_OK(check_owner(*found.snapshot, batch.app_id));
  const auto version = found.snapshot->transaction(spec_.adopt_app_id);
  if (!version) return std::int64_t{-1};
  Batch adopted = batch;
  adopted.transaction_version = *version;
  adopted.generation = *version >> 32;
  adopted.number = *version & 0xFFFFFFFF;
  LAKEMILL_TRY(const dml::ChangeContext how, context(session, adopted));
  const auto plan = [&](const dml::TableState& state) -> Result<dml::TableChange> {
    dml::TableChange change;
    if (state.snapshot == nullptr ||
        state.snapshot->transaction(spec_.adopt_app_id) != version) {
      return Error(ErrorCode::unavailable, "table " + spec_.name +
                                               " was changed by flow " +
                                               spec_.adopt_app_id +
                                               " while it was taken over: stop that "
                                               "flow, and run again");
    }
    change.metadata = state.snapshot->metadata();
    if (!spec_.shared) {
      change.metadata.configuration[std::string(kOwnerProperty)] = adopted.app_id;
    }
    change.operation = "SET TBLPROPERTIES";
    change.details = commit_details(
        adopted,
        {{"properties",
          json_text(Json{{std::string(kOwnerProperty), adopted.app_id}})}},
        Json::object());
    return change;
  };
  LAKEMILL_TRY(const dml::ChangeOutcome outcome, dml::change_table(how, plan));
  return outcome.already_held ? std::int64_t{-1} : outcome.version;
}

Result<dml::ChangeContext> TargetTable::context(engine::Session& session,
                                                const Batch& batch) {
  LAKEMILL_TRY(delta::Table * held, table());
  return dml::ChangeContext{session,          *held,        services_.clock,
                            services_.random, batch.app_id, batch.transaction_version,
                            spec_.layout};
}

Status TargetTable::maintain(delta::Version committed) {
  if (table_ == nullptr) return {};
  return delta::maintain_log(*table_, committed);
}

Status TargetTable::maintain_files(engine::Session& session, const Batch& batch,
                                   delta::Version committed) {
  LAKEMILL_TRY_OK(maintain(committed));
  LAKEMILL_TRY(auto ours, context(session, batch));
  ours.app_id.clear();  // of no batch
  auto tidied = dml::maintain(ours, {});
  return tidied ? Status() : Status(std::move(tidied).error());
}

std::string upkeep_error(const Status& upkeep) {
  if (upkeep) return "";
  // Another who tidies, or the end of the run.
  const ErrorCode code = upkeep.error().code();
  const bool is_usual = code == ErrorCode::exists || code == ErrorCode::cancelled;
  return is_usual ? "" : upkeep.error().message();
}

Json commit_details(const Batch& batch, const Json& parameters, const Json& metrics) {
  Json lakemill = batch.commit_details;
  lakemill["flow"] = batch.app_id;
  lakemill["batch"] = batch.number;
  lakemill["generation"] = batch.generation;
  lakemill["runId"] = batch.run_id;
  return {{"operationParameters", parameters},
          {"operationMetrics", metrics},
          {"lakemill", lakemill}};
}

}  // namespace lakemill::sinks
