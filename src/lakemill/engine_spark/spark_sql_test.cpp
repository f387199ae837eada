#include "lakemill/engine_spark/spark_sql.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/engine_spark/spark_functions.h"
#include "lakemill/engine_spark/spark_types.h"

namespace lakemill::engine_spark {
namespace {

using testing::HasSubstr;

// What json_serialize_sql() of DuckDB 1.5.6 gives for the statements above them,
// without members that are empty.

// clang-format off
// SELECT a.x AS "k`", count(*) FILTER (WHERE b.y > 1.50) FROM a LEFT JOIN b ON a.x = b.x WHERE a.s LIKE 'it''s\%' GROUP BY a.x ORDER BY 1 DESC LIMIT 3
constexpr const char* kJoin =
    R"({"error":false,"statements":[{"node":{"type":"SELECT_NODE","modifiers":[{"type)"
    R"(":"ORDER_MODIFIER","orders":[{"type":"DESCENDING","null_order":"ORDER_DEFAULT")"
    R"(,"expression":{"class":"CONSTANT","type":"VALUE_CONSTANT","value":{"type":{"id)"
    R"(":"INTEGER"},"is_null":false,"value":1}}}]},{"type":"LIMIT_MODIFIER","limit":{)"
    R"("class":"CONSTANT","type":"VALUE_CONSTANT","value":{"type":{"id":"INTEGER"},"i)"
    R"(s_null":false,"value":3}}}],"select_list":[{"class":"COLUMN_REF","type":"COLUM)"
    R"(N_REF","alias":"k`","column_names":["a","x"]},{"class":"FUNCTION","type":"FUNC)"
    R"(TION","function_name":"count_star","filter":{"class":"COMPARISON","type":"COMP)"
    R"(ARE_GREATERTHAN","left":{"class":"COLUMN_REF","type":"COLUMN_REF","column_name)"
    R"(s":["b","y"]},"right":{"class":"CONSTANT","type":"VALUE_CONSTANT","value":{"ty)"
    R"(pe":{"id":"DECIMAL","type_info":{"type":"DECIMAL_TYPE_INFO","width":3,"scale":)"
    R"(2}},"is_null":false,"value":150}}},"order_bys":{"type":"ORDER_MODIFIER"},"dist)"
    R"(inct":false}],"from_table":{"type":"JOIN","left":{"type":"BASE_TABLE","table_n)"
    R"(ame":"a"},"right":{"type":"BASE_TABLE","table_name":"b"},"condition":{"class":)"
    R"("COMPARISON","type":"COMPARE_EQUAL","left":{"class":"COLUMN_REF","type":"COLUM)"
    R"(N_REF","column_names":["a","x"]},"right":{"class":"COLUMN_REF","type":"COLUMN_)"
    R"(REF","column_names":["b","x"]}},"join_type":"LEFT","ref_type":"REGULAR","delim)"
    R"(_flipped":false},"where_clause":{"class":"FUNCTION","type":"FUNCTION","functio)"
    R"(n_name":"~~","children":[{"class":"COLUMN_REF","type":"COLUMN_REF","column_nam)"
    R"(es":["a","s"]},{"class":"CONSTANT","type":"VALUE_CONSTANT","value":{"type":{"i)"
    R"(d":"VARCHAR"},"is_null":false,"value":"it's\\%"}}],"order_bys":{"type":"ORDER_)"
    R"(MODIFIER"},"distinct":false},"group_expressions":[{"class":"COLUMN_REF","type")"
    R"(:"COLUMN_REF","column_names":["a","x"]}],"group_sets":[[0]],"aggregate_handlin)"
    R"(g":"STANDARD_HANDLING"}}]})";

// SELECT * FROM a QUALIFY row_number() OVER (PARTITION BY x ORDER BY y) = 1
constexpr const char* kQualify =
    R"({"error":false,"statements":[{"node":{"type":"SELECT_NODE","select_list":[{"cl)"
    R"(ass":"STAR","type":"STAR","columns":false}],"from_table":{"type":"BASE_TABLE",)"
    R"("table_name":"a"},"aggregate_handling":"STANDARD_HANDLING","qualify":{"class":)"
    R"("COMPARISON","type":"COMPARE_EQUAL","left":{"class":"WINDOW","type":"WINDOW_RO)"
    R"(W_NUMBER","function_name":"row_number","partitions":[{"class":"COLUMN_REF","ty)"
    R"(pe":"COLUMN_REF","column_names":["x"]}],"orders":[{"type":"ORDER_DEFAULT","nul)"
    R"(l_order":"ORDER_DEFAULT","expression":{"class":"COLUMN_REF","type":"COLUMN_REF)"
    R"(","column_names":["y"]}}],"start":"UNBOUNDED_PRECEDING","end":"CURRENT_ROW_RAN)"
    R"(GE","ignore_nulls":false,"exclude_clause":"NO_OTHER","distinct":false},"right")"
    R"(:{"class":"CONSTANT","type":"VALUE_CONSTANT","value":{"type":{"id":"INTEGER"},)"
    R"("is_null":false,"value":1}}}}}]})";

// SELECT CAST(x AS INTEGER), x / 2, now() FROM a
constexpr const char* kCast =
    R"({"error":false,"statements":[{"node":{"type":"SELECT_NODE","select_list":[{"cl)"
    R"(ass":"CAST","type":"OPERATOR_CAST","child":{"class":"COLUMN_REF","type":"COLUM)"
    R"(N_REF","column_names":["x"]},"cast_type":{"id":"INTEGER"},"try_cast":false},{")"
    R"(class":"FUNCTION","type":"FUNCTION","function_name":"/","children":[{"class":")"
    R"(COLUMN_REF","type":"COLUMN_REF","column_names":["x"]},{"class":"CONSTANT","typ)"
    R"(e":"VALUE_CONSTANT","value":{"type":{"id":"INTEGER"},"is_null":false,"value":2)"
    R"(}}],"order_bys":{"type":"ORDER_MODIFIER"},"distinct":false},{"class":"FUNCTION)"
    R"(","type":"FUNCTION","function_name":"now","order_bys":{"type":"ORDER_MODIFIER")"
    R"(},"distinct":false}],"from_table":{"type":"BASE_TABLE","table_name":"a"},"aggr)"
    R"(egate_handling":"STANDARD_HANDLING"}}]})";

// SELECT * EXCLUDE (s) REPLACE (x + 1 AS x) RENAME (y AS z) FROM a
constexpr const char* kRename =
    R"({"error":false,"statements":[{"node":{"type":"SELECT_NODE","select_list":[{"cl)"
    R"(ass":"STAR","type":"STAR","exclude_list":["s"],"replace_list":[{"key":"x","val)"
    R"(ue":{"class":"FUNCTION","type":"FUNCTION","function_name":"+","children":[{"cl)"
    R"(ass":"COLUMN_REF","type":"COLUMN_REF","column_names":["x"]},{"class":"CONSTANT)"
    R"(","type":"VALUE_CONSTANT","value":{"type":{"id":"INTEGER"},"is_null":false,"va)"
    R"(lue":1}}],"order_bys":{"type":"ORDER_MODIFIER"},"distinct":false}}],"columns":)"
    R"(false,"rename_list":[{"key":{"column":"y"},"value":"z"}]}],"from_table":{"type)"
    R"(":"BASE_TABLE","table_name":"a"},"aggregate_handling":"STANDARD_HANDLING"}}]})";

// SELECT * FROM a JOIN b USING (x)
constexpr const char* kUsing =
    R"({"error":false,"statements":[{"node":{"type":"SELECT_NODE","select_list":[{"cl)"
    R"(ass":"STAR","type":"STAR","columns":false}],"from_table":{"type":"JOIN","left")"
    R"(:{"type":"BASE_TABLE","table_name":"a"},"right":{"type":"BASE_TABLE","table_na)"
    R"(me":"b"},"join_type":"INNER","ref_type":"REGULAR","using_columns":["x"],"delim)"
    R"(_flipped":false},"aggregate_handling":"STANDARD_HANDLING"}}]})";

// SELECT strftime(x, '%Y') FROM a
constexpr const char* kUnknown =
    R"({"error":false,"statements":[{"node":{"type":"SELECT_NODE","select_list":[{"cl)"
    R"(ass":"FUNCTION","type":"FUNCTION","function_name":"strftime","children":[{"cla)"
    R"(ss":"COLUMN_REF","type":"COLUMN_REF","column_names":["x"]},{"class":"CONSTANT")"
    R"(,"type":"VALUE_CONSTANT","value":{"type":{"id":"VARCHAR"},"is_null":false,"val)"
    R"(ue":"%Y"}}],"order_bys":{"type":"ORDER_MODIFIER"},"distinct":false}],"from_tab)"
    R"(le":{"type":"BASE_TABLE","table_name":"a"},"aggregate_handling":"STANDARD_HAND)"
    R"(LING"}}]})";

// WITH a AS (SELECT 1 AS x) SELECT x FROM a UNION ALL SELECT y FROM main.silver.b AT (VERSION => 3)
constexpr const char* kCommon =
    R"({"error":false,"statements":[{"node":{"type":"SET_OPERATION_NODE","cte_map":{")"
    R"(map":[{"key":"a","value":{"query":{"node":{"type":"SELECT_NODE","select_list":)"
    R"([{"class":"CONSTANT","type":"VALUE_CONSTANT","alias":"x","value":{"type":{"id")"
    R"(:"INTEGER"},"is_null":false,"value":1}}],"from_table":{"type":"EMPTY"},"aggreg)"
    R"(ate_handling":"STANDARD_HANDLING"}},"materialized":"CTE_MATERIALIZE_DEFAULT"}})"
    R"(]},"setop_type":"UNION","left":{"type":"SELECT_NODE","select_list":[{"class":")"
    R"(COLUMN_REF","type":"COLUMN_REF","column_names":["x"]}],"from_table":{"type":"B)"
    R"(ASE_TABLE","table_name":"a"},"aggregate_handling":"STANDARD_HANDLING"},"right")"
    R"(:{"type":"SELECT_NODE","select_list":[{"class":"COLUMN_REF","type":"COLUMN_REF)"
    R"(","column_names":["y"]}],"from_table":{"type":"BASE_TABLE","schema_name":"silv)"
    R"(er","table_name":"b","catalog_name":"main","at_clause":{"unit":"VERSION","expr)"
    R"(":{"class":"CONSTANT","type":"VALUE_CONSTANT","value":{"type":{"id":"INTEGER"})"
    R"(,"is_null":false,"value":3}}}},"aggregate_handling":"STANDARD_HANDLING"},"seto)"
    R"(p_all":true}}]})";

// clang-format on

// The tables a(x, y, s) and b(x, y), and everything in schemas, as `t`, with the
// version.
Result<std::string> translate(const char* tree) {
  SqlContext context;
  context.now = parse_instant("2026-01-31T10:00:00Z").value();
  context.table = [](const TableReference& reference) -> Result<std::string> {
    if (reference.schema.empty()) return "lakemill_" + reference.table;
    return "t@" + std::to_string(reference.version.value_or(-1));
  };
  context.columns = [](const std::string&) -> Result<std::vector<std::string>> {
    return std::vector<std::string>{"x", "y", "s"};
  };
  return SparkSql(context).statement(parse_json(tree).value());
}

TEST(SparkSql, WritesNullsOrderEscapesAndAliasesOut) {
  EXPECT_EQ(
      translate(kJoin).value(),
      "SELECT `a`.`x` AS `k```, count(*) FILTER (WHERE (`b`.`y` > 1.50)) FROM "
      "lakemill_a AS `a` LEFT JOIN lakemill_b AS `b` ON (`a`.`x` = `b`.`x`) WHERE "
      "(`a`.`s` LIKE 'it\\'s\\\\%' ESCAPE '\x01') GROUP BY `a`.`x` ORDER BY 1 DESC "
      "NULLS LAST LIMIT 3");
}

TEST(SparkSql, MakesAnInnerQueryOfQualify) {
  EXPECT_EQ(
      translate(kQualify).value(),
      "SELECT * EXCEPT (`_lakemill_qualify`) FROM (SELECT *, (row_number() OVER "
      "(PARTITION BY `x` ORDER BY `y` ASC NULLS LAST) = 1) AS `_lakemill_qualify` "
      "FROM lakemill_a AS `a`) WHERE `_lakemill_qualify`");
}

TEST(SparkSql, RoundsWhereTheEmbeddedEngineRoundsAndPinsTheClock) {
  const std::string sql = translate(kCast).value();
  EXPECT_THAT(sql, HasSubstr("CAST(rint(CAST(`x` AS DOUBLE)) AS INT)"));
  EXPECT_THAT(sql, HasSubstr("CASE WHEN 2 = 0 THEN"));
  EXPECT_THAT(sql, HasSubstr("TIMESTAMP '2026-01-31T10:00:00.000000Z'"));
}

TEST(SparkSql, WritesAStarOutWhereSparkHasNoWordForIt) {
  EXPECT_EQ(translate(kRename).value(),
            "SELECT (`x` + 1) AS `x`, `y` AS `z` FROM lakemill_a AS `a`");
}

TEST(SparkSql, KeepsCommonTablesApartFromBoundNames) {
  EXPECT_EQ(
      translate(kCommon).value(),
      "WITH `a` AS (SELECT 1 AS `x`) (SELECT `x` FROM `a`) UNION ALL (SELECT `y` FROM "
      "t@3 AS `b`)");
}

TEST(SparkSql, RefusesByNameWhatWouldDiffer) {
  const auto star = translate(kUsing);
  ASSERT_FALSE(star.has_value());
  EXPECT_EQ(star.error().code(), ErrorCode::unsupported);
  EXPECT_THAT(star.error().message(), HasSubstr("USING or NATURAL"));
  const auto function = translate(kUnknown);
  ASSERT_FALSE(function.has_value());
  EXPECT_THAT(function.error().message(), HasSubstr("function strftime()"));
}

TEST(SparkSql, RefusesAnAnswerThatIsAnErrorOrNoSelect) {
  EXPECT_EQ(translate(R"({"error": true, "error_message": "no"})").error().message(),
            "no");
  EXPECT_FALSE(translate(R"({"error": false, "statements": []})").has_value());
  EXPECT_FALSE(translate(R"({"statements": [{"node": {"type": "CTE"}}]})").has_value());
}

TEST(SparkSql, QuotesTextsAndNamesSoThatNothingEndsThem) {
  EXPECT_EQ(quote_text("a'b\\c"), "'a\\'b\\\\c'");
  EXPECT_EQ(quote_name("a`b"), "`a``b`");
}

TEST(SparkTypes, AreWrittenAsSparkWritesThem) {
  using data::TypeKind;
  const data::Type nested = data::make_struct(
      {{"a`b", data::make_array(data::make_decimal(10, 2), true)},
       {"m", data::make_map(data::make_type(TypeKind::string),
                            data::make_type(TypeKind::timestamp_ntz), true)}});
  EXPECT_EQ(spark_type(nested).value(),
            "STRUCT<`a``b`: ARRAY<DECIMAL(10,2)>, `m`: MAP<STRING, TIMESTAMP_NTZ>>");
  EXPECT_EQ(spark_type(data::make_type(TypeKind::variant)).error().code(),
            ErrorCode::unsupported);
}

TEST(SparkFunctions, AreFoundByNameAndCountOfArguments) {
  ASSERT_NE(find_function("round", 2), nullptr);
  EXPECT_EQ(find_function("round", 2)->literal, Literal::not_negative);
  EXPECT_EQ(find_function("round", 3), nullptr);
  EXPECT_TRUE(is_known_function("round"));
  EXPECT_FALSE(is_known_function("list"));
}

}  // namespace
}  // namespace lakemill::engine_spark
