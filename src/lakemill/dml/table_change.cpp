#include "lakemill/dml/table_change.h"

#include <algorithm>
#include <set>
#include <utility>
#include <variant>

#include "lakemill/base/text.h"
#include "lakemill/delta/deletion_vector.h"
#include "lakemill/delta/file_path.h"
#include "lakemill/delta/table_properties.h"
#include "lakemill/dml/change_files.h"
#include "lakemill/dml/data_files.h"
#include "lakemill/dml/row_removal.h"

namespace lakemill::dml {
namespace {

std::unique_ptr<delta::Transaction> begin(delta::Table& table, const TableState& state,
                                          const TableChange& change) {
  if (state.snapshot != nullptr) {
    auto transaction = std::make_unique<delta::Transaction>(table, state.snapshot);
    if (!(change.metadata == state.snapshot->metadata())) {
      transaction->set_metadata(change.metadata);
    }
    return transaction;
  }
  return std::make_unique<delta::Transaction>(
      table, delta::NewTable{change.metadata.schema, change.metadata.partition_columns,
                             change.metadata.configuration, change.metadata.name,
                             change.metadata.description});
}

// What a removal wrote: files anew, and deletion vectors.
void collect_staged(delta::Table& table, const std::vector<delta::Action>& removals,
                    std::vector<engine::WrittenFile>& staged) {
  std::set<std::string> removed;
  for (const delta::Action& action : removals) {
    const auto* remove = std::get_if<delta::RemoveFile>(&action);
    if (remove != nullptr) removed.insert(remove->path);
  }
  const auto add_path = [&](std::string path) {
    staged.emplace_back();
    staged.back().path = std::move(path);
  };
  for (const delta::Action& action : removals) {
    const auto* add = std::get_if<delta::AddFile>(&action);
    if (add == nullptr) continue;
    if (!removed.contains(add->path)) {
      add_path(delta::decoded_path(add->path));
    } else if (add->deletion_vector) {
      auto path = delta::deletion_vector_path(table.store(), *add->deletion_vector);
      if (path) add_path(std::move(*path));
    }
  }
}

// What the table is clustered by behind the change.
Result<delta::ClusteringColumns> clustering_after(const TableState& state,
                                                  const TableChange& change) {
  if (change.clustering) return *change.clustering;
  if (state.snapshot == nullptr) return delta::ClusteringColumns();
  return delta::clustering_columns(*state.snapshot);
}

// The protocol wants statistics of clustering columns in every file.
Status check_statistics(const TableState& state, const TableChange& change,
                        const delta::ClusteringColumns& clustering) {
  if (state.snapshot == nullptr || change.replaces_rows) return {};
  const auto& files = state.snapshot->files();
  const auto lacking = std::ranges::count_if(files, [&](const delta::AddFile& file) {
    return !delta::has_statistics_of(file, clustering);
  });
  if (lacking == 0) return {};
  return Error(
      ErrorCode::unsupported,
      "the table cannot be clustered by (" +
          join(delta::clustering_names(clustering, change.metadata.schema), ", ") +
          "): " + std::to_string(lacking) + " of its " + std::to_string(files.size()) +
          " files have no statistics of these columns; cluster by others, or write "
          "the table anew with --full-refresh");
}

Status set_clustering(const TableState& state, const TableChange& change,
                      delta::Transaction& transaction) {
  if (!change.clustering) return {};
  delta::ClusteringColumns held;
  if (state.snapshot != nullptr) {
    LAKEMILL_TRY(held, delta::clustering_columns(*state.snapshot));
  }
  if (held == *change.clustering) return {};
  LAKEMILL_TRY_OK(check_statistics(state, change, *change.clustering));
  transaction.set_domain(delta::clustering_domain(*change.clustering));
  return {};
}

bool changes_clustering(const TableState& state, const TableChange& change) {
  if (!change.clustering || state.snapshot == nullptr) return false;
  const auto held = delta::clustering_columns(*state.snapshot);
  return !held || *held != *change.clustering;
}

// `staged`: gets the files that this attempt writes beside those of the change.
Result<delta::CommitOutcome> try_commit(const ChangeContext& context,
                                        const TableState& state,
                                        const TableChange& change,
                                        std::vector<engine::WrittenFile>& staged) {
  const auto transaction = begin(context.table, state, change);
  if (change.replaces_rows && state.snapshot != nullptr) transaction->remove_all();
  LAKEMILL_TRY(const delta::ClusteringColumns clustering,
               clustering_after(state, change));
  LAKEMILL_TRY_OK(set_clustering(state, change, *transaction));
  LAKEMILL_TRY(const std::vector<delta::Action> removals,
               remove_rows(context, state, change.removed, clustering));
  collect_staged(context.table, removals, staged);
  for (const delta::Action& action : removals) {
    if (const auto* add = std::get_if<delta::AddFile>(&action)) transaction->add(*add);
    if (const auto* remove = std::get_if<delta::RemoveFile>(&action)) {
      transaction->remove(*remove);
    }
  }
  LAKEMILL_TRY(
      std::vector<delta::AddFile> added,
      to_add_files(change.added, change.metadata, clustering, context.clock.now()));
  for (delta::AddFile& file : added) transaction->add(std::move(file));
  if (needs_change_files(state, change)) {
    LAKEMILL_TRY(const auto written, write_change_files(context, state, change));
    staged.insert(staged.end(), written.begin(), written.end());
    LAKEMILL_TRY(const auto cdc_files,
                 to_cdc_files(written, change.metadata, context.clock.now()));
    for (const delta::AddCdcFile& file : cdc_files) transaction->add_cdc(file);
  }
  // Files that others add meanwhile may lack what the new clustering asks for.
  transaction->read(changes_clustering(state, change) ? delta::ReadScope::table
                                                      : change.scope);
  if (!change.read_where.empty()) transaction->read_where(change.read_where);
  if (!context.app_id.empty()) {
    transaction->set_transaction(context.app_id, context.transaction_version);
  }
  return transaction->commit(change.operation, change.details, context.clock,
                             context.random);
}

// Files that no commit names, nor will. Best effort: whoever cleans the folder finds
// what stays.
void discard(delta::Table& table, const std::vector<engine::WrittenFile>& files) {
  for (const engine::WrittenFile& file : files) (void)table.store().remove(file.path);
}

// Those of `files` that `kept` does not have: a change may come back with the same
// files.
std::vector<engine::WrittenFile> without(std::vector<engine::WrittenFile> files,
                                         const std::vector<engine::WrittenFile>& kept) {
  std::set<std::string> paths;
  for (const engine::WrittenFile& file : kept) paths.insert(file.path);
  std::erase_if(files, [&](const auto& file) { return paths.contains(file.path); });
  return files;
}

}  // namespace

Result<TableState> state_of(delta::Table& table) {
  auto snapshot = table.latest();
  if (!snapshot) {
    if (snapshot.error().code() == ErrorCode::not_found) return TableState{};
    return std::move(snapshot).error();
  }
  TableState state{std::move(snapshot).value(), nullptr};
  LAKEMILL_TRY(state.scan, state.snapshot->scan());
  return state;
}

engine::TableFilesTarget files_target(const delta::Table& table,
                                      const delta::Metadata& metadata,
                                      const FileLayout& layout) {
  engine::TableFilesTarget target;
  target.folder_url = table.store().url();
  target.file_prefix = layout.prefix;
  target.schema = metadata.schema;
  const auto mode = metadata.configuration.find("delta.columnMapping.mode");
  target.column_mapping_mode =
      mode == metadata.configuration.end() ? "none" : mode->second;
  target.partition_by = metadata.partition_columns;
  target.target_file_bytes =
      delta::target_file_bytes(metadata, layout.target_file_bytes);
  target.compression = layout.compression;
  target.parquet_version = layout.parquet_version;
  return target;
}

Result<ChangeOutcome> change_table(const ChangeContext& context,
                                   const PlanChange& plan) {
  std::string lost_to;
  std::vector<engine::WrittenFile> lost;  // files of attempts that lost a race
  for (int attempt = 0; attempt < kChangeAttemptsMax; ++attempt) {
    LAKEMILL_TRY(const TableState state, state_of(context.table));
    if (state.snapshot != nullptr && !context.app_id.empty()) {
      const auto held = state.snapshot->transaction(context.app_id);
      if (held && *held >= context.transaction_version) {
        return ChangeOutcome{true, state.snapshot->version()};
      }
    }
    LAKEMILL_TRY(const TableChange change, plan(state));
    std::vector<engine::WrittenFile> staged;
    const auto outcome = try_commit(context, state, change, staged);
    if (!outcome) {
      discard(context.table, staged);
      // The caller may repeat a change that can still succeed: with the same files.
      if (!outcome.error().retryable()) discard(context.table, change.added);
      return outcome.error();
    }
    if (const auto* committed = std::get_if<delta::Committed>(&*outcome)) {
      discard(context.table, without(std::move(lost), change.added));
      return ChangeOutcome{false, committed->version};
    }
    if (const auto* undecided = std::get_if<delta::Undecided>(&*outcome)) {
      return Error(ErrorCode::unavailable,
                   "version " + std::to_string(undecided->version) + " of " +
                       context.table.store().url() +
                       " was sent and not answered: repeat the batch");
    }
    const auto& conflict = std::get<delta::Conflicted>(*outcome);
    discard(context.table, staged);
    lost.insert(lost.end(), change.added.begin(), change.added.end());
    lost_to = "version " + std::to_string(conflict.version) + ": " + conflict.reason;
  }
  return Error(ErrorCode::unavailable,
               "gave up changing " + context.table.store().url() + " after " +
                   std::to_string(kChangeAttemptsMax) + " lost races, the last to " +
                   lost_to + ": repeat the batch");
}

}  // namespace lakemill::dml
