#include "lakemill/engine_duckdb/sql_functions.h"

#include <gtest/gtest.h>

#include "lakemill/engine_duckdb/session_fixture.h"

namespace lakemill::engine_duckdb {
namespace {

using SqlFunctions = SessionFixture;

TEST_F(SqlFunctions, GiveTheAnswersOfTheirExamples) {
  for (const SqlFunction& function : sql_functions()) {
    EXPECT_EQ(text("SELECT CAST((" + std::string(function.example) + ") AS VARCHAR)"),
              function.answer)
        << function.name;
  }
}

TEST_F(SqlFunctions, AreNotAmongDuckdbsOwn) {
  for (const SqlFunction& function : sql_functions()) {
    EXPECT_EQ(text("SELECT string_agg(DISTINCT function_type) FROM duckdb_functions() "
                   "WHERE function_name = '" +
                   std::string(function.name) + "'"),
              "macro")
        << function.name;
  }
}

TEST_F(SqlFunctions, AddSparksFormsToFunctionsThatDuckdbHas) {
  EXPECT_EQ(text("SELECT datediff(DATE '2024-03-01', DATE '2024-02-01')"), "29");
  EXPECT_EQ(text("SELECT datediff('day', DATE '2024-02-01', DATE '2024-03-01')"), "29");
  EXPECT_EQ(text("SELECT datediff('2024-03-01', '2024-02-01')"), "29");
  EXPECT_EQ(text("SELECT to_timestamp('2024-01-01 10:00:00')"),
            "2024-01-01 10:00:00+00");
  EXPECT_EQ(text("SELECT to_timestamp(86400)"), "1970-01-02 00:00:00+00");
  EXPECT_EQ(text("SELECT trunc(DATE '2024-03-17', 'MM')"), "2024-03-01");
  EXPECT_EQ(text("SELECT trunc(3.7)"), "3");
}

// language.md, section 10: an offset counts, whatever the text is in.
TEST_F(SqlFunctions, CastTextWithAnOffsetToUtcsWallClock) {
  for (const char* text_sql :
       {"'2024-01-01 10:00:00+02'", "'2024-01-01T10:00:00+02:00'::VARCHAR",
        "'\"2024-01-01T10:00:00+02:00\"'::JSON",
        "('{\"a\": \"2024-01-01T10:00:00+02:00\"}'::JSON ->> 'a')"}) {
    EXPECT_EQ(text("SELECT CAST(" + std::string(text_sql) + " AS TIMESTAMP)"),
              "2024-01-01 08:00:00")
        << text_sql;
  }
  EXPECT_EQ(text("SELECT TIMESTAMP '2024-01-01 10:00:00+02'"), "2024-01-01 08:00:00");
  EXPECT_EQ(text("SELECT '2024-01-01 10:00:00Z'::TIMESTAMP"), "2024-01-01 10:00:00");
  EXPECT_EQ(text("SELECT max(t::TIMESTAMP) FROM (VALUES ('2024-01-01'), (NULL), "
                 "('2024-01-01 23:00:00-05')) v(t)"),
            "2024-01-02 04:00:00");
  EXPECT_EQ(text("SELECT TRY_CAST('soon' AS TIMESTAMP)"), "NULL");
  EXPECT_NE(text("SELECT CAST('soon' AS TIMESTAMP)").find("soon"), std::string::npos);
}

}  // namespace
}  // namespace lakemill::engine_duckdb
