#include "lakemill/sinks/target_table.h"

#include <algorithm>
#include <set>

#include "lakemill/base/text.h"
#include "lakemill/dml/maintenance.h"
#include "lakemill/dml/schema_evolution.h"

namespace lakemill::sinks {
namespace {

Status check_column_names(const data::Schema& query, const std::string& table) {
  if (query.fields.empty()) {
    return Error(ErrorCode::invalid, "the batch for " + table + " has no column");
  }
  std::set<std::string> seen;
  for (const data::Field& field : query.fields) {
    if (!seen.insert(to_lower(field.name)).second) {
      return Error(ErrorCode::invalid, "the batch for " + table +
                                           " has two columns named \"" + field.name +
                                           "\" (case does not count): rename one");
    }
  }
  return {};
}

bool same_names(const std::vector<std::string>& left,
                const std::vector<std::string>& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    equals_ignoring_case);
}

// Those of the table that the pipeline does not name stay; tells what changes.
std::vector<std::string> set_properties(
    const std::map<std::string, std::string>& properties, delta::Metadata& metadata) {
  std::vector<std::string> changes;
  for (const auto& [key, value] : properties) {
    const auto [held, is_new] = metadata.configuration.try_emplace(key, value);
    if (!is_new && held->second == value) continue;
    changes.push_back("property " + key + " set to " + value +
                      (is_new ? "" : " (it was " + held->second + ")"));
    held->second = value;
  }
  return changes;
}

void set_comments(const std::map<std::string, std::string>& comments,
                  data::Schema& schema) {
  for (data::Field& field : schema.fields) {
    for (const auto& [column, comment] : comments) {
      if (equals_ignoring_case(column, field.name)) field.metadata["comment"] = comment;
    }
  }
}

}  // namespace

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

Result<TargetPlan> TargetTable::new_table(const data::Schema& query,
                                          std::string_view app_id) const {
  TargetPlan plan;
  plan.metadata.schema = query;
  for (data::Field& field : plan.metadata.schema.fields) field.nullable = true;
  plan.metadata.configuration = spec_.properties;
  if (spec_.changes) {  // of others no rows go: every reader may read them
    plan.metadata.configuration.try_emplace("delta.enableDeletionVectors", "true");
  }
  if (!spec_.shared) {
    plan.metadata.configuration[std::string(kOwnerProperty)] = app_id;
  }
  plan.metadata.description = spec_.comment;
  set_comments(spec_.column_comments, plan.metadata.schema);
  dml::map_columns(plan.metadata, {}, services_.random);
  return plan;
}

Status TargetTable::plan_partitioning(delta::Metadata& metadata, bool replaces_rows,
                                      std::vector<std::string>& changes) const {
  if (!spec_.partition_by.empty() &&
      !same_names(spec_.partition_by, metadata.partition_columns)) {
    if (!replaces_rows) {
      return Error(ErrorCode::invalid,
                   "table " + spec_.name + " is partitioned by (" +
                       join(metadata.partition_columns, ", ") +
                       "), the pipeline says partition_by (" +
                       join(spec_.partition_by, ", ") +
                       "): take that back, or write the table anew with "
                       "--full-refresh");
    }
    metadata.partition_columns = spec_.partition_by;
    changes.push_back("partitioned by (" + join(spec_.partition_by, ", ") + ")");
  }
  for (std::string& column : metadata.partition_columns) {
    const data::Field* field = metadata.schema.find(column);
    if (field == nullptr) {
      return Error(ErrorCode::invalid, "table " + spec_.name + " is partitioned by \"" +
                                           column +
                                           "\", which the batch does not have");
    }
    column = field->name;
  }
  return {};
}

// What is added to a table that lost what came before would be all that it holds.
Status TargetTable::check_is_there(const delta::Snapshot* snapshot,
                                   std::string_view app_id) const {
  if (spec_.follows_batch == 0) return {};
  const auto held = snapshot == nullptr ? std::optional<std::int64_t>()
                                        : snapshot->transaction(app_id);
  if (held && *held >= spec_.follows_batch) return {};
  return Error(ErrorCode::not_found,
               "table " + spec_.name + " (" + spec_.url + ") was deleted " +
                   (snapshot == nullptr ? "" : "and made anew ") +
                   "during the run: the batches before this one are lost with it, so "
                   "this one was not written; put the table back, or run again to make "
                   "it from the beginning");
}

Result<TargetPlan> TargetTable::plan(const delta::Snapshot* snapshot,
                                     const data::Schema& query, std::string_view app_id,
                                     bool replaces_rows) const {
  LAKEMILL_TRY_OK(check_column_names(query, spec_.name));
  if (!replaces_rows) LAKEMILL_TRY_OK(check_is_there(snapshot, app_id));
  TargetPlan plan;
  if (snapshot == nullptr) {
    LAKEMILL_TRY(plan, new_table(query, app_id));
    std::vector<std::string> ignored;
    LAKEMILL_TRY_OK(plan_partitioning(plan.metadata, true, ignored));
    return plan;
  }
  LAKEMILL_TRY_OK(check_owner(*snapshot, app_id));
  const dml::EvolutionRules rules{spec_.schema_evolution != SchemaEvolution::strict,
                                  replaces_rows};
  // First, because they say what the schema may become.
  delta::Metadata held = snapshot->metadata();
  auto property_changes = set_properties(spec_.properties, held);
  auto evolution = dml::evolve_schema(held, query, rules, services_.random);
  if (!evolution) {
    return std::move(evolution).error().while_doing("write to table " + spec_.name);
  }
  plan.metadata = std::move(evolution->metadata);
  plan.schema_changes = std::move(property_changes);
  plan.schema_changes.insert(plan.schema_changes.end(), evolution->changes.begin(),
                             evolution->changes.end());
  LAKEMILL_TRY_OK(plan_partitioning(plan.metadata, replaces_rows, plan.schema_changes));
  if (!spec_.shared) {
    plan.metadata.configuration[std::string(kOwnerProperty)] = app_id;
  }
  if (spec_.comment) plan.metadata.description = spec_.comment;
  set_comments(spec_.column_comments, plan.metadata.schema);
  dml::map_columns(plan.metadata, snapshot->metadata().schema, services_.random);
  return plan;
}

bool TargetTable::begins_generation(const delta::Snapshot* snapshot,
                                    const Batch& batch) const {
  if (snapshot == nullptr || spec_.shared) return false;
  const auto held = snapshot->transaction(batch.app_id);
  return held && (*held >> 32) < batch.generation;
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
