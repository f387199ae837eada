#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lakemill/base/clock.h"
#include "lakemill/base/random.h"
#include "lakemill/delta/transaction.h"
#include "lakemill/engine/engine.h"

namespace lakemill::dml {

/// A table as a change finds it.
struct TableState {
  std::shared_ptr<const delta::Snapshot> snapshot;  ///< null: there is no table yet
  std::shared_ptr<const data::TableScan> scan;      ///< null with it
};

/// What one commit does to a table.
struct TableChange {
  delta::Metadata metadata;  ///< as it shall be; of a new table, or changed or not
  /// What the table is to be clustered by; nothing: what it is.
  std::optional<delta::ClusteringColumns> clustering = std::nullopt;
  bool replaces_rows = false;              ///< every row of before goes
  std::vector<engine::FileRows> removed;   ///< rows of the state's scan that go
  std::vector<engine::WrittenFile> added;  ///< files that come
  /// Columns that tell rows apart: in a change data feed a row that goes and one that
  /// comes with equal values in them are one update. None: rows only go and come.
  std::vector<std::string> keys = {};
  delta::ReadScope scope = delta::ReadScope::none;
  std::vector<data::Comparison> read_where;  ///< with scope `files`
  std::string operation;                     ///< of commitInfo: "WRITE", "MERGE"
  Json details = Json::object();             ///< further members of commitInfo
};

/// Finds out what to change. Called again, on the newer state, when another writer was
/// faster; must then give a change that fits that state.
using PlanChange = std::function<Result<TableChange>(const TableState&)>;

/// How files are written, where a removal rewrites some.
struct FileLayout {
  std::string prefix = "part-";
  std::int64_t target_file_bytes = 128 << 20;  ///< where the table sets none
  std::string compression = "zstd";
  int parquet_version = 1;  ///< 2: smaller and quicker, not read by every old reader
};

/// Who changes what, and with what.
struct ChangeContext {
  engine::Session& session;
  delta::Table& table;
  Clock& clock;
  Random& random;
  std::string app_id;                    ///< Delta's txn.appId; empty: no txn
  std::int64_t transaction_version = 0;  ///< txn.version
  FileLayout layout;
};

struct ChangeOutcome {
  bool already_held = false;  ///< the table holds this txn or a newer one of its app
  delta::Version version = -1;
};

/// How often a change is planned anew before it is given up.
inline constexpr int kChangeAttemptsMax = 100;

/// Plans a change on the newest state and commits it; a lost race plans it again.
///
/// Rows are removed by deletion vectors where the table has
/// `delta.enableDeletionVectors`, else the files that hold them are rewritten. Where
/// the table has `delta.enableChangeDataFeed`, changed rows are written to change
/// files. Files of attempts that lost a race, and of a change that can never be
/// committed, are removed. Errors: those of `plan` and of the store; unavailable (the
/// commit is undecided, or lost every race; the same change may be repeated).
Result<ChangeOutcome> change_table(const ChangeContext& context,
                                   const PlanChange& plan);

/// The newest state of a table, both members null where there is none.
Result<TableState> state_of(delta::Table& table);

/// Where an engine writes files of a table with that metadata.
engine::TableFilesTarget files_target(const delta::Table& table,
                                      const delta::Metadata& metadata,
                                      const FileLayout& layout);

}  // namespace lakemill::dml
