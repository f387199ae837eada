#include "table_fixture.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <random>

#include "lakemill/dml/schema_evolution.h"

namespace lakemill::dml {

namespace {

constexpr std::int64_t kRowsMax = 1'000'000;

std::string typed(const std::string& values) {
  return "SELECT id::BIGINT AS id, part::VARCHAR AS part, v::BIGINT AS v FROM "
         "(VALUES " +
         values + ") AS s(id, part, v)";
}

}  // namespace

TableWorld::TableWorld(storage::StoreProvider& stores, Clock& clock, std::uint64_t seed)
    : clock_(clock),
      random_(seed),
      checkpoints_(engine_duckdb::make_checkpoint_format(stores)) {
  engine_duckdb::DuckdbOptions options;
  options.memory_limit_bytes = std::int64_t{1} << 30;
  options.threads = 1;  // small statements: starting tasks costs more
  options.roots = {"memory://lake"};
  auto engine = engine_duckdb::make_duckdb_engine(options, stores, nullptr);
  LAKEMILL_CHECK(engine.has_value());
  engine_ = *std::move(engine);
  engine::SessionOptions session_options;
  session_options.now = clock.now();
  auto session = engine_->open_session(std::move(session_options));
  LAKEMILL_CHECK(session.has_value());
  session_ = *std::move(session);
  auto store = stores.open("memory://lake/t");
  LAKEMILL_CHECK(store.has_value());
  store_ = *std::move(store);
  table_ = std::make_unique<delta::Table>(store_, *checkpoints_);
}

TableWorld::~TableWorld() = default;

ChangeContext TableWorld::context() const {
  auto& self = const_cast<TableWorld&>(*this);
  return {*self.session_, *self.table_, clock_, self.random_, "", 0, {}};
}

Result<std::vector<engine::WrittenFile>> TableWorld::write(
    const std::string& values, const delta::Metadata& metadata) {
  engine::WriteSpec spec;
  spec.sql = typed(values);
  spec.target = files_target(*table_, metadata, {});
  LAKEMILL_TRY(engine::WriteResult written, session_->write(spec));
  return std::move(written.files);
}

Status TableWorld::change(
    const std::string& operation,
    const std::function<Status(const TableState&, TableChange&)>& fill) {
  const auto plan = [&](const TableState& state) -> Result<TableChange> {
    TableChange change;
    if (state.snapshot != nullptr) change.metadata = state.snapshot->metadata();
    change.operation = operation;
    LAKEMILL_TRY_OK(fill(state, change));
    return change;
  };
  LAKEMILL_TRY(const ChangeOutcome outcome, change_table(context(), plan));
  return delta::maintain_log(*table_, outcome.version);
}

Status TableWorld::create(const Properties& properties, bool partitioned) {
  return change("CREATE TABLE", [&](const TableState&, TableChange& change) {
    change.metadata.schema.fields = {{"id", data::make_type(data::TypeKind::int64)},
                                     {"part", data::make_type(data::TypeKind::string)},
                                     {"v", data::make_type(data::TypeKind::int64)}};
    if (partitioned) change.metadata.partition_columns = {"part"};
    change.metadata.configuration = properties;
    map_columns(change.metadata, {}, random_);
    return Status();
  });
}

Status TableWorld::append(const std::string& values) {
  return change("WRITE", [&](const TableState&, TableChange& change) -> Status {
    LAKEMILL_TRY(change.added, write(values, change.metadata));
    return {};
  });
}

Status TableWorld::merge(const std::string& values) {
  return change("MERGE", [&](const TableState& state, TableChange& change) -> Status {
    LAKEMILL_TRY_OK(session_->bind("t", engine::TableRelation{state.scan}));
    LAKEMILL_TRY(change.removed,
                 session_->query_positions(
                     "SELECT _lakemill_file, _lakemill_row FROM t WHERE id IN (SELECT "
                     "id FROM (" +
                     typed(values) + "))"));
    LAKEMILL_TRY(change.added, write(values, change.metadata));
    change.keys = {"id"};
    change.scope = delta::ReadScope::table;
    return {};
  });
}

Status TableWorld::remove(const std::string& where) {
  return change("DELETE", [&](const TableState& state, TableChange& change) -> Status {
    LAKEMILL_TRY_OK(session_->bind("t", engine::TableRelation{state.scan}));
    LAKEMILL_TRY(change.removed,
                 session_->query_positions(
                     "SELECT _lakemill_file, _lakemill_row FROM t WHERE " + where));
    change.scope = delta::ReadScope::table;
    return {};
  });
}

Status TableWorld::overwrite(const std::string& values) {
  return change("WRITE", [&](const TableState&, TableChange& change) -> Status {
    change.replaces_rows = true;
    LAKEMILL_TRY(change.added, write(values, change.metadata));
    change.scope = delta::ReadScope::table;
    return {};
  });
}

delta::Version TableWorld::version() {
  const auto snapshot = table_->latest();
  return snapshot ? (*snapshot)->version() : -1;
}

std::size_t TableWorld::file_count() {
  const auto snapshot = table_->latest();
  return snapshot ? (*snapshot)->files().size() : 0;
}

RowTexts TableWorld::texts(const Result<data::Rows>& rows) {
  if (!rows) return {"error: " + rows.error().message()};
  RowTexts texts;
  for (const auto& row : rows->rows) {
    std::string text;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) text += '|';
      text += data::to_text(row[i]);
    }
    texts.push_back(std::move(text));
  }
  std::ranges::sort(texts);
  return texts;
}

RowTexts TableWorld::query(const std::string& sql) {
  const auto state = state_of(*table_);
  if (!state) return {"error: " + state.error().message()};
  const auto bound = session_->bind("t", engine::TableRelation{state->scan});
  if (!bound) return {"error: " + bound.error().message()};
  return texts(session_->query(sql, engine::Origin::lakemill, kRowsMax));
}

RowTexts TableWorld::rows() { return query("SELECT id, part, v FROM t"); }

RowTexts TableWorld::rows_at(delta::Version version) {
  const auto read = [&]() -> Result<data::Rows> {
    LAKEMILL_TRY(const auto snapshot, table_->at_version(version));
    LAKEMILL_TRY(auto scan, snapshot->scan());
    LAKEMILL_TRY_OK(session_->bind("then", engine::TableRelation{std::move(scan)}));
    return session_->query("SELECT id, part, v FROM \"then\"", engine::Origin::lakemill,
                           kRowsMax);
  };
  return texts(read());
}

RowTexts TableWorld::changes(delta::Version from, delta::Version to) {
  const auto read = [&]() -> Result<data::Rows> {
    LAKEMILL_TRY(auto scan, table_->changes(from, to));
    LAKEMILL_TRY_OK(session_->bind("changed", engine::TableRelation{std::move(scan)}));
    return session_->query(
        "SELECT _change_type, _commit_version, id, part, v FROM changed",
        engine::Origin::lakemill, kRowsMax);
  };
  return texts(read());
}

RowTexts TableWorld::misfit(delta::Version from, delta::Version to) {
  const auto read = [&]() -> Result<data::Rows> {
    LAKEMILL_TRY(const auto before, table_->at_version(from - 1));
    LAKEMILL_TRY(auto before_scan, before->scan());
    LAKEMILL_TRY(const auto after, table_->at_version(to));
    LAKEMILL_TRY(auto after_scan, after->scan());
    LAKEMILL_TRY(auto changes, table_->changes(from, to));
    LAKEMILL_TRY_OK(session_->bind("a", engine::TableRelation{std::move(before_scan)}));
    LAKEMILL_TRY_OK(session_->bind("b", engine::TableRelation{std::move(after_scan)}));
    LAKEMILL_TRY_OK(session_->bind("c", engine::TableRelation{std::move(changes)}));
    return session_->query(
        "SELECT id, part, v, sum(n) AS n FROM (SELECT id, part, v, 1 AS n FROM a UNION "
        "ALL SELECT id, part, v, CASE WHEN _change_type IN ('insert', "
        "'update_postimage') THEN 1 ELSE -1 END FROM c UNION ALL SELECT id, part, v, "
        "-1 "
        "FROM b) GROUP BY ALL HAVING n <> 0",
        engine::Origin::lakemill, kRowsMax);
  };
  return texts(read());
}

bool soak() {
  const char* soak = std::getenv("LAKEMILL_SOAK");
  return soak != nullptr && std::string(soak) == "1";
}

std::uint64_t seed_of_run() {
  const char* given = std::getenv("LAKEMILL_SEED");
  const std::uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::cout << "LAKEMILL_SEED=" << seed << '\n';
  return seed;
}

}  // namespace lakemill::dml
