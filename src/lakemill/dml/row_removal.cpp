#include "lakemill/dml/row_removal.h"

#include <map>

#include "lakemill/base/text.h"
#include "lakemill/delta/file_path.h"
#include "lakemill/delta/transaction.h"
#include "lakemill/dml/data_files.h"
#include "lakemill/dml/held_rows.h"
#include "lakemill/dml/rows_left.h"

namespace lakemill::dml {
namespace {

bool has_deletion_vectors(const delta::Metadata& metadata) {
  const auto found = metadata.configuration.find("delta.enableDeletionVectors");
  return found != metadata.configuration.end() && to_lower(found->second) == "true";
}

/// The log's entry of each file that `rows` names, in that order.
Result<std::vector<const delta::AddFile*>> entries_of(
    const TableState& state, const std::vector<engine::FileRows>& rows) {
  std::map<std::string, const delta::AddFile*> by_path;
  for (const delta::AddFile& file : state.snapshot->files()) {
    by_path[delta::decoded_path(file.path)] = &file;
  }
  std::vector<const delta::AddFile*> entries;
  for (const engine::FileRows& of_file : rows) {
    const std::string& path = state.scan->files().at(of_file.file_index).path;
    const auto found = by_path.find(path);
    if (found == by_path.end()) {
      return Error(ErrorCode::corrupt, "no file " + path + " in version " +
                                           std::to_string(state.snapshot->version()) +
                                           " of " + state.scan->table_url());
    }
    entries.push_back(found->second);
  }
  return entries;
}

Result<std::vector<delta::Action>> rewrite_files(
    const ChangeContext& context, const TableState& state,
    const std::vector<engine::FileRows>& rows,
    const std::vector<const delta::AddFile*>& entries,
    const delta::ClusteringColumns& clustering) {
  const std::string name = "_lakemill_left_" + make_uuid(context.random);
  LAKEMILL_TRY_OK(
      context.session.bind(name, engine::TableRelation{rows_left(state.scan, rows)}));
  const delta::Metadata& metadata = state.snapshot->metadata();
  engine::WriteSpec spec;
  spec.sql = "SELECT * FROM " + quote_identifier(name);
  spec.target = held_rows_target(context.table, metadata, context.layout);
  LAKEMILL_TRY(const engine::WriteResult written, context.session.write(spec));

  const Instant now = context.clock.now();
  std::vector<delta::Action> actions;
  for (const delta::AddFile* entry : entries) {
    delta::RemoveFile remove = delta::removal_of(*entry);
    remove.deletion_timestamp_ms = to_epoch_ms(now);
    actions.emplace_back(std::move(remove));
  }
  LAKEMILL_TRY(std::vector<delta::AddFile> added,
               to_add_files(written.files, metadata, clustering, now));
  for (delta::AddFile& file : added) actions.emplace_back(std::move(file));
  return actions;
}

}  // namespace

Result<std::vector<delta::Action>> remove_rows(
    const ChangeContext& context, const TableState& state,
    const std::vector<engine::FileRows>& rows,
    const delta::ClusteringColumns& clustering) {
  if (rows.empty()) return std::vector<delta::Action>{};
  LAKEMILL_TRY(const std::vector<const delta::AddFile*> entries,
               entries_of(state, rows));
  const bool has_vectors = has_deletion_vectors(state.snapshot->metadata());
  std::map<std::string, std::vector<std::uint64_t>> positions;
  std::vector<engine::FileRows> rewritten;
  std::vector<const delta::AddFile*> rewritten_entries;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    // A vector needs a file whose log entry tells how many rows it has.
    if (has_vectors && state.scan->files().at(rows[i].file_index).row_count) {
      positions[entries[i]->path] = rows[i].positions;
    } else {
      rewritten.push_back(rows[i]);
      rewritten_entries.push_back(entries[i]);
    }
  }
  std::vector<delta::Action> actions;
  if (!positions.empty()) {
    LAKEMILL_TRY(actions, delta::delete_rows(context.table, *state.snapshot, positions,
                                             context.clock, context.random));
  }
  if (rewritten.empty()) return actions;
  LAKEMILL_TRY(std::vector<delta::Action> more,
               rewrite_files(context, state, rewritten, rewritten_entries, clustering));
  actions.insert(actions.end(), std::make_move_iterator(more.begin()),
                 std::make_move_iterator(more.end()));
  return actions;
}

}  // namespace lakemill::dml
