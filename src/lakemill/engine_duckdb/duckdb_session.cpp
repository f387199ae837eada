#include "lakemill/engine_duckdb/duckdb_session.h"

#include <condition_variable>
#include <map>
#include <thread>
#include <unordered_map>

#include <duckdb/common/random_engine.hpp>

#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/carried_column.h"
#include "lakemill/engine_duckdb/duckdb_headers.h"
#include "lakemill/engine_duckdb/error_mapping.h"
#include "lakemill/engine_duckdb/query_description.h"
#include "lakemill/engine_duckdb/session_state.h"
#include "lakemill/engine_duckdb/sql_gate.h"
#include "lakemill/engine_duckdb/text_rows_relation.h"
#include "lakemill/engine_duckdb/type_mapping.h"
#include "lakemill/engine_duckdb/write_query.h"

namespace lakemill::engine_duckdb {
namespace {

using duckdb::LogicalType;
using engine::Origin;

constexpr auto kWatchInterval = std::chrono::milliseconds(50);

// While it lives, a thread of its own interrupts the connection when a stop is
// requested, again and again because DuckDB forgets one that comes between statements,
// and reports progress.
class Watcher {
 public:
  Watcher(duckdb::ClientContext& context, const engine::SessionOptions& options)
      : context_(context), options_(options) {
    if (!options.stop.stop_possible() && !options.on_progress) return;
    thread_ = std::jthread([this](const std::stop_token& done) { watch(done); });
  }
  ~Watcher() {
    thread_.request_stop();
    changed_.notify_all();
  }
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

 private:
  void watch(const std::stop_token& done) {
    const std::stop_callback wake(options_.stop, [this] { changed_.notify_all(); });
    std::unique_lock lock(mutex_);
    while (!done.stop_requested()) {
      if (options_.stop.stop_requested()) context_.Interrupt();
      if (options_.on_progress) report();
      changed_.wait_for(lock, kWatchInterval, [&] { return done.stop_requested(); });
    }
  }
  void report() {
    auto progress = context_.GetQueryProgress();
    options_.on_progress(
        {.rows_done = static_cast<std::int64_t>(progress.GetRowsProcesseed()),
         .fraction = std::max(0.0, progress.GetPercentage() / 100.0)});
  }

  duckdb::ClientContext& context_;
  const engine::SessionOptions& options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::jthread thread_;
};

// Sets whose statement runs, for as long as it lives.
class OriginScope {
 public:
  OriginScope(SessionState& state, Origin origin) : state_(state) {
    state_.origin = origin;
  }
  ~OriginScope() { state_.origin = Origin::lakemill; }
  OriginScope(const OriginScope&) = delete;
  OriginScope& operator=(const OriginScope&) = delete;

 private:
  SessionState& state_;
};

data::Schema shown_schema(const std::vector<std::string>& names,
                          const duckdb::vector<LogicalType>& types) {
  data::Schema schema;
  for (std::size_t i = 0; i < names.size(); ++i) {
    auto type = from_duckdb(types[i], names[i]);
    schema.fields.push_back({.name = names[i],
                             .type = type ? std::move(type).value()
                                          : data::make_type(data::TypeKind::string)});
  }
  return schema;
}

// The engine would rename the second one without a word.
Status refuse_repeated(const std::vector<std::string>& names) {
  std::map<std::string, std::string> seen;
  for (const std::string& name : names) {
    const auto [first, is_new] = seen.emplace(to_lower(name), name);
    if (is_new) continue;
    const std::string both = first->second == name
                                 ? "the column " + name + " twice"
                                 : "the columns " + first->second + " and " + name;
    return Error(ErrorCode::invalid,
                 "the query gives " + both +
                     ", which a table cannot hold both; give one another name (AS …) "
                     "or leave it out (* EXCLUDE …)");
  }
  return {};
}

}  // namespace

class DuckdbSession::State {
 public:
  explicit State(duckdb::DuckDB& database)
      : connection(database),
        shared(connection.context->registered_state->GetOrCreate<SessionState>(
            SessionState::kKey)) {}

  duckdb::Connection connection;
  duckdb::shared_ptr<SessionState> shared;
  std::map<std::string, std::set<std::string>> uses;  // query → tables it names
};

DuckdbSession::DuckdbSession(std::shared_ptr<DuckdbInstance> instance,
                             engine::SessionOptions options)
    : instance_(std::move(instance)), options_(std::move(options)) {}

DuckdbSession::~DuckdbSession() = default;

Result<std::unique_ptr<DuckdbSession>> DuckdbSession::open(
    std::shared_ptr<DuckdbInstance> instance, engine::SessionOptions options) {
  auto session = std::unique_ptr<DuckdbSession>(
      new DuckdbSession(std::move(instance), std::move(options)));
  LAKEMILL_TRY_OK(run_guarded("", [&] {
    session->state_ = std::make_unique<State>(session->instance_->database());
  }));
  auto& shared = *session->state_->shared;
  shared.instance = session->instance_.get();
  shared.options = &session->options_;
  if (session->options_.on_progress) {
    for (const char* setting :
         {"SET enable_progress_bar=true", "SET enable_progress_bar_print=false",
          "SET progress_bar_time=0"}) {
      LAKEMILL_TRY_OK(session->run(setting));
    }
  }
  return session;
}

duckdb::Connection& DuckdbSession::connection() { return state_->connection; }

Status DuckdbSession::watch(const std::function<void()>& work) {
  if (options_.stop.stop_requested()) {
    return Error(ErrorCode::cancelled, "stopped on request");
  }
  auto& context = *state_->connection.context;
  duckdb::RandomEngine::Get(context).SetSeed(options_.seed);
  const Watcher watcher(context, options_);
  return run_guarded("", work);
}

Result<duckdb::unique_ptr<duckdb::MaterializedQueryResult>> DuckdbSession::run(
    std::string_view sql) {
  duckdb::unique_ptr<duckdb::MaterializedQueryResult> result;
  LAKEMILL_TRY_OK(watch([&] { result = state_->connection.Query(std::string(sql)); }));
  if (result->HasError()) return to_error(result->GetErrorObject(), sql);
  return result;
}

Status DuckdbSession::bind_reference(std::string_view name, BoundName bound) {
  if (name.empty()) return Error(ErrorCode::invalid, "a bound name is empty");
  auto& shared = *state_->shared;
  const std::string text(name);  // DuckDB keeps a reference to it
  bool taken = false;
  LAKEMILL_TRY_OK(run_guarded("", [&] {
    auto& context = *state_->connection.context;
    context.RunFunctionInTransaction([&] {
      const duckdb::EntryLookupInfo lookup(duckdb::CatalogType::TABLE_ENTRY, text);
      const auto entry =
          duckdb::Catalog::GetEntry(context, INVALID_CATALOG, INVALID_SCHEMA, lookup,
                                    duckdb::OnEntryNotFound::RETURN_NULL);
      taken = entry != nullptr && entry->type != duckdb::CatalogType::TABLE_ENTRY;
    });
  }));
  if (taken) {
    return Error(ErrorCode::invalid, "the name " + std::string(name) +
                                         " is one of the engine's own tables; "
                                         "choose another");
  }
  const auto lower = to_lower(name);
  if (const auto known = shared.spelling.find(lower);
      known != shared.spelling.end() && known->second != name) {
    return Error(ErrorCode::invalid,
                 "the names " + known->second + " and " + std::string(name) +
                     " differ only in case, which SQL does not tell apart; rename one "
                     "of them");
  }
  LAKEMILL_TRY_OK(run("DROP TABLE IF EXISTS temp.main." + quote_identifier(name)));
  const std::string before = shared.bound[lower].temporary_table;
  if (!before.empty() && before != bound.temporary_table) {
    LAKEMILL_TRY_OK(run("DROP TABLE IF EXISTS temp.main." + quote_identifier(before)));
  }
  shared.bound[lower] = std::move(bound);
  shared.spelling[lower] = std::string(name);
  shared.tables.erase(lower);
  state_->uses.erase(lower);
  return {};
}

Status DuckdbSession::bind(std::string_view name, engine::Relation relation) {
  if (const auto* files = std::get_if<engine::FilesRelation>(&relation)) {
    return bind_files(*this, name, *files);
  }
  if (const auto* rows = std::get_if<engine::RowsRelation>(&relation)) {
    return bind_rows(*this, name, *rows);
  }
  if (auto* rows = std::get_if<engine::TextRowsRelation>(&relation)) {
    return bind_text_rows(*this, name, std::move(*rows));
  }
  auto& table = std::get<engine::TableRelation>(relation);
  const auto lower = to_lower(name);
  BoundName bound;
  for (const auto& field : table.scan->schema().fields) {
    auto type = to_duckdb(field.type);
    if (!type) {
      return std::move(type).error().while_doing("table " + table.scan->table_url() +
                                                 ", column " + field.name);
    }
    bound.names.push_back(field.name);
    bound.types.push_back(std::move(type).value());
  }
  bound.hidden = {{"_lakemill_file", LogicalType::UBIGINT},
                  {"_lakemill_row", LogicalType::BIGINT}};
  bound.make_reference = [lower] { return bound_table_reference(lower); };
  LAKEMILL_TRY_OK(bind_reference(name, std::move(bound)));
  auto source = duckdb::make_shared_ptr<ScanSource>();
  source->scan = std::move(table.scan);
  source->name = std::string(name);
  state_->shared->tables[lower] = std::move(source);
  return {};
}

Status DuckdbSession::bind_query(std::string_view name, std::string_view sql,
                                 Origin origin) {
  LAKEMILL_TRY(const Select select, parse_select(name, sql, origin));
  return bind_select(name, select, sql, origin);
}

Result<bool> DuckdbSession::bind_carrying(std::string_view name, std::string_view sql,
                                          std::string_view column, Origin origin) {
  LAKEMILL_TRY(const Select select, parse_select(name, sql, origin));
  LAKEMILL_TRY_OK(bind_select(name, select, sql, origin));
  auto& shared = *state_->shared;
  const std::string twin = engine::carrying_name(name, column);
  shared.bound.erase(to_lower(twin));  // of a query that had the name before
  auto carrying =
      carry_column(*select, std::string(column),
                   [&](const std::string& table) -> std::optional<std::string> {
                     auto other = engine::carrying_name(table, column);
                     if (shared.find(other) == nullptr) return std::nullopt;
                     return other;
                   });
  if (carrying == nullptr) return false;
  {
    const OriginScope scope(shared, origin);
    const auto* bound = shared.find(name);
    const bool hands_on =
        hands_on_column(*state_->connection.context, carrying->Copy(),
                        {bound->names, bound->types}, std::string(column));
    if (!hands_on) return false;
  }
  LAKEMILL_TRY_OK(bind_select(twin, Select(carrying.release()), sql, origin));
  return true;
}

Result<DuckdbSession::Select> DuckdbSession::parse_select(std::string_view name,
                                                          std::string_view sql,
                                                          Origin origin) {
  LAKEMILL_TRY(auto statement, parse_statement(*state_->connection.context, sql, origin,
                                               instance_->options().default_catalog));
  if (statement->type != duckdb::StatementType::SELECT_STATEMENT) {
    return Error(ErrorCode::invalid, std::string(name) + " must be a SELECT");
  }
  return Select(static_cast<duckdb::SelectStatement*>(statement.release()));
}

Status DuckdbSession::bind_select(std::string_view name, const Select& select,
                                  std::string_view sql, Origin origin) {
  auto& context = *state_->connection.context;
  auto used = table_names(*select);
  const auto lower = to_lower(name);
  // Names are looked up when the query runs, so that a circle would never end.
  std::vector<std::string> next(used.begin(), used.end());
  std::set<std::string> seen;
  while (!next.empty()) {
    const auto table = next.back();
    next.pop_back();
    if (table == lower) {
      return Error(ErrorCode::invalid,
                   "the query of " + std::string(name) + " reads itself");
    }
    if (!seen.insert(table).second) continue;
    if (const auto inner = state_->uses.find(table); inner != state_->uses.end()) {
      next.insert(next.end(), inner->second.begin(), inner->second.end());
    }
  }
  BoundName bound;
  bound.is_query = true;
  {
    const OriginScope scope(*state_->shared, origin);
    LAKEMILL_TRY(auto columns,
                 check_statement(context, select->Copy(), sql, origin != Origin::user));
    if (origin == Origin::pipeline) LAKEMILL_TRY_OK(refuse_repeated(columns.names));
    bound.names = std::move(columns.names);
    bound.types = std::move(columns.types);
  }
  bound.make_reference = [select] {
    auto copy = duckdb::unique_ptr_cast<duckdb::SQLStatement, duckdb::SelectStatement>(
        select->Copy());
    return duckdb::make_uniq<duckdb::SubqueryRef>(std::move(copy));
  };
  LAKEMILL_TRY_OK(bind_reference(name, std::move(bound)));
  state_->uses[lower] = std::move(used);
  return {};
}

Result<engine::QueryShape> DuckdbSession::describe(std::string_view sql,
                                                   Origin origin) {
  auto& context = *state_->connection.context;
  LAKEMILL_TRY(auto statement, parse_statement(context, sql, origin,
                                               instance_->options().default_catalog));
  const OriginScope scope(*state_->shared, origin);
  return describe_statement(context, std::move(statement), sql);
}

Status DuckdbSession::stream(
    std::string_view sql, Origin origin,
    const std::function<bool(duckdb::QueryResult&, duckdb::DataChunk&)>& take) {
  auto& context = *state_->connection.context;
  LAKEMILL_TRY(auto statement, parse_statement(context, sql, origin,
                                               instance_->options().default_catalog));
  const OriginScope scope(*state_->shared, origin);
  Status failed;
  LAKEMILL_TRY_OK(watch([&] {
    auto result = state_->connection.SendQuery(std::move(statement));
    bool first = true;
    while (!result->HasError()) {
      auto chunk = result->Fetch();
      if (!chunk || chunk->size() == 0) {
        duckdb::DataChunk none;
        if (first && !result->HasError()) take(*result, none);
        break;
      }
      first = false;
      if (!take(*result, *chunk)) break;
    }
    if (result->HasError()) failed = to_error(result->GetErrorObject(), sql);
  }));
  return failed;
}

Result<data::Rows> DuckdbSession::query(std::string_view sql, Origin origin,
                                        std::int64_t rows_max) {
  data::Rows rows;
  LAKEMILL_TRY_OK(stream(sql, origin, [&](auto& result, auto& chunk) {
    if (rows.schema.fields.empty()) {
      rows.schema = shown_schema(result.names, result.types);
    }
    for (duckdb::idx_t row = 0; row < chunk.size(); ++row) {
      if (static_cast<std::int64_t>(rows.rows.size()) >= rows_max) return false;
      auto& values = rows.rows.emplace_back();
      values.reserve(chunk.ColumnCount());
      for (duckdb::idx_t column = 0; column < chunk.ColumnCount(); ++column) {
        values.push_back(from_duckdb(chunk.GetValue(column, row)));
      }
    }
    return static_cast<std::int64_t>(rows.rows.size()) < rows_max;
  }));
  return rows;
}

Result<std::vector<engine::FileRows>> DuckdbSession::query_positions(
    std::string_view sql) {
  const auto typed = "SELECT CAST(#1 AS UBIGINT), CAST(#2 AS UBIGINT) FROM (" +
                     std::string(sql) + "\n)";
  std::map<std::size_t, std::vector<std::uint64_t>> by_file;
  LAKEMILL_TRY_OK(stream(typed, Origin::lakemill, [&](auto&, auto& chunk) {
    if (chunk.size() == 0) return false;
    duckdb::UnifiedVectorFormat files;
    duckdb::UnifiedVectorFormat rows;
    chunk.data[0].ToUnifiedFormat(chunk.size(), files);
    chunk.data[1].ToUnifiedFormat(chunk.size(), rows);
    const auto* file_of = duckdb::UnifiedVectorFormat::GetData<std::uint64_t>(files);
    const auto* row_of = duckdb::UnifiedVectorFormat::GetData<std::uint64_t>(rows);
    std::vector<std::uint64_t>* positions = nullptr;
    std::uint64_t last_file = 0;
    for (duckdb::idx_t i = 0; i < chunk.size(); ++i) {
      const auto file_at = files.sel->get_index(i);
      const auto row_at = rows.sel->get_index(i);
      if (!files.validity.RowIsValid(file_at) || !rows.validity.RowIsValid(row_at)) {
        continue;
      }
      if (positions == nullptr || file_of[file_at] != last_file) {
        last_file = file_of[file_at];
        positions = &by_file[last_file];
      }
      positions->push_back(row_of[row_at]);
    }
    return true;
  }));
  std::vector<engine::FileRows> answer;
  for (auto& [file, positions] : by_file) {
    std::sort(positions.begin(), positions.end());
    positions.erase(std::unique(positions.begin(), positions.end()), positions.end());
    answer.push_back({.file_index = file, .positions = std::move(positions)});
  }
  return answer;
}

Result<engine::WriteResult> DuckdbSession::write(const engine::WriteSpec& spec) {
  for (const auto& check : spec.checks) {
    auto allowed = check_predicate(*state_->connection.context, check.predicate);
    if (!allowed) {
      return std::move(allowed).error().while_doing("expectation " + check.name);
    }
  }
  return write_query(*this, spec);
}

}  // namespace lakemill::engine_duckdb
