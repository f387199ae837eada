// Goal: a bound table gives the table's rows whatever its files look like. Method: real
// Parquet files written by DuckDB, and a scan that says what a Delta log would.
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/duckdb_engine.h"
#include "lakemill/engine_duckdb/duckdb_session.h"
#include "lakemill/engine_duckdb/fake_scan.h"
#include "lakemill/storage/local_store.h"

namespace lakemill::engine_duckdb {
namespace {

using data::TypeKind;
using engine::Origin;

class TableReaderTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = testing::TempDir() + "table_reader_" + test->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    stores_ = storage::make_local_provider();
    DuckdbOptions options;
    options.threads = 2;
    auto engine = make_duckdb_engine(std::move(options), *stores_, nullptr);
    ASSERT_TRUE(engine.has_value()) << engine.error().message();
    engine_ = std::move(*engine);
    auto session = engine_->open_session({});
    ASSERT_TRUE(session.has_value()) << session.error().message();
    session_ = std::move(*session);
    scan_ = std::make_shared<FakeScan>();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // Writes the rows of `sql` to a file of that name and adds it to the scan.
  data::DataFile& add_file(const std::string& name, const std::string& sql,
                           const std::string& options = "") {
    const auto path = folder_ + "/" + name;
    auto& session = dynamic_cast<DuckdbSession&>(*session_);
    auto copied = session.run("COPY (" + sql + ") TO " + quote_literal(path) +
                              " (FORMAT parquet" + options + ")");
    EXPECT_TRUE(copied.has_value()) << copied.error().message();
    return add_entry(path);
  }

  // Names a file that need not exist.
  data::DataFile& add_entry(const std::string& path) {
    auto& file = scan_->files_.emplace_back();
    file.url = path;
    file.path = path;
    file.size_bytes = 1000;
    return file;
  }

  void add_column(const std::string& name, data::Type type) {
    scan_->schema_.fields.push_back({.name = name, .type = std::move(type)});
  }

  void bind(const std::string& name) {
    const auto bound = session_->bind(name, engine::TableRelation{scan_});
    ASSERT_TRUE(bound.has_value()) << bound.error().message();
  }

  // All rows as text: values divided by |, rows by newlines.
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

  std::string folder_;
  std::unique_ptr<storage::StoreProvider> stores_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<engine::Session> session_;
  std::shared_ptr<FakeScan> scan_;
};

TEST_F(TableReaderTest, GivesTheRowsOfAllFiles) {
  add_column("id", data::make_type(TypeKind::int64));
  add_file("a.parquet", "SELECT range AS id FROM range(3)");
  add_file("b.parquet", "SELECT range + 10 AS id FROM range(2)");
  bind("t");
  EXPECT_EQ(rows("SELECT * FROM t"), "0\n1\n2\n10\n11");
  EXPECT_EQ(rows("SELECT id, _lakemill_file, _lakemill_row FROM t WHERE id > 1"),
            "2|0|2\n10|1|0\n11|1|1");
}

TEST_F(TableReaderTest, GivesNoRowsWithoutFiles) {
  add_column("id", data::make_type(TypeKind::int64));
  bind("t");
  EXPECT_EQ(rows("SELECT count(*), max(id) FROM t"), "0|NULL");
}

TEST_F(TableReaderTest, TakesAnyNameAndIgnoresItsCase) {
  add_column("id", data::make_type(TypeKind::int64));
  add_file("a.parquet", "SELECT 7::BIGINT AS id");
  for (const std::string name : {"nodes.x", "sum", "a \"b'", "range", "sélect"}) {
    bind(name);
    EXPECT_EQ(rows("SELECT id FROM " + quote_identifier(name)), "7") << name;
  }
  EXPECT_EQ(rows("SELECT id FROM \"NODES.X\""), "7");
  const auto taken = session_->bind("duckdb_tables", engine::TableRelation{scan_});
  ASSERT_FALSE(taken.has_value());
}

TEST_F(TableReaderTest, LeavesDeletedRowsOutAndKeepsPositionsPhysical) {
  add_column("id", data::make_type(TypeKind::int64));
  auto& file = add_file("a.parquet", "SELECT range AS id FROM range(10000)");
  file.row_count = 10000;
  std::set<std::uint64_t> gone;
  for (std::uint64_t i = 0; i < 10000; ++i) {
    if (i % 3 == 0) gone.insert(i);
  }
  file.deleted = std::make_shared<FakeDeletedRows>(gone);
  bind("t");
  EXPECT_EQ(rows("SELECT count(*) FROM t"), "6666");
  EXPECT_EQ(rows("SELECT count(*), count(*) FILTER (WHERE id % 3 = 0) FROM t"),
            "6666|0");
  EXPECT_EQ(rows("SELECT count(*) FROM t WHERE id <> _lakemill_row"), "0");
  EXPECT_EQ(rows("SELECT id FROM t ORDER BY id DESC LIMIT 2"), "9998\n9997");
}

TEST_F(TableReaderTest, AnswersCountsWithoutOpeningFiles) {
  add_column("id", data::make_type(TypeKind::int64));
  add_entry("/no/such/file").row_count = 42;
  bind("t");
  EXPECT_EQ(rows("SELECT count(*) FROM t"), "42");
}

TEST_F(TableReaderTest, FillsPartitionColumnsWithTypedConstants) {
  add_column("id", data::make_type(TypeKind::int64));
  add_column("day", data::make_type(TypeKind::date));
  add_column("price", data::make_decimal(10, 2));
  auto& first = add_file("a.parquet", "SELECT 1::BIGINT AS id");
  first.constants = {{"day", data::Date{1}}, {"price", data::Decimal{"-1.50"}}};
  auto& second = add_file("b.parquet", "SELECT 2::BIGINT AS id");
  second.constants = {{"day", std::monostate()}, {"price", data::Decimal{"3.00"}}};
  bind("t");
  EXPECT_EQ(rows("SELECT * FROM t ORDER BY id"), "1|1970-01-02|-1.50\n2|NULL|3.00");
  EXPECT_EQ(rows("SELECT id FROM t WHERE day = DATE '1970-01-02'"), "1");
  EXPECT_EQ(rows("SELECT id FROM t WHERE day IS NULL"), "2");
}

TEST_F(TableReaderTest, GivesNullForColumnsThatAFileLacks) {
  add_column("id", data::make_type(TypeKind::int64));
  add_column("s", data::make_struct(
                      {{.name = "a", .type = data::make_type(TypeKind::int64)},
                       {.name = "b", .type = data::make_type(TypeKind::string)}}));
  add_column(
      "l",
      data::make_array(
          data::make_struct({{.name = "x", .type = data::make_type(TypeKind::int64)},
                             {.name = "y", .type = data::make_type(TypeKind::int64)}}),
          true));
  add_column("late", data::make_type(TypeKind::string));
  add_file("a.parquet",
           "SELECT 1::INTEGER AS id, {'a': 5::INTEGER} AS s, [{'x': 1}] AS l");
  add_file("b.parquet",
           "SELECT 2::BIGINT AS ID, {'b': 'z', 'a': 6::BIGINT} AS s, [{'y': 2::BIGINT, "
           "'x': 3::BIGINT}] AS l, 'v' AS late, 1 AS more");
  bind("t");
  EXPECT_EQ(rows("SELECT id, s.a, s.b, l[1].x, l[1].y, late FROM t ORDER BY id"),
            "1|5|NULL|1|NULL|NULL\n2|6|z|3|2|v");
  EXPECT_EQ(rows("SELECT id FROM t WHERE s.b = 'z'"), "2");
  EXPECT_EQ(rows("SELECT id FROM t WHERE s.a = 5"), "1");
  EXPECT_EQ(rows("SELECT id FROM t WHERE late IS NULL"), "1");
}

TEST_F(TableReaderTest, WidensTypesOfOldFiles) {
  add_column("i", data::make_type(TypeKind::int64));
  add_column("f", data::make_type(TypeKind::float64));
  add_column("d", data::make_type(TypeKind::timestamp_ntz));
  add_column("n", data::make_decimal(20, 3));
  add_column("t", data::make_type(TypeKind::timestamp));
  add_column("m", data::make_map(data::make_type(TypeKind::string),
                                 data::make_type(TypeKind::int64), true));
  add_file("a.parquet",
           "SELECT 1::SMALLINT AS i, 1.5::FLOAT AS f, DATE '2020-01-02' AS d, "
           "1.25::DECIMAL(5,2) AS n, TIMESTAMP '2020-01-01 00:00:00' AS t, "
           "MAP {'k': 4::INTEGER} AS m");
  add_file("b.parquet",
           "SELECT 5000000000 AS i, 2.5::DOUBLE AS f, TIMESTAMP '2020-01-02 "
           "03:04:05' AS d, 2.5::DECIMAL(20,3) AS n, "
           "TIMESTAMPTZ '2020-01-01 02:00:00+02' AS t, MAP {'k': 5::BIGINT} AS m");
  bind("t");
  EXPECT_EQ(rows("SELECT i, f, d, n, t = TIMESTAMPTZ '2020-01-01 00:00:00+00', m['k'] "
                 "FROM t ORDER BY i"),
            "1|1.5|2020-01-02 00:00:00|1.250|true|4\n"
            "5000000000|2.5|2020-01-02 03:04:05|2.500|true|5");
  EXPECT_EQ(rows("SELECT i FROM t WHERE i < 100 AND f > 1"), "1");
  // A join gives the scan filters while it runs, also on columns of another type.
  EXPECT_EQ(rows("SELECT count(*) FROM t JOIN range(0, 100000) r(k) ON t.i = r.k"),
            "1");
}

// Goal: a filter means the same whatever type a file has. Method: each predicate over
// the table against the same over a copy of its rows.
TEST_F(TableReaderTest, FiltersOldFilesByTheTypesOfTheTable) {
  const auto fields = [](data::Type i, data::Type f, data::Type d, data::Type n) {
    return std::vector<data::Field>{{.name = "i", .type = std::move(i)},
                                    {.name = "f", .type = std::move(f)},
                                    {.name = "d", .type = std::move(d)},
                                    {.name = "n", .type = std::move(n)}};
  };
  scan_->schema_.fields =
      fields(data::make_type(TypeKind::float64), data::make_type(TypeKind::float64),
             data::make_type(TypeKind::timestamp_ntz), data::make_decimal(20, 4));
  add_column("s", data::make_struct(scan_->schema_.fields));
  const auto with_struct = [](const std::string& sql) {
    return "SELECT i, f, d, n, {'i': i, 'f': f, 'd': d, 'n': n} AS s FROM (" + sql +
           ")";
  };
  add_file("old.parquet",
           with_struct("SELECT k::INTEGER AS i, (k / 10)::FLOAT AS f, DATE "
                       "'2020-01-01' + k::INTEGER AS d, (k + 0.25)::DECIMAL(5,2) AS n "
                       "FROM range(-3, 6) r(k)"));
  add_file("new.parquet",
           with_struct("SELECT k + 0.5 AS i, k / 10 AS f, TIMESTAMP '2020-01-01 "
                       "00:00:00.000001' + k::INTEGER * INTERVAL 1 DAY AS d, (k + "
                       "0.2555)::DECIMAL(20,4) AS n FROM range(-3, 6) r(k)"));
  bind("t");
  auto& session = dynamic_cast<DuckdbSession&>(*session_);
  ASSERT_TRUE(session.run("CREATE TABLE memory.main.copy AS FROM t").has_value());
  const auto ours = [&](const std::string& sql) { return rows(sql, Origin::lakemill); };
  const std::pair<std::string, std::vector<std::string>> columns[] = {
      {"i", {"2.5::DOUBLE", "2::DOUBLE", "-0.5::DOUBLE", "1e300::DOUBLE"}},
      {"f", {"0.1::DOUBLE", "0.10000000149011612::DOUBLE", "-0.1::DOUBLE"}},
      {"d",
       {"TIMESTAMP '2020-01-02'", "TIMESTAMP '2020-01-02 00:00:00.000001'",
        "TIMESTAMP '2019-12-31 12:00:00'"}},
      {"n",
       {"1.25::DECIMAL(20,4)", "1.2499::DECIMAL(20,4)", "999999.5::DECIMAL(20,4)"}}};
  for (const auto& [name, values] : columns) {
    for (const std::string& column : {name, "s." + name}) {
      std::vector<std::string> predicates = {column + " IS NULL"};
      for (const std::string& value : values) {
        for (const char* op : {"=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM"}) {
          predicates.push_back(column + " " + op + " " + value);
        }
        predicates.push_back(column + " IN (" + value + ", " + values[0] + ")");
        predicates.push_back(column + " BETWEEN " + values[0] + " AND " + value);
        predicates.push_back(column + " > " + value + " OR " + column + " IS NULL");
        predicates.push_back(column + " > " + value + " AND s.i IS NOT NULL");
      }
      for (const std::string& predicate : predicates) {
        EXPECT_EQ(
            ours("SELECT count(*), sum(i) FROM t WHERE " + predicate),
            ours("SELECT count(*), sum(i) FROM memory.main.copy WHERE " + predicate))
            << predicate;
      }
    }
  }
  EXPECT_EQ(ours("SELECT count(*) FROM t JOIN memory.main.copy c ON t.f = c.f"),
            ours("SELECT count(*) FROM memory.main.copy t JOIN memory.main.copy c ON "
                 "t.f = c.f"));
  EXPECT_EQ(ours("SELECT i, f FROM t ORDER BY i DESC, f LIMIT 5"),
            ours("SELECT i, f FROM memory.main.copy ORDER BY i DESC, f LIMIT 5"));
}

TEST_F(TableReaderTest, FindsMappedColumnsByPhysicalNameAndByFieldId) {
  const auto mapped = [](const std::string& name, data::Type type, int id) {
    return data::Field{.name = name,
                       .type = std::move(type),
                       .metadata = {{"delta.columnMapping.id", id},
                                    {"delta.columnMapping.physicalName",
                                     "col-" + std::to_string(id)}}};
  };
  const auto integer = data::make_type(TypeKind::int64);
  scan_->schema_.fields = {
      mapped("a", integer, 1),
      mapped("s",
             data::make_struct({mapped("col-1", integer, 3), mapped("y", integer, 4)}),
             2),
      mapped("l", data::make_array(data::make_struct({mapped("z", integer, 6)}), true),
             5),
      mapped("m",
             data::make_map(data::make_type(TypeKind::string),
                            data::make_struct({mapped("w", integer, 8)}), true),
             7)};
  add_file(
      "a.parquet",
      "SELECT 9::BIGINT AS a, 1::BIGINT AS \"col-1\", {'col-4': 4::BIGINT, 'col-3': "
      "3::BIGINT} AS \"col-2\", [{'col-6': 6::BIGINT}] AS \"col-5\", MAP {'k': "
      "{'col-8': 8::BIGINT}} AS \"col-7\"",
      ", FIELD_IDS {'a': 100, 'col-1': 1, 'col-2': {__duckdb_field_id: 2, 'col-4': 4, "
      "'col-3': 3}, 'col-5': {__duckdb_field_id: 5, element: {'col-6': 6}}, 'col-7': "
      "{__duckdb_field_id: 7, value: {'col-8': 8}}}");
  for (const std::string mode : {"name", "id"}) {
    scan_->mode_ = mode;
    bind("t");
    EXPECT_EQ(rows("SELECT a, s.\"col-1\", s.y, l[1].z, m['k'].w FROM t"), "1|3|4|6|8")
        << mode;
    EXPECT_EQ(rows("SELECT a FROM t WHERE s.\"col-1\" = 3 AND a = 1"), "1") << mode;
  }
}

TEST_F(TableReaderTest, AsksTheScanWhichFilesAFilterNeeds) {
  add_column("id", data::make_type(TypeKind::int64));
  add_column("s", data::make_struct(
                      {{.name = "a", .type = data::make_type(TypeKind::int64)}}));
  add_file("a.parquet", "SELECT 1::BIGINT AS id, {'a': 1::BIGINT} AS s");
  add_entry("/no/such/file");
  scan_->may_match_ = [](std::size_t file, const auto&) { return file == 0; };
  bind("t");
  EXPECT_EQ(rows("SELECT id FROM t WHERE id = 1"), "1");
  ASSERT_FALSE(scan_->asked_.empty());
  EXPECT_EQ(scan_->asked_[0].column, "id");
  EXPECT_EQ(scan_->asked_[0].op, data::Comparison::Op::eq);
  EXPECT_EQ(rows("SELECT id FROM t WHERE id IN (1, 2)"), "1");
  EXPECT_EQ(scan_->asked_[0].op, data::Comparison::Op::in);
  EXPECT_EQ(rows("SELECT id FROM t WHERE id BETWEEN 0 AND 5"), "1");
  EXPECT_EQ(rows("SELECT id FROM t WHERE s.a = 1"), "1");
  EXPECT_EQ(scan_->asked_[0].column, "s.a");
  EXPECT_EQ(rows("SELECT id FROM t WHERE s.a IS NULL"), "");
}

TEST_F(TableReaderTest, SkipsFilesByWhatAJoinFindsOut) {
  add_column("id", data::make_type(TypeKind::int64));
  add_file("a.parquet", "SELECT range AS id FROM range(100)");
  scan_->files_[0].row_count = 100;
  add_entry("/no/such/file").row_count = 100000000;
  bool asked = false;
  scan_->may_match_ = [&](std::size_t file, const auto& conjuncts) {
    asked = asked || !conjuncts.empty();
    return file == 0 || conjuncts.empty();
  };
  bind("t");
  EXPECT_EQ(
      rows("SELECT count(*) FROM t JOIN (SELECT unnest([1, 2, 3]) AS k) ON id = k"),
      "3");
  EXPECT_TRUE(asked);
}

TEST_F(TableReaderTest, SaysWhichFileIsBroken) {
  add_column("id", data::make_type(TypeKind::int64));
  add_file("a.parquet", "SELECT range AS id FROM range(100000)");
  std::filesystem::resize_file(folder_ + "/a.parquet", 1000);
  bind("t");
  const auto answer = session_->query("SELECT sum(id) FROM t", Origin::pipeline, 10);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code(), ErrorCode::corrupt) << answer.error().message();
  EXPECT_NE(answer.error().message().find("a.parquet"), std::string::npos);
}

// Whatever bytes a file holds, a query over it ends with rows or with an error.
TEST_F(TableReaderTest, SurvivesBytesThatChanged) {
  add_column("id", data::make_type(TypeKind::int64));
  add_column("t", data::make_type(TypeKind::string));
  add_column("l", data::make_array(data::make_type(TypeKind::int64), true));
  auto& file = add_file("a.parquet",
                        "SELECT range AS id, 'v' || range % 50 AS t, [range] AS l FROM "
                        "range(2000)");
  std::ostringstream buffer;
  buffer << std::ifstream(file.url, std::ios::binary).rdbuf();
  const auto good = buffer.str();
  std::mt19937 random(7);
  for (int round = 0; round < 100; ++round) {
    auto bytes = good;
    for (int flip = 0; flip < 3; ++flip) {
      const auto from_end =
          round % 2 == 0 ? std::min<std::size_t>(700, bytes.size()) : bytes.size();
      bytes[bytes.size() - 1 - random() % from_end] = static_cast<char>(random());
    }
    std::ofstream(file.url, std::ios::binary) << bytes;
    bind("t");
    const auto answer =
        session_->query("SELECT max(id), max(t), count(l) FROM t", Origin::pipeline, 1);
    if (!answer) {
      EXPECT_EQ(answer.error().code(), ErrorCode::corrupt) << answer.error().message();
    }
  }
}

TEST_F(TableReaderTest, SaysWhichFileIsGone) {
  add_column("id", data::make_type(TypeKind::int64));
  add_entry(folder_ + "/gone.parquet");
  bind("t");
  const auto answer = session_->query("SELECT sum(id) FROM t", Origin::pipeline, 10);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code(), ErrorCode::not_found) << answer.error().message();
  EXPECT_NE(answer.error().message().find("gone.parquet"), std::string::npos);
}

TEST_F(TableReaderTest, GivesPositionsOfMillionsOfRows) {
  add_column("id", data::make_type(TypeKind::int64));
  add_file("a.parquet", "SELECT range AS id FROM range(1000000)");
  add_file("b.parquet", "SELECT range AS id FROM range(10)");
  bind("t");
  const auto answer = session_->query_positions(
      "SELECT _lakemill_file, _lakemill_row FROM t WHERE id % 2 = 1");
  ASSERT_TRUE(answer.has_value()) << answer.error().message();
  ASSERT_EQ(answer->size(), 2U);
  EXPECT_EQ((*answer)[0].positions.size(), 500000U);
  EXPECT_EQ((*answer)[0].positions[1], 3U);
  EXPECT_EQ((*answer)[1].file_index, 1U);
  EXPECT_EQ((*answer)[1].positions, (std::vector<std::uint64_t>{1, 3, 5, 7, 9}));
}

TEST_F(TableReaderTest, RefusesFilesOutsideTheTableAndTheRootsToWhoIsConfined) {
  for (const char* name : {"table", "root", "outside"}) {
    std::filesystem::create_directories(folder_ + "/" + name);
  }
  add_column("id", data::make_type(TypeKind::int64));
  scan_->url_ = folder_ + "/table";
  add_file("table/a.parquet", "SELECT 1::BIGINT AS id");
  add_file("root/b.parquet", "SELECT 2::BIGINT AS id");
  DuckdbOptions options;
  options.roots = {folder_ + "/root"};
  auto engine = make_duckdb_engine(std::move(options), *stores_, nullptr);
  ASSERT_TRUE(engine.has_value());
  const auto read = [&](Origin origin, bool confined) -> std::string {
    engine::SessionOptions asked;
    asked.confined = confined;
    auto session = (*engine)->open_session(asked);
    EXPECT_TRUE((*session)->bind("t", engine::TableRelation{scan_}).has_value());
    const auto answer = (*session)->query("SELECT sum(id) FROM t", origin, 10);
    if (answer) return data::to_text(answer->rows[0][0]);
    EXPECT_EQ(answer.error().code(), ErrorCode::denied) << answer.error().message();
    return answer.error().message();
  };
  EXPECT_EQ(read(Origin::pipeline, true), "3");
  add_file("outside/c.parquet", "SELECT 4::BIGINT AS id");
  EXPECT_EQ(read(Origin::user, false), "7");
  EXPECT_THAT(read(Origin::pipeline, false), testing::HasSubstr("outside/c.parquet"));
  EXPECT_THAT(read(Origin::lakemill, true), testing::HasSubstr("outside/c.parquet"));
  // By a link in the table's own folder.
  std::filesystem::create_symlink(folder_ + "/outside/c.parquet",
                                  folder_ + "/table/c.parquet");
  scan_->files_.back().url = folder_ + "/table/c.parquet";
  EXPECT_THAT(read(Origin::pipeline, false), testing::HasSubstr("outside/c.parquet"));
}

}  // namespace
}  // namespace lakemill::engine_duckdb
