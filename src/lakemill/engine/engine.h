#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/base/clock.h"
#include "lakemill/data/value.h"
#include "lakemill/engine/query_shape.h"
#include "lakemill/engine/relation.h"
#include "lakemill/engine/write_spec.h"

namespace lakemill::engine {

/// Who wrote a statement, which decides what it may do.
enum class Origin : std::uint8_t {
  lakemill,  ///< our own text
  pipeline,  ///< pipeline and test SQL: one SELECT over bound names, catalog tables,
             ///< delta_scan, table_history and table_changes inside the project's roots
  user,      ///< `lakemill query`: one SELECT; may read what the process may read
};

/// How far a statement has come.
struct Progress {
  std::int64_t rows_done = 0;
  double fraction = 0;           ///< 0..1
  std::int64_t bytes_total = 0;  ///< of the files that are read; 0 while unknown
};

struct SessionOptions {
  Instant now;             ///< what now() and current_timestamp give: the batch instant
  std::uint64_t seed = 0;  ///< of random()
  std::stop_token stop;  ///< a stop request interrupts the running statement: cancelled
  std::function<void(const Progress&)>
      on_progress;  ///< may be empty; called from another thread
  /// The version at which statements see a catalog table (by its full name) or a
  /// table's root that they name without one; others are seen at their newest.
  std::map<std::string, std::int64_t> pinned_versions;
  /// What relative paths in SQL are relative to; empty: the engine's own folder.
  std::string base_folder;
  /// Whether files that the log of a table names must lie below the table's root or in
  /// the engine's roots whoever wrote the statement, as for Origin::pipeline.
  bool confined = false;
};

/// Positions of rows in the files of a TableRelation.
struct FileRows {
  std::size_t file_index = 0;            ///< in scan->files()
  std::vector<std::uint64_t> positions;  ///< ascending, distinct
};

/// What a relation is bound as with a column that it carries (Session::bind_carrying).
inline std::string carrying_name(std::string_view relation, std::string_view column) {
  return std::string(column) + " of " + std::string(relation);
}

/// One conversation with an engine: names that are bound in it are seen by no other.
///
/// Not thread-safe; sessions of one engine may run at the same time.
/// Errors of all that run SQL: invalid (with the engine's message and place), denied
/// (the origin may not do this), cancelled, unavailable (memory or disk at an end).
class Session {
 public:
  virtual ~Session() = default;

  /// Makes `relation` a table of that name, replacing one bound before.
  virtual Status bind(std::string_view name, Relation relation) = 0;

  /// Makes a query a view of that name. Its text is checked for `origin`.
  virtual Status bind_query(std::string_view name, std::string_view sql,
                            Origin origin) = 0;

  /// The same; and where relations that the query reads carry `column` (a VARCHAR of
  /// which its author knows nothing), so does `name` if each of its rows comes from one
  /// row of such a relation: true then. A relation carries it if carrying_name() of it
  /// is bound to the same rows with the column behind the others.
  virtual Result<bool> bind_carrying(std::string_view name, std::string_view sql,
                                     std::string_view column, Origin origin) {
    (void)column;
    auto bound = bind_query(name, sql, origin);
    if (!bound) return std::move(bound).error();
    return false;
  }

  /// Binds a query without running it.
  virtual Result<QueryShape> describe(std::string_view sql, Origin origin) = 0;

  /// Runs a query and gives its rows; more than `rows_max` rows are cut off.
  virtual Result<data::Rows> query(std::string_view sql, Origin origin,
                                   std::int64_t rows_max) = 0;

  /// Runs a query whose columns are (file index, row position) of TableRelations.
  virtual Result<std::vector<FileRows>> query_positions(std::string_view sql) = 0;

  /// Runs a query of ours in one pass into files. On an error nothing is left at the
  /// target, except that table files not named in a commit may remain until vacuum.
  virtual Result<WriteResult> write(const WriteSpec& spec) = 0;
};

/// What runs SQL.
///
/// Thread-safety: concurrent calls are allowed.
class Engine {
 public:
  virtual ~Engine() = default;
  virtual Result<std::unique_ptr<Session>> open_session(SessionOptions options) = 0;

  /// The schema that the files of a relation have together. Errors: invalid, naming the
  /// file and what is wrong in it.
  virtual Result<data::Schema> schema_of(const FilesRelation& files) = 0;
};

}  // namespace lakemill::engine
