#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lakemill/dml/table_change.h"
#include "lakemill/sinks/table_sink.h"

namespace lakemill::sinks {

/// The table property that names the flow whose table this is.
inline constexpr std::string_view kOwnerProperty = "lakemill.flow";
/// How the application ids of flows begin; others (Spark's streams) are no flows.
inline constexpr std::string_view kFlowPrefix = "lakemill:";

/// A table's metadata as a batch makes it.
struct TargetPlan {
  delta::Metadata metadata;
  std::vector<std::string> schema_changes;
  /// What the table is to be clustered by; nothing: what it is.
  std::optional<delta::ClusteringColumns> clustering = std::nullopt;
};

/// What becomes of the rows that a table holds, and with them of its metadata.
enum class OldRows : std::uint8_t {
  stay,
  go,
  begin_anew,  ///< they go, and all is declared anew
};

/// The Delta table of a sink: whose it is, what its metadata becomes, how it is
/// committed to.
///
/// Not thread-safe. Borrows the services.
class TargetTable {
 public:
  TargetTable(TableSinkSpec spec, SinkServices services);

  /// Errors: those of the store provider.
  Result<delta::Table*> table();
  const TableSinkSpec& spec() const { return spec_; }
  const SinkServices& services() const { return services_; }

  /// The batch of `app_id` in the table, or nothing.
  /// Errors: invalid (the table is another flow's).
  Result<std::optional<std::int64_t>> last_batch(std::string_view app_id);

  /// What the metadata becomes when rows of `query` are written for `app_id`; the
  /// schema rules are the spec's. `snapshot` is null where there is no table.
  /// Errors: invalid.
  Result<TargetPlan> plan(const delta::Snapshot* snapshot, const data::Schema& query,
                          std::string_view app_id, OldRows rows) const;

  /// What becomes of the rows that are there when `batch` is written by a sink that
  /// replaces them anyway, or not.
  OldRows old_rows(const delta::Snapshot* snapshot, const Batch& batch,
                   bool replaces) const;

  /// True if the table holds batches of an earlier generation of this flow only: a full
  /// refresh begins, and no row of before stays. A shared table keeps others' rows.
  bool begins_generation(const delta::Snapshot* snapshot, const Batch& batch) const;

  /// As Sink::describe().
  Result<Description> describe(engine::Session& session, const Batch& batch);

  /// As Sink::take_over().
  Result<std::int64_t> take_over(engine::Session& session, const Batch& batch);

  /// What change_table() needs to commit `batch`.
  Result<dml::ChangeContext> context(engine::Session& session, const Batch& batch);

  /// Keeps the log short: a checkpoint when one is due. Its failure is no failure of
  /// the batch, which is committed.
  Status maintain(delta::Version committed);

  /// The same, and writes small files together once they are many. Comes after the
  /// batch's commit, as a commit of its own that changes no rows.
  Status maintain_files(engine::Session& session, const Batch& batch,
                        delta::Version committed);

 private:
  Status check_owner(const delta::Snapshot& snapshot, std::string_view app_id) const;
  Status check_is_there(const delta::Snapshot* snapshot, std::string_view app_id) const;
  /// `before`: of the table that it stands in for, or null.
  Result<TargetPlan> new_table(const data::Schema& query, std::string_view app_id,
                               const delta::Metadata* before) const;
  Result<TargetPlan> plan_anew(const delta::Snapshot& snapshot,
                               const data::Schema& query,
                               std::string_view app_id) const;
  Result<TargetPlan> plan_evolution(const delta::Snapshot& snapshot,
                                    const data::Schema& query, std::string_view app_id,
                                    OldRows rows) const;
  Result<TargetPlan> plan_description(const delta::Snapshot& snapshot) const;
  Status plan_clustering(const delta::Snapshot* snapshot, OldRows rows,
                         TargetPlan& plan) const;
  Status check_partitioning(delta::Metadata& metadata) const;
  Status plan_partitioning(delta::Metadata& metadata, bool replaces_rows,
                           std::vector<std::string>& changes) const;

  TableSinkSpec spec_;
  SinkServices services_;
  std::shared_ptr<delta::Table> table_;
};

/// What SinkResult::upkeep_error says of it.
std::string upkeep_error(const Status& upkeep);

/// commitInfo of a batch: `operation` is Delta's name, `mode` its parameter.
Json commit_details(const Batch& batch, const Json& parameters, const Json& metrics);

}  // namespace lakemill::sinks
