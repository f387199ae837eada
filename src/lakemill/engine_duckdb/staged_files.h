#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lakemill/engine/write_spec.h"
#include "lakemill/engine_duckdb/column_conformance.h"
#include "lakemill/engine_duckdb/duckdb_session.h"

namespace lakemill::engine_duckdb {

/// A query of ours whose rows go to a target.
struct RowsToWrite {
  std::string sql;
  QueryColumns columns;
};

/// Rows that lie where they belong, or under a temporary name beside it.
///
/// discard() takes them away again; publish() gives them their final name. Exactly one
/// of the two is called; both are best effort after an error.
class StagedRows {
 public:
  StagedRows() = default;

  const std::vector<engine::WrittenFile>& files() const { return files_; }
  std::int64_t row_count() const { return row_count_; }

  Status publish(DuckdbSession& session);
  void discard(DuckdbSession& session);

 private:
  friend Result<StagedRows> stage_table_files(DuckdbSession& session,
                                              const RowsToWrite& rows,
                                              const engine::TableFilesTarget& target);
  friend Result<StagedRows> stage_file(DuckdbSession& session, const RowsToWrite& rows,
                                       const engine::FileTarget& target);
  friend Result<StagedRows> stage_temporary(DuckdbSession& session,
                                            const RowsToWrite& rows,
                                            const engine::TemporaryTarget& target);

  std::vector<engine::WrittenFile> files_;
  std::int64_t row_count_ = 0;
  std::vector<std::string> paths_;  // of files(), as DuckDB opens them
  std::string final_path_;          // set: paths_[0] is to be renamed to it
  std::string temporary_table_;     // set: the name it is bound to is temporary_name_
  std::string temporary_name_;
  QueryColumns temporary_columns_;
};

/// Writes Parquet data files into a table's folder. No row, no file.
Result<StagedRows> stage_table_files(DuckdbSession& session, const RowsToWrite& rows,
                                     const engine::TableFilesTarget& target);

/// Writes one file under a temporary name in its folder. Errors: unsupported (formats
/// that are only read).
Result<StagedRows> stage_file(DuckdbSession& session, const RowsToWrite& rows,
                              const engine::FileTarget& target);

/// Keeps the rows in the session, in memory and, where that ends, on disk.
Result<StagedRows> stage_temporary(DuckdbSession& session, const RowsToWrite& rows,
                                   const engine::TemporaryTarget& target);

Result<StagedRows> stage(DuckdbSession& session, const RowsToWrite& rows,
                         const engine::WriteTarget& target);

}  // namespace lakemill::engine_duckdb
