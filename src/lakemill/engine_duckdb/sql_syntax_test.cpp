#include "lakemill/engine_duckdb/sql_syntax.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lakemill::engine_duckdb {
namespace {

using ::testing::HasSubstr;

TEST(SqlSyntax, KnowsNoFaultInWhatMayBeBoundLater) {
  for (const char* sql :
       {"SELECT * FROM \"df\"", "FROM t SELECT a, count(*) GROUP BY ALL",
        "WITH x AS (SELECT 1) SELECT * FROM x;",
        "SELECT unknown_function(a) FROM no.such",
        "SELECT * FROM a.b.c AT (VERSION => 3)",
        "PIVOT t ON k IN ('a', 'b') USING sum(v)", "-- why\nSELECT 1"}) {
    EXPECT_FALSE(fault_in_query(sql)) << sql;
  }
  for (const char* predicate :
       {"a > 1", "a IN (SELECT b FROM t) -- why", "count(*) > 5", "max(a) OVER () > 1",
        "a IS NOT NULL\n"}) {
    EXPECT_FALSE(fault_in_predicate(predicate, PredicateUse::any)) << predicate;
  }
}

TEST(SqlSyntax, TellsTheByteOfAFault) {
  const auto query = fault_in_query("SELECT a\nFORM t WHERE b = 1");
  ASSERT_TRUE(query);
  EXPECT_EQ(query->message, "syntax error at or near \"t\"");
  EXPECT_EQ(query->offset, 14U);
  const auto predicate = fault_in_predicate("a = = 1", PredicateUse::any);
  ASSERT_TRUE(predicate);
  EXPECT_THAT(predicate->message, HasSubstr("syntax error"));
  EXPECT_EQ(predicate->offset, 4U);
  const auto open = fault_in_predicate("lower(a = 'x'", PredicateUse::any);
  ASSERT_TRUE(open);
  EXPECT_EQ(open->offset, 13U);
}

TEST(SqlSyntax, RefusesWhatASessionWouldRefuse) {
  EXPECT_THAT(fault_in_query("SELECT 1; SELECT 2")->message, HasSubstr("here are 2"));
  EXPECT_THAT(fault_in_query(" ")->message, HasSubstr("empty"));
  EXPECT_THAT(fault_in_query("DROP TABLE t")->message, HasSubstr("only SELECT"));
  EXPECT_THAT(fault_in_query("SELECT * FROM read_csv('x.csv')")->message,
              HasSubstr("FILE source"));
  EXPECT_THAT(fault_in_predicate("getenv('HOME') = 'x'", PredicateUse::any)->message,
              HasSubstr("getenv"));
  EXPECT_TRUE(fault_in_predicate("a > 1, b > 2 FROM t", PredicateUse::any));
}

TEST(SqlSyntax, AnExpressionMayNotCloseTheBracketAroundIt) {
  const auto fault = fault_in_predicate("true) OR (true", PredicateUse::any);
  ASSERT_TRUE(fault);
  EXPECT_THAT(fault->message, HasSubstr("closed that was not opened"));
  EXPECT_FALSE(fault_in_predicate("(true) OR (true)", PredicateUse::any));
  EXPECT_FALSE(fault_in_predicate("true -- (a remark", PredicateUse::any));
}

TEST(SqlSyntax, FindsTheTablesThatAQueryReadsAsTheyAre) {
  const std::string sql =
      "WITH w AS (FROM main.gold.a) SELECT * FROM w JOIN \"{df}\" USING (x) "
      "WHERE x IN (SELECT x FROM s.b) OR EXISTS (FROM delta_scan('lake/c'))";
  const auto tables = tables_in_query(sql);
  ASSERT_EQ(tables.size(), 3U);
  const auto named = [&](const std::string& catalog, const std::string& schema,
                         const std::string& table, const std::string& place) {
    return std::any_of(tables.begin(), tables.end(), [&](const TableInSql& found) {
      return found.catalog == catalog && found.schema == schema &&
             found.table == table && found.place == place;
    });
  };
  EXPECT_TRUE(named("main", "gold", "a", ""));
  EXPECT_TRUE(named("", "s", "b", ""));
  EXPECT_TRUE(named("", "", "", "lake/c"));
  EXPECT_TRUE(tables_in_query("FROM s.t AT (VERSION => 1)").empty());
  EXPECT_TRUE(tables_in_query("FROM delta_scan('c', version => 1)").empty());
  EXPECT_TRUE(tables_in_query("FROM s.").empty());
  const auto inner = tables_in_predicate("x > (SELECT max(x) FROM s.t)");
  ASSERT_EQ(inner.size(), 1U);
  EXPECT_EQ(inner[0].table, "t");
}

}  // namespace
}  // namespace lakemill::engine_duckdb
