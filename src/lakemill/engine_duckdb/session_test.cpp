// What a session promises beside reading tables: shapes of queries, the batch instant,
// stopping, catalog names at versions, and checkpoints; all on a store in memory.
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "lakemill/base/text.h"
#include "lakemill/delta/transaction.h"
#include "lakemill/engine_duckdb/duckdb_engine.h"
#include "lakemill/engine_duckdb/duckdb_session.h"
#include "lakemill/engine_duckdb/fake_scan.h"
#include "lakemill/engine_duckdb/named_tables.h"
#include "lakemill/testing/manual_clock.h"
#include "lakemill/testing/memory_store.h"

namespace lakemill::engine_duckdb {
namespace {

using data::TypeKind;
using engine::Origin;

// One table main.silver.t, and a view main.silver.v of it.
class OneTable final : public NamedTables {
 public:
  explicit OneTable(std::shared_ptr<delta::Table> table) : table_(std::move(table)) {}
  Result<NamedTable> open(const TableId& id) override {
    if (id.catalog == "main" && id.schema == "silver") {
      if (id.table == "t") return NamedTable{table_, ""};
      if (id.table == "v")
        return NamedTable{nullptr, "SELECT id + 1 AS k FROM silver.t"};
      if (id.table == "w") return NamedTable{nullptr, "SELECT * FROM silver.w"};
    }
    return Error(ErrorCode::not_found, "there is no such table");
  }
  Result<std::vector<TableId>> list() override {
    return std::vector<TableId>{{"main", "silver", "t"}, {"main", "silver", "v"}};
  }
  Result<std::shared_ptr<delta::Table>> open_folder(const std::string&) override {
    return table_;
  }

 private:
  std::shared_ptr<delta::Table> table_;
};

class SessionTest : public testing::Test {
 protected:
  void SetUp() override {
    format_ = make_checkpoint_format(stores_);
    auto store = stores_.open("memory://lake/t");
    ASSERT_TRUE(store.has_value());
    table_ = std::make_shared<delta::Table>(*store, *format_);
    DuckdbOptions options;
    options.threads = 2;
    options.roots = {"memory://lake"};
    options.base_folder = "memory://lake";
    auto engine = make_duckdb_engine(std::move(options), stores_,
                                     std::make_shared<OneTable>(table_));
    ASSERT_TRUE(engine.has_value());
    engine_ = std::move(*engine);
    open({});
    for (int version = 0; version < 3; ++version) append(version);
  }

  void open(engine::SessionOptions options) {
    auto session = engine_->open_session(std::move(options));
    ASSERT_TRUE(session.has_value()) << session.error().message();
    session_ = std::move(*session);
  }

  // Commits one file with the row (version, "p" or null).
  void append(int version) {
    const auto name = "f" + std::to_string(version) + ".parquet";
    auto& session = dynamic_cast<DuckdbSession&>(*session_);
    auto copied = session.run("COPY (SELECT " + std::to_string(version) +
                              "::BIGINT AS id) TO 'memory://lake/t/" + name +
                              "' (FORMAT parquet, USE_TMP_FILE false)");
    ASSERT_TRUE(copied.has_value()) << copied.error().message();
    delta::AddFile file;
    file.path = name;
    file.partition_values["p"] =
        version == 0 ? std::optional<std::string>() : std::optional<std::string>("x");
    file.size_bytes = static_cast<std::int64_t>(
        stores_.objects().at("memory://lake/t/" + name).size());
    file.modification_time_ms = 1;
    file.stats = R"({"numRecords":1,"minValues":{"id":)" + std::to_string(version) +
                 R"(},"maxValues":{"id":)" + std::to_string(version) +
                 R"(},"nullCount":{"id":0}})";
    file.tags["tag"] = "a \"quoted\" one";
    Result<delta::CommitOutcome> outcome = Error(ErrorCode::invalid, "");
    if (version == 0) {
      delta::NewTable definition;
      definition.schema.fields = {
          {.name = "id", .type = data::make_type(TypeKind::int64)},
          {.name = "p", .type = data::make_type(TypeKind::string)}};
      definition.partition_columns = {"p"};
      delta::Transaction transaction(*table_, std::move(definition));
      transaction.add(std::move(file));
      outcome = transaction.commit("CREATE TABLE", Json::object(), clock_, random_);
    } else {
      auto base = table_->latest();
      ASSERT_TRUE(base.has_value()) << base.error().message();
      delta::Transaction transaction(*table_, *base);
      transaction.add(std::move(file));
      transaction.set_transaction("flow", version);
      outcome = transaction.commit("WRITE", Json::object(), clock_, random_);
    }
    ASSERT_TRUE(outcome.has_value()) << outcome.error().message();
    ASSERT_TRUE(std::holds_alternative<delta::Committed>(*outcome));
  }

  void bind_empty(const std::string& name, std::vector<data::Field> fields) {
    auto scan = std::make_shared<FakeScan>();
    scan->schema_.fields = std::move(fields);
    ASSERT_TRUE(session_->bind(name, engine::TableRelation{scan}).has_value());
  }

  std::string rows(const std::string& sql, Origin origin = Origin::pipeline) {
    const auto answer = session_->query(sql, origin, 1000);
    if (!answer) return "error: " + answer.error().message();
    std::string text;
    for (const auto& row : answer->rows) {
      if (!text.empty()) text += "\n";
      for (std::size_t i = 0; i < row.size(); ++i) {
        if (i > 0) text += "|";
        text += data::to_text(row[i]);
      }
    }
    return text;
  }

  engine::QueryShape shape(const std::string& sql) {
    auto described = session_->describe(sql, Origin::pipeline);
    EXPECT_TRUE(described.has_value()) << sql << ": " << described.error().message();
    return described ? *described : engine::QueryShape();
  }

  testkit::MemoryStoreProvider stores_;
  testkit::ManualClock clock_;
  SeededRandom random_{1};
  std::unique_ptr<delta::CheckpointFormat> format_;
  std::shared_ptr<delta::Table> table_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<engine::Session> session_;
};

TEST_F(SessionTest, ReadsTablesByNameAndByPathAtAnyVersion) {
  EXPECT_EQ(rows("SELECT id, p FROM main.silver.t ORDER BY id"), "0|NULL\n1|x\n2|x");
  EXPECT_EQ(rows("SELECT silver.t.id FROM silver.t WHERE main.silver.t.id = 2"), "2");
  EXPECT_EQ(rows("SELECT count(*) FROM silver.t AT (VERSION => 1)"), "2");
  EXPECT_EQ(rows("SELECT count(*) FROM main.silver.t a AT (VERSION => 0)"), "1");
  EXPECT_EQ(rows("SELECT count(*) FROM delta_scan('t')"), "3");
  EXPECT_EQ(rows("SELECT count(*) FROM delta_scan('t', version => 0)"), "1");
  const auto past = table_->at_version(1);
  ASSERT_TRUE(past.has_value());
  const auto at = quote_literal(
      format_instant(Instant(std::chrono::milliseconds((*past)->timestamp_ms()))));
  EXPECT_EQ(rows("SELECT count(*) FROM delta_scan('t', as_of => " + at + ")"), "2");
  EXPECT_EQ(rows("SELECT count(*) FROM delta_scan('t', \"timestamp\" => TIMESTAMPTZ " +
                 at + ")"),
            "2");
  EXPECT_EQ(
      rows("SELECT count(*) FROM silver.t AT (TIMESTAMP => TIMESTAMPTZ " + at + ")"),
      "2");
  EXPECT_EQ(rows("SELECT version, operation FROM table_history('t')"),
            "2|WRITE\n1|WRITE\n0|CREATE TABLE");
  EXPECT_EQ(rows("SELECT k FROM silver.v ORDER BY k"), "1\n2\n3");
  EXPECT_NE(rows("SELECT * FROM silver.tt").find("did you mean main.silver.t"),
            std::string::npos);
  EXPECT_NE(rows("SELECT * FROM silver.t AT (VERSION => 9)").find("9"),
            std::string::npos);
  EXPECT_NE(rows("SELECT * FROM delta_scan('t', version => 1, as_of => '2024-01-01')")
                .find("not both"),
            std::string::npos);
}

TEST_F(SessionTest, SeesPinnedVersions) {
  engine::SessionOptions options;
  options.pinned_versions = {{"main.silver.t", 0}, {"memory://lake/t", 1}};
  open(std::move(options));
  EXPECT_EQ(rows("SELECT count(*) FROM silver.t"), "1");
  EXPECT_EQ(rows("SELECT count(*) FROM silver.v"), "1");
  EXPECT_EQ(rows("SELECT count(*) FROM silver.t AT (VERSION => 2)"), "3");
  EXPECT_EQ(rows("SELECT count(*) FROM delta_scan('t')"), "2");
}

TEST_F(SessionTest, WritesNoTableThroughSql) {
  for (const std::string sql :
       {"INSERT INTO lakemill.\"main.silver\".t VALUES (1, 'x')",
        "DELETE FROM lakemill.\"main.silver\".t",
        "UPDATE lakemill.\"main.silver\".t SET id = 1",
        "DROP TABLE lakemill.\"main.silver\".t",
        "CREATE TABLE lakemill.\"main.silver\".n (a INT)",
        "ALTER TABLE lakemill.\"main.silver\".t ADD COLUMN z INT"}) {
    const auto done = dynamic_cast<DuckdbSession&>(*session_).run(sql);
    ASSERT_FALSE(done.has_value()) << sql;
    EXPECT_NE(done.error().message().find("written by pipelines"), std::string::npos)
        << sql << ": " << done.error().message();
  }
}

TEST_F(SessionTest, TellsWhatAQueryIsFromItsPlan) {
  const auto integer = data::make_type(TypeKind::int64);
  bind_empty("a", {{.name = "id", .type = integer}, {.name = "v", .type = integer}});
  bind_empty("b", {{.name = "id", .type = integer}, {.name = "w", .type = integer}});
  EXPECT_TRUE(shape("SELECT id, v * 2 AS x FROM a WHERE v > 1").row_wise);
  EXPECT_TRUE(shape("SELECT id FROM a UNION ALL SELECT id FROM b").row_wise);
  EXPECT_TRUE(shape("SELECT id, now() AS at FROM a").row_wise);
  EXPECT_TRUE(shape("WITH c AS (SELECT * FROM a) SELECT id FROM c").row_wise);
  const std::vector<std::pair<std::string, std::string>> reasons{
      {"SELECT sum(v) AS s FROM a", "aggregate"},
      {"SELECT a.id FROM a JOIN b USING (id)", "join"},
      {"SELECT id, row_number() OVER () AS n FROM a", "window"},
      {"SELECT id, random() AS r FROM a", "volatile function"},
      {"SELECT DISTINCT id FROM a", "distinct"},
      {"SELECT id FROM a LIMIT 3", "limit"},
      {"SELECT id FROM a UNION SELECT id FROM b", "distinct"},
      {"SELECT id FROM a EXCEPT ALL SELECT id FROM b", "set operation"},
      {"SELECT id FROM a UNION ALL SELECT 1", "rows that no input holds"},
      {"SELECT id FROM a WHERE id IN (SELECT id FROM b)", "join"}};
  for (const auto& [sql, reason] : reasons) {
    const auto described = shape(sql);
    EXPECT_FALSE(described.row_wise) << sql;
    EXPECT_EQ(described.not_row_wise_because, reason) << sql;
  }
}

TEST_F(SessionTest, FollowsColumnsToWhereTheyComeFrom) {
  const auto integer = data::make_type(TypeKind::int64);
  bind_empty("A", {{.name = "id", .type = integer}, {.name = "v", .type = integer}});
  bind_empty("b", {{.name = "id", .type = integer}, {.name = "w", .type = integer}});
  ASSERT_TRUE(session_
                  ->bind_query("q", "SELECT A.id, v + w AS s FROM A JOIN b USING (id)",
                               Origin::pipeline)
                  .has_value());
  const auto described = shape("SELECT s, id FROM q WHERE s > 1");
  EXPECT_EQ(described.relations, (std::vector<std::string>{"A", "b"}));
  EXPECT_EQ(shape("SELECT p FROM silver.t").relations,
            (std::vector<std::string>{"main.silver.t"}));
}

TEST_F(SessionTest, RefusesAQueryThatReadsItself) {
  ASSERT_TRUE(session_->bind_query("x", "SELECT 1 AS a", Origin::pipeline).has_value());
  ASSERT_TRUE(
      session_->bind_query("y", "SELECT a FROM x", Origin::pipeline).has_value());
  EXPECT_FALSE(
      session_->bind_query("x", "SELECT a FROM y", Origin::pipeline).has_value());
  EXPECT_EQ(rows("SELECT * FROM y"), "1");
  EXPECT_NE(rows("SELECT * FROM silver.w").find("error"), std::string::npos);
}

TEST_F(SessionTest, HoldsTheBatchInstant) {
  const auto noon = parse_instant("2024-05-06T12:00:00.5Z");
  ASSERT_TRUE(noon.has_value());
  engine::SessionOptions options;
  options.now = *noon;
  open(std::move(options));
  EXPECT_EQ(rows("SELECT now() = TIMESTAMPTZ '2024-05-06 12:00:00.5+00', current_date, "
                 "current_timestamp = now(), localtimestamp, today()"),
            "true|2024-05-06|true|2024-05-06 12:00:00.500000|2024-05-06");
}

TEST_F(SessionTest, StopsOnRequest) {
  std::stop_source stop;
  engine::SessionOptions options;
  options.stop = stop.get_token();
  open(std::move(options));
  const std::jthread later([&stop] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    stop.request_stop();
  });
  const auto answer = session_->query(
      "SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range = "
      "b.range + 1 AND hash(a.range) % 7 = hash(b.range) % 5",
      Origin::pipeline, 1);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code(), ErrorCode::cancelled) << answer.error().message();
}

TEST_F(SessionTest, RefusesTypesThatNoTableHolds) {
  const auto described =
      session_->describe("SELECT INTERVAL 1 DAY AS wait", Origin::pipeline);
  ASSERT_FALSE(described.has_value());
  EXPECT_NE(described.error().message().find("wait"), std::string::npos);
  const auto wide = shape(
      "SELECT sum(id)::HUGEINT AS s, uuid() AS u, 1::UBIGINT AS b, "
      "TIME '01:02:03' AS t, {'a': [1]} AS n FROM silver.t");
  std::string types;
  for (const auto& field : wide.schema.fields) types += data::to_text(field.type) + " ";
  EXPECT_EQ(types, "long string decimal(20,0) string struct<a:array<integer>> ");
}

TEST_F(SessionTest, ReadsAndWritesCheckpointsOnAnyStore) {
  auto snapshot = table_->latest();
  ASSERT_TRUE(snapshot.has_value());
  const auto written = delta::write_checkpoint(*table_, **snapshot);
  ASSERT_TRUE(written.has_value()) << written.error().message();
  const auto path =
      "memory://lake/t/_delta_log/00000000000000000002.checkpoint.parquet";
  ASSERT_TRUE(stores_.objects().contains(path));
  const auto lines = format_->read(path);
  ASSERT_TRUE(lines.has_value()) << lines.error().message();
  EXPECT_NE(lines->find(R"("partitionValues":{"p":null})"), std::string::npos)
      << *lines;
  EXPECT_NE(lines->find(R"("tags":{"tag":"a \"quoted\" one"})"), std::string::npos);
  EXPECT_EQ(lines->find("deletionVector"), std::string::npos);

  // A reader that has only the checkpoint sees the same table.
  for (const std::string version : {"0", "1", "2"}) {
    stores_.tamper("memory://lake/t/_delta_log/0000000000000000000" + version + ".json",
                   nullptr);
  }
  auto store = stores_.open("memory://lake/t");
  ASSERT_TRUE(store.has_value());
  delta::Table reopened(*store, *format_);
  const auto seen = reopened.latest();
  ASSERT_TRUE(seen.has_value()) << seen.error().message();
  ASSERT_EQ((*seen)->files().size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto& expected = (*snapshot)->files()[i];
    const auto& actual = (*seen)->files()[i];
    EXPECT_EQ(actual.path, expected.path);
    EXPECT_EQ(actual.partition_values, expected.partition_values);
    EXPECT_EQ(actual.stats, expected.stats);
    EXPECT_EQ(actual.tags, expected.tags);
  }
  EXPECT_EQ((*seen)->metadata(), (*snapshot)->metadata());
  EXPECT_EQ((*seen)->protocol(), (*snapshot)->protocol());
  EXPECT_EQ((*seen)->transaction("flow"), 2);
}

TEST_F(SessionTest, SaysThatACheckpointIsBrokenOrAbsent) {
  const std::string path = "memory://lake/t/_delta_log/x.checkpoint.parquet";
  EXPECT_EQ(format_->read(path).error().code(), ErrorCode::not_found);
  const std::string junk(1000, 'j');
  stores_.tamper(path, &junk);
  EXPECT_EQ(format_->read(path).error().code(), ErrorCode::corrupt);
}

}  // namespace
}  // namespace lakemill::engine_duckdb
