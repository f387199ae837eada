#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/data/type.h"

namespace lakemill::engine {

/// One commit to a Delta table by the engine itself, which carries (app_id,
/// transaction_version) as Delta's txn and does nothing where the table holds that one
/// or a newer one of the app.
struct TableCommit {
  std::string table_url;
  /// What the table must hold: columns of the query are matched by name and cast; a
  /// column the query lacks is null; a column the table lacks is added.
  data::Schema schema;
  bool creates = false;          ///< there is no table yet; else there is one
  bool replaces_rows = false;    ///< else the rows are appended
  bool replaces_schema = false;  ///< with replaces_rows: types or partitions change too
  std::vector<std::string> partition_by;
  std::map<std::string, std::string> properties;  ///< that are new or change
  std::optional<std::string> comment;             ///< of a new table
  std::string app_id;
  std::int64_t transaction_version = 0;
  std::string note;  ///< JSON; commitInfo.userMetadata
};

/// What a Session is besides if its engine writes tables by itself, on machines that
/// this process does not see. Such a session stages rows in TemporaryTargets.
class TableCommitter {
 public:
  virtual ~TableCommitter() = default;

  /// Commits the rows of a query of ours. What was committed stands in the table's log.
  /// Errors: those of Session; unavailable (another writer was faster; repeat).
  virtual Status commit_table(std::string_view sql, const TableCommit& commit) = 0;
};

}  // namespace lakemill::engine
