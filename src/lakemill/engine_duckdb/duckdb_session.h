#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <duckdb.hpp>

#include "lakemill/engine/engine.h"
#include "lakemill/engine_duckdb/duckdb_instance.h"

namespace lakemill::engine_duckdb {

class DuckdbSession;

/// What stands for a bound name in a statement. Called while DuckDB binds, each time
/// the name is used; may throw DuckDB's exceptions.
///
/// A reference may call table functions whose names begin with `lakemill_`, which
/// pipeline SQL can not name itself: `lakemill_read_csv`, `lakemill_read_json`,
/// `lakemill_read_parquet`, `lakemill_read_text`, `lakemill_read_blob` are DuckDB's own
/// readers under such names.
using ReferenceFactory = std::function<duckdb::unique_ptr<duckdb::TableRef>()>;

/// A name bound in a session, as describe() needs it: columns are told without opening
/// a file.
struct BoundName {
  ReferenceFactory make_reference;
  /// Columns; if empty, describe() binds the reference itself.
  std::vector<std::string> names;
  duckdb::vector<duckdb::LogicalType> types;
  /// Hidden columns that `SELECT *` leaves out.
  std::vector<std::pair<std::string, duckdb::LogicalType>> hidden;
  /// The temporary table of ours that it stands for, which goes when the name is bound
  /// to something else; or empty.
  std::string temporary_table;
  /// A query bound by its text: describe() binds it, and lineage goes through it.
  bool is_query = false;
};

/// engine::Session over one DuckDB connection.
///
/// Not thread-safe. Holds its instance.
class DuckdbSession final : public engine::Session {
 public:
  static Result<std::unique_ptr<DuckdbSession>> open(
      std::shared_ptr<DuckdbInstance> instance, engine::SessionOptions options);
  ~DuckdbSession() override;

  Status bind(std::string_view name, engine::Relation relation) override;
  Status bind_query(std::string_view name, std::string_view sql,
                    engine::Origin origin) override;
  Result<bool> bind_carrying(std::string_view name, std::string_view sql,
                             std::string_view column, engine::Origin origin) override;
  Result<engine::QueryShape> describe(std::string_view sql,
                                      engine::Origin origin) override;
  Result<data::Rows> query(std::string_view sql, engine::Origin origin,
                           std::int64_t rows_max) override;
  Result<std::vector<engine::FileRows>> query_positions(std::string_view sql) override;
  Result<engine::WriteResult> write(const engine::WriteSpec& spec) override;

  // What the files of this module share.

  /// Makes `name` (any text, ASCII case ignored) a table of this session.
  Status bind_reference(std::string_view name, BoundName bound);

  /// Runs one statement of ours (any kind) to its end; a stop request interrupts it,
  /// and progress is reported while it runs.
  Result<duckdb::unique_ptr<duckdb::MaterializedQueryResult>> run(std::string_view sql);

  /// Calls `work` as one statement of ours runs: with the stop watcher and progress,
  /// and what it throws turned into an error (code and cleaned message).
  Status watch(const std::function<void()>& work);

  /// Runs one statement of `origin` and hands its rows over as they come, until `take`
  /// answers false; an answer without rows is handed over once, as an empty chunk.
  Status stream(
      std::string_view sql, engine::Origin origin,
      const std::function<bool(duckdb::QueryResult&, duckdb::DataChunk&)>& take);

  duckdb::Connection& connection();
  DuckdbInstance& instance() { return *instance_; }
  const engine::SessionOptions& options() const { return options_; }

 private:
  class State;
  using Select = duckdb::shared_ptr<duckdb::SelectStatement>;

  Result<Select> parse_select(std::string_view name, std::string_view sql,
                              engine::Origin origin);
  /// Checks a parsed query, and makes it a view; `sql` is for messages.
  Status bind_select(std::string_view name, const Select& select, std::string_view sql,
                     engine::Origin origin);

  DuckdbSession(std::shared_ptr<DuckdbInstance> instance,
                engine::SessionOptions options);

  std::shared_ptr<DuckdbInstance> instance_;
  engine::SessionOptions options_;
  std::unique_ptr<State> state_;
};

// The writing half, called by the members of DuckdbSession and at start.

/// files_relation.cpp: binds raw files under `name` by bind_reference().
Status bind_files(DuckdbSession& session, std::string_view name,
                  const engine::FilesRelation& files);
/// files_relation.cpp: what Engine::schema_of answers.
Result<data::Schema> schema_of_files(DuckdbSession& session,
                                     const engine::FilesRelation& files);
/// rows_relation.cpp.
Status bind_rows(DuckdbSession& session, std::string_view name,
                 const engine::RowsRelation& rows);
/// write_query.cpp: Session::write.
Result<engine::WriteResult> write_query(DuckdbSession& session,
                                        const engine::WriteSpec& spec);
/// sql_functions.cpp, row_checks.cpp: adds functions of ours to the system catalog of a
/// new instance; a transaction is open on `connection`. May throw DuckDB's exceptions.
void register_sql_functions(duckdb::Connection& connection);
void register_row_checks(duckdb::Connection& connection);

}  // namespace lakemill::engine_duckdb
