// What the metadata of a sink's table becomes.

#include <algorithm>
#include <array>
#include <set>

#include "lakemill/base/text.h"
#include "lakemill/delta/protocol.h"
#include "lakemill/delta/statistics_writer.h"
#include "lakemill/dml/schema_evolution.h"
#include "lakemill/dml/sql_type.h"
#include "lakemill/sinks/target_table.h"

namespace lakemill::sinks {
namespace {

// What says how the log itself is to be read: a table that is made anew keeps it.
constexpr std::array kLogProperties = {
    "delta.enableInCommitTimestamps",
    "delta.inCommitTimestampEnablementVersion",
    "delta.inCommitTimestampEnablementTimestamp",
};
constexpr const char* kMappingMode = "delta.columnMapping.mode";
constexpr const char* kMappingMaximum = "delta.columnMapping.maxColumnId";

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

// Columns that the pipeline declares are what it says of nulls, also below them.
void hold_to_declaration(const std::optional<data::Schema>& declared,
                         data::Schema& schema) {
  for (data::Field& field : schema.fields) {
    field.nullable = true;
    const data::Field* said = declared ? declared->find(field.name) : nullptr;
    if (said == nullptr) continue;
    field.nullable = said->nullable;
    if (dml::sql_type(said->type) == dml::sql_type(field.type)) field.type = said->type;
  }
}

void tell_of_properties(const std::map<std::string, std::string>& before,
                        const std::map<std::string, std::string>& now,
                        std::vector<std::string>& changes) {
  for (const auto& [key, value] : now) {
    const auto held = before.find(key);
    if (held != before.end() && held->second == value) continue;
    changes.push_back("property " + key + " set to " + value);
  }
  for (const auto& [key, value] : before) {
    if (!now.contains(key)) changes.push_back("property " + key + " removed");
  }
}

// The columns that cluster a table whose pipeline says nothing of them: those of
// before, wherever they are now.
Result<delta::ClusteringColumns> kept_clustering(const delta::ClusteringColumns& held,
                                                 const data::Schema& before,
                                                 const data::Schema& now) {
  delta::ClusteringColumns kept;
  const std::vector<std::string> names = delta::clustering_names(held, before);
  for (std::size_t i = 0; i < held.size(); ++i) {
    const data::Field* field = delta::find_physical(now, held[i]);
    if (field != nullptr && held[i].size() > 1) {
      kept.push_back(held[i]);
      continue;
    }
    if (field != nullptr) {  // perhaps of a type that clusters nothing
      LAKEMILL_TRY(auto same, delta::resolve_clustering({field->name}, now));
      kept.push_back(std::move(same.front()));
      continue;
    }
    auto found = delta::resolve_clustering({names[i]}, now);
    if (!found) {
      return Error(ErrorCode::invalid,
                   "the table is clustered by column \"" + names[i] +
                       "\", which the batch does not have: name others in cluster_by, "
                       "or none (cluster_by: [])");
    }
    kept.push_back(std::move(found->front()));
  }
  return kept;
}

}  // namespace

Result<TargetPlan> TargetTable::new_table(const data::Schema& query,
                                          std::string_view app_id,
                                          const delta::Metadata* before) const {
  TargetPlan plan;
  plan.metadata.schema = query;
  hold_to_declaration(spec_.schema, plan.metadata.schema);
  auto& configuration = plan.metadata.configuration;
  configuration = spec_.properties;
  if (spec_.changes) {  // of others no rows go: every reader may read them
    configuration.try_emplace("delta.enableDeletionVectors", "true");
  }
  if (!spec_.shared) configuration[std::string(kOwnerProperty)] = app_id;
  plan.metadata.description = spec_.comment;
  set_comments(spec_.column_comments, plan.metadata.schema);
  if (before != nullptr) {
    plan.metadata.id = before->id;
    plan.metadata.name = before->name;
    plan.metadata.created_time_ms = before->created_time_ms;
    const auto keep = [&](const char* key) {
      const auto held = before->configuration.find(key);
      if (held != before->configuration.end()) configuration[key] = held->second;
    };
    for (const char* key : kLogProperties) keep(key);
    if (configuration.contains(kMappingMode)) keep(kMappingMaximum);
  }
  dml::map_columns(plan.metadata, {}, services_.random);
  plan.metadata.partition_columns = spec_.partition_by;
  LAKEMILL_TRY_OK(check_partitioning(plan.metadata));
  return plan;
}

Status TargetTable::check_partitioning(delta::Metadata& metadata) const {
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
  return check_partitioning(metadata);
}

Status TargetTable::plan_clustering(const delta::Snapshot* snapshot, OldRows rows,
                                    TargetPlan& plan) const {
  const data::Schema& schema = plan.metadata.schema;
  delta::ClusteringColumns held;
  if (snapshot != nullptr) {
    LAKEMILL_TRY(held, delta::clustering_columns(*snapshot));
    if (!plan.metadata.partition_columns.empty() &&
        delta::has_feature(snapshot->protocol(), "clustering")) {
      return Error(ErrorCode::invalid,
                   "table " + spec_.name +
                       " is a clustered one, which Delta never lets be partitioned: "
                       "write cluster_by in place of partition_by, or drop the table "
                       "first (lakemill table drop)");
    }
  }
  delta::ClusteringColumns wanted;
  if (spec_.cluster_by) {
    auto resolved = delta::resolve_clustering(*spec_.cluster_by, schema);
    if (!resolved)
      return std::move(resolved).error().while_doing("table " + spec_.name);
    wanted = *std::move(resolved);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (delta::keeps_statistics(plan.metadata, wanted[i])) continue;
      return Error(
          ErrorCode::invalid,
          "table " + spec_.name + ": column \"" + (*spec_.cluster_by)[i] +
              "\" is not among those of which its files keep statistics (the "
              "first 32), which Delta demands of clustering columns: put it in "
              "front, or name it with the others in properties: "
              "delta.dataSkippingStatsColumns");
    }
  } else if (snapshot != nullptr && rows != OldRows::begin_anew) {
    auto kept = kept_clustering(held, snapshot->metadata().schema, schema);
    if (!kept) return std::move(kept).error().while_doing("table " + spec_.name);
    wanted = *std::move(kept);
  }
  if (!wanted.empty() && !plan.metadata.partition_columns.empty()) {
    return Error(
        ErrorCode::invalid,
        "table " + spec_.name + " is partitioned by (" +
            join(plan.metadata.partition_columns, ", ") +
            "), and the pipeline says cluster_by: take that back, or write the "
            "table anew with --full-refresh and reset_mode: DROP");
  }
  if (wanted == held) return {};
  const std::string names = join(delta::clustering_names(wanted, schema), ", ");
  plan.schema_changes.push_back(wanted.empty() ? "no longer clustered"
                                               : "clustered by (" + names + ")");
  plan.clustering = std::move(wanted);
  return {};
}

// All as the pipeline declares it now; nothing but the log and the id is of before.
Result<TargetPlan> TargetTable::plan_anew(const delta::Snapshot& snapshot,
                                          const data::Schema& query,
                                          std::string_view app_id) const {
  const delta::Metadata& before = snapshot.metadata();
  LAKEMILL_TRY(TargetPlan plan, new_table(query, app_id, &before));
  LAKEMILL_TRY(auto evolution, dml::evolve_schema(before, plan.metadata.schema,
                                                  {true, true}, services_.random));
  plan.schema_changes = std::move(evolution.changes);
  if (!same_names(before.partition_columns, plan.metadata.partition_columns)) {
    plan.schema_changes.push_back(
        plan.metadata.partition_columns.empty()
            ? "no longer partitioned"
            : "partitioned by (" + join(plan.metadata.partition_columns, ", ") + ")");
  }
  tell_of_properties(before.configuration, plan.metadata.configuration,
                     plan.schema_changes);
  return plan;
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
                                     OldRows rows) const {
  LAKEMILL_TRY_OK(check_column_names(query, spec_.name));
  if (rows == OldRows::stay) LAKEMILL_TRY_OK(check_is_there(snapshot, app_id));
  TargetPlan plan;
  if (snapshot == nullptr) {
    LAKEMILL_TRY(plan, new_table(query, app_id, nullptr));
    LAKEMILL_TRY_OK(plan_clustering(nullptr, rows, plan));
    plan.schema_changes.clear();  // all of it is new
    return plan;
  }
  LAKEMILL_TRY_OK(check_owner(*snapshot, app_id));
  if (rows == OldRows::begin_anew) {
    LAKEMILL_TRY(plan, plan_anew(*snapshot, query, app_id));
  } else {
    LAKEMILL_TRY(plan, plan_evolution(*snapshot, query, app_id, rows));
  }
  LAKEMILL_TRY_OK(plan_clustering(snapshot, rows, plan));
  return plan;
}

Result<TargetPlan> TargetTable::plan_evolution(const delta::Snapshot& snapshot,
                                               const data::Schema& query,
                                               std::string_view app_id,
                                               OldRows rows) const {
  TargetPlan plan;
  const bool replaces_rows = rows != OldRows::stay;
  const dml::EvolutionRules rules{spec_.schema_evolution != SchemaEvolution::strict,
                                  replaces_rows};
  // First, because they say what the schema may become.
  delta::Metadata held = snapshot.metadata();
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
  dml::map_columns(plan.metadata, snapshot.metadata().schema, services_.random);
  return plan;
}

Result<TargetPlan> TargetTable::plan_description(
    const delta::Snapshot& snapshot) const {
  TargetPlan plan;
  plan.metadata = snapshot.metadata();
  plan.schema_changes = set_properties(spec_.properties, plan.metadata);
  if (spec_.comment && plan.metadata.description != spec_.comment) {
    plan.schema_changes.push_back("comment set to " + *spec_.comment);
    plan.metadata.description = spec_.comment;
  }
  set_comments(spec_.column_comments, plan.metadata.schema);
  dml::map_columns(plan.metadata, snapshot.metadata().schema, services_.random);
  LAKEMILL_TRY_OK(plan_clustering(&snapshot, OldRows::stay, plan));
  return plan;
}

}  // namespace lakemill::sinks
