#include "lakemill/engine_duckdb/staged_files.h"

#include <duckdb/parser/tableref/basetableref.hpp>

#include "lakemill/base/random.h"
#include "lakemill/base/text.h"

namespace lakemill::engine_duckdb {

Status StagedRows::publish(DuckdbSession& session) {
  if (!final_path_.empty()) {
    auto& files = duckdb::FileSystem::GetFileSystem(*session.connection().context);
    auto moved = session.watch([&] { files.MoveFile(paths_[0], final_path_); });
    if (!moved) {
      discard(session);
      return std::move(moved).error().while_doing("write " + final_path_);
    }
    paths_[0] = final_path_;
  }
  if (temporary_table_.empty()) return {};
  BoundName bound;
  bound.make_reference = [table = temporary_table_] {
    auto reference = duckdb::make_uniq<duckdb::BaseTableRef>();
    reference->catalog_name = TEMP_CATALOG;
    reference->schema_name = DEFAULT_SCHEMA;
    reference->table_name = table;
    return duckdb::unique_ptr<duckdb::TableRef>(std::move(reference));
  };
  bound.names = temporary_columns_.names;
  bound.types = temporary_columns_.types;
  bound.temporary_table = temporary_table_;
  return session.bind_reference(temporary_name_, std::move(bound));
}

void StagedRows::discard(DuckdbSession& session) {
  auto& files = duckdb::FileSystem::GetFileSystem(*session.connection().context);
  for (const std::string& path : paths_) {
    // Best effort: what stays behind is named by no commit.
    (void)session.watch([&] { files.TryRemoveFile(path); });
  }
  paths_.clear();
  if (!temporary_table_.empty()) {
    (void)session.run("DROP TABLE IF EXISTS temp." +
                      quote_identifier(temporary_table_));
  }
}

Result<StagedRows> stage_temporary(DuckdbSession& session, const RowsToWrite& rows,
                                   const engine::TemporaryTarget& target) {
  SystemRandom random;
  StagedRows staged;
  staged.temporary_table_ = "_lakemill_" + make_uuid(random);
  staged.temporary_name_ = target.name;
  staged.temporary_columns_ = rows.columns;
  LAKEMILL_TRY(
      const auto created,
      session.run("CREATE TEMP TABLE " + quote_identifier(staged.temporary_table_) +
                  " AS " + rows.sql));
  if (created->RowCount() == 1) {
    staged.row_count_ = created->GetValue(0, 0).GetValue<std::int64_t>();
  }
  return staged;
}

Result<StagedRows> stage(DuckdbSession& session, const RowsToWrite& rows,
                         const engine::WriteTarget& target) {
  if (const auto* files = std::get_if<engine::TableFilesTarget>(&target)) {
    return stage_table_files(session, rows, *files);
  }
  if (const auto* file = std::get_if<engine::FileTarget>(&target)) {
    return stage_file(session, rows, *file);
  }
  return stage_temporary(session, rows, std::get<engine::TemporaryTarget>(target));
}

}  // namespace lakemill::engine_duckdb
