// Goal: text of others can read what it may and do nothing else. Method: statements
// that were found to get out of DuckDB's own settings, each of which must be refused,
// and then the engine must still answer.
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/duckdb_engine.h"
#include "lakemill/engine_duckdb/duckdb_session.h"
#include "lakemill/engine_duckdb/fake_scan.h"
#include "lakemill/storage/local_store.h"

namespace lakemill::engine_duckdb {
namespace {

using engine::Origin;

class SqlGate : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = testing::TempDir() + "sql_gate_" + test->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    stores_ = storage::make_local_provider();
    open(false);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void open(bool confine_user) {
    DuckdbOptions options;
    options.threads = 2;
    options.roots = {folder_};
    options.base_folder = folder_;
    options.confine_user = confine_user;
    session_.reset();
    auto engine = make_duckdb_engine(std::move(options), *stores_, nullptr);
    ASSERT_TRUE(engine.has_value());
    engine_ = std::move(*engine);
    auto session = engine_->open_session({});
    ASSERT_TRUE(session.has_value()) << session.error().message();
    session_ = std::move(*session);
    auto& ours = dynamic_cast<DuckdbSession&>(*session_);
    const auto path = folder_ + "/t.parquet";
    ASSERT_TRUE(ours.run("COPY (SELECT 1::BIGINT AS id) TO " + quote_literal(path))
                    .has_value());
    ASSERT_TRUE(ours.run("CREATE TEMP TABLE kept AS SELECT 5 AS x").has_value());
    auto scan = std::make_shared<FakeScan>();
    scan->schema_.fields.push_back(
        {.name = "id", .type = data::make_type(data::TypeKind::int64)});
    auto& file = scan->files_.emplace_back();
    file.url = path;
    ASSERT_TRUE(session_->bind("t", engine::TableRelation{scan}).has_value());
  }

  std::string run(const std::string& sql, Origin origin) {
    const auto answer = session_->query(sql, origin, 100);
    if (!answer) {
      return std::string(answer.error().code() == ErrorCode::denied ? "denied: "
                                                                    : "error: ") +
             answer.error().message();
    }
    return answer->rows.empty() || answer->rows[0].empty()
               ? "no rows"
               : data::to_text(answer->rows[0][0]);
  }

  std::string folder_;
  std::unique_ptr<storage::StoreProvider> stores_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<engine::Session> session_;
};

const std::vector<std::string>& attacks_on_everybody() {
  static const std::vector<std::string> attacks{
      "select * from enable_logging(storage='file', storage_config={'path':'out'})",
      "call enable_logging('FileSystem')",
      "select * from query('select * from read_text(''/etc/hostname'')')",
      "select * from query_table('t')",
      "copy (select 1) to 'out/evil.csv'",
      "copy t to 'out/evil.csv'",
      "attach ':memory:' as mm",
      "attach 'x.db'",
      "install httpfs",
      "load httpfs",
      "set threads=1",
      "set global threads=1",
      "reset threads",
      "pragma threads=1",
      "pragma enable_profiling",
      "pragma database_size",
      "pragma show_tables",
      "pragma disable_optimizer",
      "create table u(a int)",
      "create temp table u(a int)",
      "create temp macro m1() as table from read_text('/etc/hostname')",
      "create view v as select 1",
      "insert into kept values (1)",
      "delete from kept",
      "update kept set x = 1",
      "drop table kept",
      "use temp",
      "begin",
      "commit",
      "checkpoint",
      "prepare p as select * from read_text('/etc/hostname')",
      "execute p",
      "explain analyze select 1",
      "create secret x (type s3)",
      "export database 'out/exp'",
      "import database 'out/exp'",
      "set variable a=1",
      "detach temp",
      "select current_setting('temp_directory')",
      "select Current_Setting('temp_directory')",
      "select main.current_setting('temp_directory')",
      "select * from range(length(current_setting('temp_directory')))",
      "select 1 limit length(current_setting('temp_directory'))",
      "select sum(1) over (order by current_setting('temp_directory'))",
      "select list_transform([1], x -> current_setting('temp_directory'))",
      "select (select current_setting('temp_directory'))",
      "select * from duckdb_settings()",
      "select * from duckdb_secrets()",
      "select * from duckdb_logs",
      "select * from which_secret('s3://x', 's3')",
      "comment on table kept is 'x'",
      "vacuum",
      "alter table kept add column z int",
      "update extensions",
      "merge into kept using (select 5 x) s using (x) when matched then delete",
      "select 1; select 2",
      "",
      "select * from lakemill_read_text('/etc/hostname')",
      "select * from lakemill_scan('t')",
      "select write_log('x')",
      "select getenv('HOME')"};
  return attacks;
}

const std::vector<std::string>& reads_of_files() {
  static const std::vector<std::string> reads{
      "select * from read_csv('/etc/passwd', delim='|', header=false)",
      "select * from read_text('/etc/hostname')",
      "select (select content from read_text('/etc/hostname')) x",
      "select * from glob('/etc/*')",
      "from '/etc/passwd.csv'",
      "select * from t where id in (select 1 from read_text('/etc/hostname'))",
      "with x as (select * from read_blob('/etc/hostname')) select * from x",
      "select * from t join (select * from read_text('/etc/hostname')) on true",
      "select * from t, lateral (select * from read_text('/etc/hostname'))",
      "select 1 union all (select 1 from read_text('/etc/hostname'))",
      "select 1 order by (select count(*) from read_text('/etc/hostname'))",
      "select 1 limit (select count(*) from read_text('/etc/hostname'))",
      "pivot t on id in (1) using count((select 1 from read_text('/etc/hostname')))",
      "values ((select content from read_text('/etc/hostname')))",
      "describe select * from read_text('/etc/hostname')",
      "summarize select * from read_text('/etc/hostname')",
      "select * from parquet_metadata('t.parquet')",
      "select * from sniff_csv('/etc/passwd')"};
  return reads;
}

TEST_F(SqlGate, RefusesWhatIsNotAQueryOfData) {
  for (const auto origin : {Origin::pipeline, Origin::user}) {
    for (const auto& sql : attacks_on_everybody()) {
      const auto answer = run(sql, origin);
      EXPECT_TRUE(answer.starts_with("denied") || answer.starts_with("error"))
          << sql << " gave " << answer;
    }
  }
  EXPECT_EQ(run("select x from kept", Origin::lakemill), "5");
  EXPECT_EQ(run("select id from t", Origin::pipeline), "1");
}

TEST_F(SqlGate, KeepsPipelinesFromFiles) {
  for (const auto& sql : reads_of_files()) {
    const auto answer = run(sql, Origin::pipeline);
    EXPECT_TRUE(answer.starts_with("denied") || answer.starts_with("error"))
        << sql << " gave " << answer;
  }
  EXPECT_NE(run("from read_csv('x.csv')", Origin::pipeline).find("FILE source"),
            std::string::npos);
  EXPECT_EQ(run("select id from t", Origin::pipeline), "1");
}

TEST_F(SqlGate, KeepsConfinedUsersFromFiles) {
  open(true);
  for (const auto& sql : reads_of_files()) {
    const auto answer = run(sql, Origin::user);
    EXPECT_TRUE(answer.starts_with("denied") || answer.starts_with("error"))
        << sql << " gave " << answer;
  }
}

TEST_F(SqlGate, LetsUsersReadFiles) {
  const auto file = folder_ + "/t.parquet";
  EXPECT_EQ(
      run("select id from read_parquet(" + quote_literal(file) + ")", Origin::user),
      "1");
  EXPECT_EQ(run("select id from " + quote_literal(file), Origin::user), "1");
  EXPECT_EQ(run("select count(*) from glob(" + quote_literal(folder_ + "/*") + ")",
                Origin::user),
            "1");
  EXPECT_EQ(run("describe select 1 as a", Origin::user), "a");
}

TEST_F(SqlGate, LetsQueriesBeQueries) {
  const std::vector<std::string> queries{
      "from t",
      "select count(*) from range(3)",
      "with recursive r as (select 1 i union all select i + 1 from r where i < 5) "
      "select "
      "max(i) from r",
      "select unnest([1, 2])",
      "select id, row_number() over (order by id) from t qualify true",
      "pivot t on id in (1) using count(*)",
      "select * from (values (1), (2)) v(a)",
      "select t.id from t where exists (select 1 from t u where u.id = t.id)",
      "select * from t asof join t u on t.id >= u.id",
      "select * from kept",
      "select * from t tablesample 100%",
      "select list_filter([1, 2], x -> x > 1)",
      "select * from json_each('{\"a\": 1}')",
      "select struct_pack(a := 1).a, regexp_replace('a', 'a', 'b'), now()"};
  for (const auto& sql : queries) {
    const auto answer = run(sql, Origin::pipeline);
    EXPECT_FALSE(answer.starts_with("denied") || answer.starts_with("error"))
        << sql << " gave " << answer;
  }
}

TEST_F(SqlGate, ChecksPredicatesOfExpectations) {
  engine::WriteSpec spec;
  spec.sql = "SELECT * FROM t";
  spec.checks.push_back({.name = "sly",
                         .predicate = "id < (select count(*) from read_text('/etc/*'))",
                         .on_fail = engine::OnFail::drop});
  spec.target = engine::TemporaryTarget{"out"};
  const auto written = session_->write(spec);
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code(), ErrorCode::denied) << written.error().message();
  EXPECT_NE(written.error().message().find("sly"), std::string::npos);
}

TEST_F(SqlGate, SaysWhereAFaultIs) {
  const auto answer = run("select id,\n  nosuch from t", Origin::pipeline);
  EXPECT_NE(answer.find("nosuch"), std::string::npos) << answer;
  EXPECT_NE(answer.find("line 2, column 3"), std::string::npos) << answer;
  const auto broken = run("select id,,", Origin::pipeline);
  EXPECT_NE(broken.find("line 1, column 11"), std::string::npos) << broken;
  const auto absent = run("select * from tt", Origin::pipeline);
  EXPECT_NE(absent.find("did you mean t?"), std::string::npos) << absent;
}

TEST_F(SqlGate, KeepsDeltaScansInsideTheRoots) {
  for (const std::string path : {"/etc", "../elsewhere", "x/../../elsewhere"}) {
    for (const std::string function : {"delta_scan", "table_history"}) {
      const auto answer =
          run("select * from " + function + "(" + quote_literal(path) + ")",
              Origin::pipeline);
      EXPECT_TRUE(answer.starts_with("denied")) << path << " gave " << answer;
    }
  }
  std::filesystem::create_symlink("/etc", folder_ + "/link");
  EXPECT_TRUE(run("from delta_scan('link/x')", Origin::pipeline).starts_with("denied"));
}

}  // namespace
}  // namespace lakemill::engine_duckdb
