#include "lakemill/sinks/engine_sink.h"

#include "lakemill/base/check.h"
#include "lakemill/base/text.h"

namespace lakemill::sinks {
namespace {

// What a commit of another program keeps of the batch: where commitInfo of our own
// commits has a member `lakemill`, its user metadata has one.
std::string commit_note(const Batch& batch) {
  const Json details = commit_details(batch, Json::object(), Json::object());
  return json_text(Json{{"lakemill", details.at("lakemill")}});
}

// The first column that the table would have to hold in another type.
const data::Field* retyped_column(const data::Schema& held,
                                  const data::Schema& planned) {
  for (const data::Field& field : planned.fields) {
    const data::Field* before = held.find(field.name);
    if (before != nullptr && !(before->type == field.type)) return &field;
  }
  return nullptr;
}

std::map<std::string, std::string> changed_properties(
    const std::map<std::string, std::string>& held,
    const std::map<std::string, std::string>& planned) {
  std::map<std::string, std::string> changed;
  for (const auto& [key, value] : planned) {
    const auto before = held.find(key);
    if (before == held.end() || before->second != value) changed[key] = value;
  }
  return changed;
}

}  // namespace

Result<engine::WriteTarget> EngineSink::stage(const data::Schema& schema,
                                              const Batch& batch) {
  LAKEMILL_TRY(delta::Table * table, target_.table());
  LAKEMILL_TRY(const dml::TableState state, dml::state_of(*table));
  const delta::Snapshot* snapshot = state.snapshot.get();
  LAKEMILL_TRY(const TargetPlan plan,
               target_.plan(snapshot, schema, batch.app_id, old_rows(snapshot, batch)));
  LAKEMILL_TRY(const auto possible, commit_target(snapshot, plan, batch));
  (void)possible;  // told before anything is computed
  query_ = schema;
  return engine::WriteTarget(engine::TemporaryTarget{staged_name()});
}

Result<engine::TableCommit> EngineSink::commit_target(const delta::Snapshot* snapshot,
                                                      const TargetPlan& plan,
                                                      const Batch& batch) const {
  if (plan.clustering) {
    return Error(ErrorCode::unsupported,
                 "table " + target_.spec().name +
                     ": Spark is not asked to cluster tables by others; give the node "
                     "dataframe_backend: DUCKDB, or leave cluster_by out");
  }
  engine::TableCommit target;
  target.table_url = target_.spec().url;
  target.schema = plan.metadata.schema;
  target.creates = snapshot == nullptr;
  target.replaces_rows = old_rows(snapshot, batch) != OldRows::stay;
  target.partition_by = plan.metadata.partition_columns;
  target.app_id = batch.app_id;
  target.transaction_version = batch.transaction_version;
  target.note = commit_note(batch);
  if (snapshot == nullptr) {
    target.properties = plan.metadata.configuration;
    target.comment = plan.metadata.description;
    return target;
  }
  const delta::Metadata& held = snapshot->metadata();
  target.properties =
      changed_properties(held.configuration, plan.metadata.configuration);
  const data::Field* retyped = retyped_column(held.schema, plan.metadata.schema);
  target.replaces_schema =
      retyped != nullptr || held.partition_columns != plan.metadata.partition_columns;
  if (target.replaces_schema && !target.replaces_rows) {
    return Error(
        ErrorCode::unsupported,
        "table " + target_.spec().name + " holds column \"" +
            (retyped == nullptr ? "" : retyped->name) +
            "\" in another type, and Spark is not asked to widen columns: cast "
            "it, or give the node dataframe_backend: DUCKDB");
  }
  return target;
}

Result<SinkResult> EngineSink::commit(engine::Session& session,
                                      const engine::WriteResult& written,
                                      const Batch& batch) {
  LAKEMILL_TRY(delta::Table * table, target_.table());
  LAKEMILL_TRY(const dml::TableState state, dml::state_of(*table));
  const delta::Snapshot* snapshot = state.snapshot.get();
  SinkResult result;
  if (snapshot != nullptr &&
      snapshot->transaction(batch.app_id) >= batch.transaction_version) {
    result.already_held = true;
    result.version = snapshot->version();
    return result;
  }
  LAKEMILL_TRY(TargetPlan plan,
               target_.plan(snapshot, query_, batch.app_id, old_rows(snapshot, batch)));
  auto* committer = dynamic_cast<engine::TableCommitter*>(&session);
  LAKEMILL_CHECK(committer != nullptr);
  LAKEMILL_TRY(const auto commit, commit_target(snapshot, plan, batch));
  LAKEMILL_TRY_OK(committer->commit_table(
      "SELECT * FROM " + quote_identifier(staged_name()), commit));
  LAKEMILL_TRY(const dml::TableState after, dml::state_of(*table));
  const bool held =
      after.snapshot != nullptr &&
      after.snapshot->transaction(batch.app_id) >= batch.transaction_version;
  if (!held) {
    return Error(ErrorCode::unavailable,
                 "the engine says that it has written the batch, but " +
                     target_.spec().url +
                     " does not hold it: it must reach the same storage under the same "
                     "path");
  }
  result.version = after.snapshot->version();
  result.rows_added = written.written_rows;
  result.schema_changes = std::move(plan.schema_changes);
  return result;
}

}  // namespace lakemill::sinks
