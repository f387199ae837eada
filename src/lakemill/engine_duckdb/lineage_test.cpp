// Where columns come from, for each operator of a plan, over a(id, v, g, items, s) and
// b(id, w, g), neither of which has a file. A lineage is shown as
//
//   column: relation.column kind+kind, …; column: … | what decides rows: …
#include "lakemill/engine_duckdb/lineage.h"

#include <gtest/gtest.h>

#include "lakemill/engine_duckdb/fake_scan.h"
#include "lakemill/engine_duckdb/session_fixture.h"

namespace lakemill::engine_duckdb {
namespace {

using data::TypeKind;
using engine::Origin;

std::string show(const engine::ColumnRef& column) {
  return column.relation + "." + column.column + " ";
}

std::string show(const engine::LineageEdge& edge) {
  std::string kinds;
  for (const auto flow : edge.flows) kinds += "+" + std::string(name_of(flow));
  for (const auto kind : edge.influences) kinds += "+" + std::string(name_of(kind));
  return show(edge.from) + kinds.substr(1);
}

std::string show(const engine::QueryShape& shape) {
  std::string text;
  for (std::size_t i = 0; i < shape.lineage.columns.size(); ++i) {
    if (i > 0) text += "; ";
    text += shape.schema.fields.at(i).name + ":";
    std::string separator = " ";
    for (const auto& edge : shape.lineage.columns[i]) {
      text += separator + show(edge);
      separator = ", ";
    }
  }
  std::string separator = " | ";
  for (const auto& [from, kind] : shape.lineage.rows) {
    text += separator + show(from) + std::string(name_of(kind));
    separator = ", ";
  }
  return text;
}

class LineageTest : public SessionFixture {
 protected:
  void SetUp() override {
    SessionFixture::SetUp();
    const auto integer = data::make_type(TypeKind::int64);
    const auto list = data::make_array(integer, true);
    bind("a", {{.name = "id", .type = integer},
               {.name = "v", .type = integer},
               {.name = "g", .type = integer},
               {.name = "items", .type = list},
               {.name = "s", .type = data::make_type(TypeKind::string)}});
    bind("b", {{.name = "id", .type = integer},
               {.name = "w", .type = integer},
               {.name = "g", .type = integer}});
  }

  void bind(const std::string& name, std::vector<data::Field> fields) {
    auto scan = std::make_shared<FakeScan>();
    scan->schema_.fields = std::move(fields);
    ASSERT_TRUE(session().bind(name, engine::TableRelation{scan}).has_value());
  }

  engine::QueryShape shape_of(const std::string& sql) {
    auto shape = session().describe(sql, Origin::pipeline);
    EXPECT_TRUE(shape.has_value()) << sql << ": " << shape.error().message();
    return shape ? *shape : engine::QueryShape();
  }

  /// Of a plan of which all is known.
  std::string lineage(const std::string& sql) {
    const auto shape = shape_of(sql);
    EXPECT_TRUE(shape.lineage.complete)
        << sql << ": " << shape.lineage.incomplete_because;
    return show(shape);
  }
};

TEST_F(LineageTest, TellsAWholeValueFromOneComputedOfARowOrOfSeveral) {
  EXPECT_EQ(lineage("SELECT id, v AS w, 1 AS one FROM a"),
            "id: a.id identity; w: a.v identity; one:");
  EXPECT_EQ(lineage("SELECT v + id AS s, v::VARCHAR AS t, upper(s) AS u FROM a"),
            "s: a.id transformation, a.v transformation; t: a.v transformation; "
            "u: a.s transformation");
  EXPECT_EQ(lineage("SELECT sum(v + id) AS s, sum(v) + 1 AS t, count(*) AS n FROM a"),
            "s: a.id aggregation, a.v aggregation; t: a.v aggregation; n:");
  EXPECT_EQ(lineage("SELECT CASE WHEN g = 1 THEN v END AS c FROM a"),
            "c: a.g transformation, a.v transformation");
  EXPECT_EQ(lineage("SELECT v + (SELECT max(v) FROM a) AS m FROM a"),
            "m: a.v transformation+aggregation");
  EXPECT_EQ(lineage("SELECT list_transform(items, x -> x + v) AS l FROM a"),
            "l: a.items transformation, a.v transformation");
}

TEST_F(LineageTest, GoesThroughSubqueriesStarsAndBoundQueries) {
  ASSERT_TRUE(session()
                  .bind_query("q", "SELECT a.id, v + w AS s FROM a JOIN b USING (id)",
                              Origin::pipeline)
                  .has_value());
  EXPECT_EQ(lineage("SELECT s, id FROM q WHERE s > 1"),
            "s: a.v transformation, b.w transformation; id: a.id identity | "
            "a.id join, a.v filter, b.id join, b.w filter");
  EXPECT_EQ(lineage("SELECT * REPLACE (v + 1 AS w) FROM (SELECT *, 1 AS v FROM b)"),
            "id: b.id identity; w:; g: b.g identity; v:");
  EXPECT_EQ(lineage("SELECT x.* FROM (SELECT id AS k, w FROM b) AS x(m)"),
            "m: b.id identity; w: b.w identity");
}

TEST_F(LineageTest, TellsFiltersFromJoins) {
  EXPECT_EQ(lineage("SELECT id FROM a WHERE v > 1 AND g = id"),
            "id: a.id identity | a.g filter, a.id filter, a.v filter");
  EXPECT_EQ(lineage("SELECT g, max(v) AS m FROM a GROUP BY g HAVING sum(id) > 3"),
            "g: a.g identity; m: a.v aggregation | a.g group, a.id filter");
  EXPECT_EQ(lineage("SELECT g FROM a GROUP BY g HAVING sum(id) > g"),
            "g: a.g identity | a.g filter, a.g group, a.id filter");
  // The same plan, written in the other way.
  const std::string joined = "id: a.id identity | a.id join, b.id join, b.w filter";
  EXPECT_EQ(lineage("SELECT a.id FROM a JOIN b ON a.id = b.id AND b.w > 3"), joined);
  EXPECT_EQ(lineage("SELECT a.id FROM a, b WHERE a.id = b.id AND b.w > 3"), joined);
  EXPECT_EQ(lineage("SELECT a.id FROM a, b WHERE a.v BETWEEN b.w AND b.w + b.g"),
            "id: a.id identity | a.v join, b.g join, b.w join");
  EXPECT_EQ(lineage("SELECT a.id FROM a, b WHERE a.id = b.id OR a.v = 1"),
            "id: a.id identity | a.id filter, a.v filter, b.id filter");
}

TEST_F(LineageTest, KnowsAllJoins) {
  EXPECT_EQ(lineage("SELECT v, w FROM a LEFT JOIN b ON a.id = b.id AND a.g > 1"),
            "v: a.v identity; w: b.w identity | a.g join, a.id join, b.id join");
  EXPECT_EQ(lineage("SELECT id FROM a FULL JOIN b USING (id)"),
            "id: a.id transformation, b.id transformation | a.id join, b.id join");
  EXPECT_EQ(lineage("SELECT v FROM a SEMI JOIN b USING (id)"),
            "v: a.v identity | a.id join, b.id join");
  EXPECT_EQ(lineage("SELECT v FROM a ANTI JOIN b ON a.id < b.id + a.g"),
            "v: a.v identity | a.g join, a.id join, b.id join");
  EXPECT_EQ(lineage("SELECT w FROM a ASOF JOIN b ON a.id = b.id AND a.v >= b.w"),
            "w: b.w identity | a.id join, a.v join, b.id join, b.w join");
  EXPECT_EQ(lineage("SELECT v, w FROM a POSITIONAL JOIN b"),
            "v: a.v identity; w: b.w identity");
  EXPECT_EQ(lineage("SELECT v, w FROM a CROSS JOIN b"),
            "v: a.v identity; w: b.w identity");
  EXPECT_EQ(lineage("SELECT v, k FROM a, LATERAL (SELECT a.g + 1 AS k) AS l"),
            "v: a.v identity; k: a.g transformation | a.g join");
  EXPECT_EQ(lineage("SELECT v, t FROM a, LATERAL (SELECT sum(w) AS t FROM b "
                    "WHERE b.id = a.id) AS l"),
            "v: a.v identity; t: b.w aggregation | a.id join, b.id join");
}

TEST_F(LineageTest, SubqueriesThatAreValuesDecideOnlyThoseValues) {
  EXPECT_EQ(lineage("SELECT v, (SELECT w FROM b WHERE g = 1) AS x FROM a"),
            "v: a.v identity; x: b.g filter, b.w identity");
  EXPECT_EQ(lineage("SELECT v, (SELECT max(w) FROM b WHERE b.id = a.id) AS x FROM a"),
            "v: a.v identity; x: a.id join, b.id join, b.w aggregation");
  EXPECT_EQ(lineage("SELECT v FROM a WHERE v > (SELECT avg(w) FROM b WHERE g = 1)"),
            "v: a.v identity | a.v filter, b.g filter, b.w filter");
  EXPECT_EQ(lineage("SELECT v, id IN (SELECT w FROM b WHERE g = 1) AS x FROM a"),
            "v: a.v identity; x: a.id transformation+join, b.g filter, "
            "b.w transformation+join");
  EXPECT_EQ(lineage("SELECT v, EXISTS (FROM b WHERE w > 1) AS x FROM a"),
            "v: a.v identity; x: b.w filter");
  EXPECT_EQ(lineage("SELECT v, m FROM a, (SELECT max(w) AS m FROM b WHERE g = 1)"),
            "v: a.v identity; m: b.g filter, b.w aggregation");
}

TEST_F(LineageTest, SubqueriesThatAreConditionsJoin) {
  EXPECT_EQ(lineage("SELECT v FROM a WHERE id IN (SELECT w FROM b WHERE g = 1)"),
            "v: a.v identity | a.id join, b.g filter, b.w join");
  EXPECT_EQ(lineage("SELECT v FROM a WHERE id > ALL (SELECT w FROM b)"),
            "v: a.v identity | a.id join, b.w join");
  const std::string exists = "v: a.v identity | a.id join, b.g filter, b.id join";
  EXPECT_EQ(
      lineage("SELECT v FROM a WHERE EXISTS (FROM b WHERE b.id = a.id AND g = 1)"),
      exists);
  EXPECT_EQ(
      lineage("SELECT v FROM a WHERE NOT EXISTS (FROM b WHERE b.id = a.id AND g = 1)"),
      exists);
  EXPECT_EQ(lineage("SELECT v FROM a WHERE EXISTS (FROM b WHERE g = 1)"),
            "v: a.v identity | b.g filter");
}

TEST_F(LineageTest, GroupsAndAggregates) {
  EXPECT_EQ(lineage("SELECT v + 1 AS k, sum(id) AS s FROM a GROUP BY v + 1"),
            "k: a.v transformation; s: a.id aggregation | a.v group");
  EXPECT_EQ(lineage("SELECT count(DISTINCT v) FILTER (WHERE g > 1) AS n FROM a"),
            "n: a.g filter, a.v aggregation");
  EXPECT_EQ(lineage("SELECT string_agg(s ORDER BY id, s) AS l FROM a"),
            "l: a.id sort, a.s aggregation+sort");
  EXPECT_EQ(lineage("SELECT grouping(g) AS t, g, sum(v) AS s FROM a GROUP BY ROLLUP "
                    "(g)"),
            "t:; g: a.g identity; s: a.v aggregation | a.g group");
  EXPECT_EQ(lineage("SELECT DISTINCT g, v + 1 AS k FROM a"),
            "g: a.g identity; k: a.v transformation | a.g group, a.v group");
  EXPECT_EQ(lineage("SELECT DISTINCT ON (g) v FROM a ORDER BY g, id"),
            "v: a.v identity | a.g group, a.g sort, a.id sort");
}

TEST_F(LineageTest, WindowsDecideTheirOwnColumn) {
  EXPECT_EQ(lineage("SELECT id, lag(v, g) OVER (PARTITION BY g ORDER BY id) AS p, "
                    "row_number() OVER (ORDER BY s) AS n FROM a"),
            "id: a.id identity; p: a.g transformation+window, a.id window, "
            "a.v transformation; n: a.s window");
  EXPECT_EQ(lineage("SELECT sum(v) FILTER (WHERE g > 1) OVER (PARTITION BY s ORDER BY "
                    "id ROWS BETWEEN g PRECEDING AND CURRENT ROW) AS t FROM a"),
            "t: a.g filter+window, a.id window, a.s window, a.v aggregation");
  EXPECT_EQ(lineage("SELECT first_value(v ORDER BY id) OVER (PARTITION BY g) AS f "
                    "FROM a"),
            "f: a.g window, a.id window, a.v transformation");
  // An influence keeps its kind, however far it reaches.
  EXPECT_EQ(lineage("SELECT v FROM a QUALIFY row_number() OVER (PARTITION BY g ORDER "
                    "BY id) = 1"),
            "v: a.v identity | a.g window, a.id window");
  EXPECT_EQ(lineage("SELECT id FROM a QUALIFY v > avg(v) OVER (PARTITION BY g)"),
            "id: a.id identity | a.g window, a.v filter");
}

TEST_F(LineageTest, OrderAndLimit) {
  EXPECT_EQ(lineage("SELECT id FROM a ORDER BY v + g DESC LIMIT 3"),
            "id: a.id identity | a.g sort, a.v sort");
  EXPECT_EQ(lineage("SELECT id FROM a LIMIT (SELECT max(w) FROM b)"),
            "id: a.id identity | b.w filter");
  EXPECT_EQ(lineage("SELECT id FROM a USING SAMPLE 10%"), "id: a.id identity");
}

TEST_F(LineageTest, SetOperations) {
  EXPECT_EQ(lineage("SELECT id, v FROM a UNION ALL SELECT g, w + 1 FROM b"),
            "id: a.id identity, b.g identity; v: a.v identity, b.w transformation");
  EXPECT_EQ(lineage("SELECT id FROM a UNION SELECT w FROM b"),
            "id: a.id identity, b.w identity | a.id group, b.w group");
  EXPECT_EQ(lineage("SELECT id, v FROM a UNION ALL BY NAME SELECT w AS v FROM b"),
            "id: a.id identity; v: a.v identity, b.w identity");
  EXPECT_EQ(lineage("SELECT id FROM a EXCEPT SELECT w FROM b WHERE g = 1"),
            "id: a.id identity | a.id group, b.g filter, b.w filter");
  EXPECT_EQ(lineage("SELECT id FROM a EXCEPT ALL SELECT w FROM b"),
            "id: a.id identity | b.w filter");
  EXPECT_EQ(lineage("SELECT id FROM a INTERSECT ALL SELECT w FROM b"),
            "id: a.id identity, b.w identity | b.w filter");
  EXPECT_EQ(lineage("SELECT v FROM a UNION ALL SELECT v + 1 FROM a"),
            "v: a.v identity+transformation");
}

TEST_F(LineageTest, CommonTableExpressions) {
  EXPECT_EQ(lineage("WITH c AS (SELECT id AS k, sum(v) AS s FROM a WHERE g = 1 GROUP "
                    "BY id) SELECT x.k, y.s FROM c x JOIN c y ON x.k = y.s"),
            "k: a.id identity; s: a.v aggregation | a.g filter, a.id join, a.id group, "
            "a.v join");
  EXPECT_EQ(lineage("WITH c AS (SELECT w FROM b WHERE g = 1), d AS (SELECT id FROM a) "
                    "SELECT id, (SELECT max(w) FROM c) AS m FROM d"),
            "id: a.id identity; m: b.g filter, b.w aggregation");
  EXPECT_EQ(lineage("WITH unused AS MATERIALIZED (SELECT w FROM b WHERE g = 1) "
                    "SELECT id FROM a"),
            "id: a.id identity");
}

TEST_F(LineageTest, RecursionGoesOnUntilNothingIsNew) {
  // In each round the values move a column on: x has those of all three at last.
  EXPECT_EQ(lineage("WITH RECURSIVE r(x, y, z) AS (SELECT id, v, g FROM a UNION ALL "
                    "SELECT y, z + 1, z FROM r WHERE x < 9) SELECT x FROM r"),
            "x: a.g transformation, a.id identity, a.v identity | a.g filter, "
            "a.id filter, a.v filter");
  EXPECT_EQ(lineage("WITH RECURSIVE r AS (SELECT id FROM a UNION SELECT b.w FROM r "
                    "JOIN b ON r.id = b.id) SELECT * FROM r"),
            "id: a.id identity, b.w identity | a.id join, a.id group, b.id join, "
            "b.w join, b.w group");
}

TEST_F(LineageTest, ListsAreTakenApart) {
  EXPECT_EQ(lineage("SELECT id, unnest(items) AS i FROM a"),
            "id: a.id identity; i: a.items transformation | a.items join");
  EXPECT_EQ(lineage("SELECT id, i FROM a, unnest(items) AS u(i)"),
            "id: a.id identity; i: a.items transformation | a.items join");
  EXPECT_EQ(lineage("SELECT a.id, j.value AS x FROM a, json_each(s) AS j"),
            "id: a.id identity; x: a.s transformation | a.s join");
  EXPECT_EQ(lineage("SELECT id, range AS r FROM a, range(3)"), "id: a.id identity; r:");
  EXPECT_EQ(lineage("SELECT id, (SELECT sum(i) FROM (SELECT unnest(items) AS i)) AS t "
                    "FROM a"),
            "id: a.id identity; t: a.items aggregation+join");
}

TEST_F(LineageTest, PivotsAndUnpivots) {
  const std::string pivoted = "; 2: a.g filter, a.v aggregation | a.id group";
  EXPECT_EQ(lineage("PIVOT a ON g IN (1, 2) USING sum(v) GROUP BY id"),
            "id: a.id identity; 1: a.g filter, a.v aggregation" + pivoted);
  EXPECT_EQ(lineage("UNPIVOT (SELECT id, v, g FROM a) ON v, g INTO NAME n VALUE x"),
            "id: a.id identity; n:; x: a.g transformation, a.v transformation | "
            "a.g join, a.g filter, a.v join, a.v filter");
}

// More values than DuckDB makes filters of: an operator of its own.
TEST_F(LineageTest, PivotsOnManyValues) {
  std::string values;
  for (int i = 0; i < 40; ++i) values += (i > 0 ? ", " : "") + std::to_string(i);
  const auto shape = shape_of("PIVOT a ON g IN (" + values +
                              ") USING sum(v) AS v, max(s) AS s GROUP BY id");
  EXPECT_TRUE(shape.lineage.complete) << shape.lineage.incomplete_because;
  ASSERT_EQ(shape.lineage.columns.size(), 81U);
  for (std::size_t i = 0; i < 81; ++i) {
    SCOPED_TRACE(i);
    std::string shown;
    for (const auto& edge : shape.lineage.columns[i]) shown += show(edge) + ";";
    EXPECT_EQ(shown, i == 0       ? "a.id identity;"
                     : i % 2 == 1 ? "a.g filter;a.v aggregation;"
                                  : "a.g filter;a.s aggregation;");
  }
}

TEST_F(LineageTest, ConstantsComeFromNowhere) {
  EXPECT_EQ(lineage("SELECT * FROM (VALUES (1, 'x'), (2, 'y')) AS t(n, m)"), "n:; m:");
  EXPECT_EQ(lineage("SELECT id, n FROM a, LATERAL (VALUES (a.v), (2)) AS t(n)"),
            "id: a.id identity; n: a.v identity | a.v join");
  EXPECT_EQ(lineage("SELECT 1 AS one"), "one:");
}

TEST_F(LineageTest, SaysWhatItDoesNotKnow) {
  const auto shape = session().describe(
      "SELECT function_name FROM duckdb_functions()", Origin::lakemill);
  ASSERT_TRUE(shape.has_value()) << shape.error().message();
  EXPECT_FALSE(shape->lineage.complete);
  EXPECT_EQ(shape->lineage.incomplete_because, "table function duckdb_functions");
}

}  // namespace
}  // namespace lakemill::engine_duckdb
