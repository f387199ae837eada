// What a query's author knows nothing of must change nothing for him: each query is run
// over relations that carry a column and over such as do not.
#include "lakemill/engine_duckdb/carried_column.h"

#include <array>

#include "lakemill/engine_duckdb/session_fixture.h"

namespace lakemill::engine_duckdb {
namespace {

using engine::Origin;

struct Step {
  const char* sql;
  bool carries = false;
};

// `e` has rows that differ in nothing but the carried column, and nulls. In answers
// that carry it, a column `id` is that of the row that it came from.
constexpr std::array kSteps = {
    // Rows of one row each.
    Step{"SELECT * FROM e", true},
    Step{"FROM e", true},
    Step{"SELECT id, v FROM e", true},
    Step{"SELECT id FROM e AS t WHERE t.v > 10", true},
    Step{"SELECT t.*, t.v + 1 AS w FROM e t", true},
    Step{"SELECT * EXCLUDE (v) FROM e", true},
    Step{"SELECT * REPLACE (v * 2 AS v) FROM e", true},
    Step{"SELECT * RENAME (v AS value) FROM e", true},
    Step{"SELECT id, CAST(COLUMNS(* EXCLUDE (id, items)) AS VARCHAR) FROM e", true},
    Step{"SELECT COLUMNS('^[iv]') FROM e", true},
    Step{"SELECT COLUMNS(c -> c LIKE '%i%') FROM e", true},
    Step{"SELECT id, struct_pack(a := v) AS s, v + 1 AS b, b * 2 AS c FROM e", true},
    Step{"SELECT * FROM e WHERE COLUMNS(*) IS NOT NULL", true},
    Step{"SELECT id, coalesce(*COLUMNS(['id', 'v'])) AS c FROM e", true},
    Step{"SELECT * FROM e ORDER BY ALL", true},
    Step{"SELECT id, v FROM e ORDER BY v DESC", true},
    Step{"SELECT * FROM (SELECT id, v FROM e WHERE v > 5)", true},
    Step{"SELECT s.* FROM (SELECT * FROM e) AS s", true},
    Step{"SELECT a, b FROM (SELECT id, v FROM e) AS s(a, b)", true},
    Step{"WITH w AS (SELECT id, v FROM e) SELECT * FROM w", true},
    Step{"WITH w(a) AS (SELECT id FROM e), x AS (FROM w) SELECT a AS id FROM x", true},
    Step{"WITH unused AS (SELECT 1 AS one) SELECT id FROM e", true},
    Step{"SELECT id, v FROM e UNION ALL SELECT id, -v FROM e", true},
    Step{"SELECT * FROM e UNION ALL SELECT * FROM e", true},
    Step{"SELECT id, v FROM e UNION ALL BY NAME SELECT v, id FROM e", true},
    Step{"SELECT id, unnest(items) AS item FROM e", true},
    Step{"SELECT id, unnest({'a': v, 'b': 1}) FROM e", true},
    Step{"SELECT id, u.item FROM e, UNNEST(e.items) AS u(item)", true},
    Step{"SELECT e.*, u.item FROM e LEFT JOIN LATERAL (SELECT unnest(e.items) AS item) "
         "u "
         "ON true",
         true},
    Step{"SELECT e.id, l.w FROM e, LATERAL (SELECT e.v + 1 AS w) AS l", true},
    Step{"SELECT * FROM e, LATERAL (SELECT e.v + 1 AS w) AS l", true},
    Step{"SELECT id, (SELECT max(i) FROM (SELECT unnest(items) AS i)) AS m FROM e",
         true},
    Step{"SELECT id, (SELECT 42) AS answer FROM e", true},
    Step{"SELECT * FROM e WHERE v IN (SELECT unnest([10, 20]))", true},
    Step{"SELECT * FROM e CROSS JOIN (VALUES (1), (2)) AS c(x)", true},
    Step{"SELECT e.id, c.x FROM (VALUES (1), (2)) AS c(x), e", true},
    Step{"SELECT e.id, c.x FROM e JOIN (VALUES (1, 'a'), (2, 'b')) AS c(id, x) USING "
         "(id)",
         true},
    Step{"SELECT * FROM e LEFT JOIN (VALUES (1, 'a')) AS c(n, x) ON e.id = c.n", true},
    Step{"SELECT e.id, r.range FROM e, range(2) AS r", true},
    Step{"UNPIVOT (SELECT id, v, v + 1 AS w FROM e) ON v, w INTO NAME n VALUE x", true},
    Step{"SELECT * FROM (SELECT id, v FROM e) UNPIVOT (x FOR n IN (v))", true},
    Step{
        "SELECT id, n, x FROM (UNPIVOT (SELECT id, v FROM e) ON v INTO NAME n VALUE x)",
        true},
    // Rows in which the column itself would be.
    Step{"SELECT id, to_json(e) AS j FROM e"},
    Step{"SELECT id, e AS x FROM e"},
    Step{"SELECT id, d AS x FROM (SELECT * FROM e) AS d"},
    Step{"SELECT id, hash(e) AS h FROM e"},
    Step{"SELECT id, [e] AS h FROM e"},
    Step{"SELECT id FROM e WHERE to_json(e)::VARCHAR LIKE '%s%'"},
    Step{"SELECT e.id, j.value FROM e, json_each(to_json(e)) AS j"},
    Step{"SELECT id, (SELECT to_json(e)) AS j FROM e"},
    Step{"SELECT id FROM (SELECT id, unnest(json_keys(to_json(e))) AS k FROM e)"},
    Step{"SELECT e.id FROM e, json_each(to_json(e)) AS j"},
    Step{"SELECT id, (SELECT count(*) FROM (SELECT unnest(json_keys(to_json(e))))) AS "
         "n FROM e"},
    // Rows of several rows.
    Step{"SELECT DISTINCT * FROM e"},
    Step{"SELECT DISTINCT id, v FROM e"},
    Step{"SELECT DISTINCT ON (id) id FROM e"},
    Step{"SELECT * FROM (SELECT DISTINCT * FROM e)"},
    Step{"SELECT id, v, count(*) AS n FROM e GROUP BY ALL"},
    Step{"SELECT *, count(*) AS n FROM e GROUP BY ALL"},
    Step{"SELECT id, max(v) AS v FROM e GROUP BY id"},
    Step{"SELECT max(COLUMNS(*)) FROM e"},
    Step{"SELECT count(*) AS n FROM e"},
    Step{"SELECT count(DISTINCT e) AS n FROM e"},
    Step{"SELECT *, row_number() OVER (PARTITION BY id ORDER BY v) AS n FROM (SELECT "
         "DISTINCT * FROM e)"},
    Step{"SELECT * FROM e QUALIFY count(*) OVER (PARTITION BY id) = 1"},
    Step{"SELECT id, v FROM e ORDER BY ALL LIMIT 2"},
    Step{"SELECT * FROM e ORDER BY ALL LIMIT 3"},
    Step{"SELECT * FROM e NATURAL JOIN other"},
    Step{"SELECT * FROM e NATURAL JOIN (SELECT * FROM e)"},
    Step{"SELECT * FROM e JOIN other USING (id)"},
    Step{"SELECT e.id, o.name FROM e LEFT JOIN other o ON e.id = o.id"},
    Step{"SELECT a.*, b.id AS other FROM e a JOIN e b ON a.id = b.id"},
    Step{"SELECT * FROM e SEMI JOIN other USING (id)"},
    Step{"SELECT * FROM e WHERE id IN (SELECT id FROM other)"},
    Step{"SELECT id, (SELECT max(name) FROM other) AS name FROM e"},
    Step{"SELECT id, (SELECT name FROM other o WHERE o.id = e.id) AS name FROM e"},
    Step{"SELECT * FROM (VALUES (1), (99)) AS c(n) LEFT JOIN e ON e.id = c.n"},
    Step{"SELECT * FROM e UNION SELECT * FROM e"},
    Step{"SELECT * FROM e EXCEPT SELECT * FROM e WHERE v = 10"},
    Step{"SELECT * FROM e INTERSECT SELECT * FROM e WHERE v = 10"},
    Step{"SELECT * FROM e EXCEPT ALL SELECT * FROM e WHERE v = 10"},
    Step{"SELECT id FROM e UNION ALL SELECT id FROM other"},
    Step{"PIVOT (SELECT id, v FROM e) ON id IN (1, 2) USING sum(v)"},
    Step{"SELECT * FROM (SELECT id, v FROM e) PIVOT (sum(v) FOR id IN (1, 2))"},
    Step{"PIVOT e ON id IN (1, 2) USING count(*) GROUP BY v"},
    Step{"UNPIVOT (SELECT id::VARCHAR AS id, v::VARCHAR AS v FROM e) ON COLUMNS(*)",
         true},
    Step{"SUMMARIZE SELECT id, v FROM e"},
    Step{"DESCRIBE SELECT * FROM e"},
    Step{"SELECT 1 AS one"},
    Step{"SELECT id FROM other"},
    Step{"WITH RECURSIVE r AS (SELECT id FROM e UNION SELECT id + 10 FROM r WHERE id < "
         "20) "
         "SELECT * FROM r"},
};

class CarriedColumn : public SessionFixture {
 protected:
  void SetUp() override {
    SessionFixture::SetUp();
    const std::string rows =
        "(VALUES (1, 10, [1, 2], 's1a'), (1, 10, [1, 2], 's1b'), (1, 11, NULL, 's1c'), "
        "(2, 20, [], 's2a'), (2, NULL, [3], 's2b'), (3, 5, [4, NULL], 's3a')) AS "
        "r(id, v, items, hid)";
    bind("e", "SELECT id, v, items FROM " + rows);
    bind(engine::carrying_name("e", "hid"), "SELECT id, v, items, hid FROM " + rows);
    bind("other", "SELECT * FROM (VALUES (1, 'one'), (3, 'three')) AS o(id, name)");
  }

  void bind(const std::string& name, const std::string& sql) {
    const auto bound = session().bind_query(name, sql, Origin::lakemill);
    ASSERT_TRUE(bound.has_value()) << bound.error().message();
  }

  std::string columns(const std::string& from) {
    return text(
        "SELECT string_agg(column_name || ' ' || column_type, ', ') FROM "
        "(DESCRIBE " +
        from + ")");
  }
};

TEST_F(CarriedColumn, IsNotSeenByQueriesAndIsThatOfTheirRow) {
  const std::string twin = "\"" + engine::carrying_name("c", "hid") + "\"";
  for (const Step& step : kSteps) {
    SCOPED_TRACE(step.sql);
    bind("p", step.sql);  // of an input that carries nothing
    const auto answer = session().run("CREATE OR REPLACE TEMP TABLE answer AS FROM p");
    ASSERT_TRUE(answer.has_value()) << answer.error().message();

    const auto carries =
        session().bind_carrying("c", step.sql, "hid", Origin::pipeline);
    ASSERT_TRUE(carries.has_value()) << carries.error().message();
    EXPECT_EQ(*carries, step.carries);
    EXPECT_EQ(columns("FROM c"), columns("FROM answer"));
    EXPECT_EQ(difference("FROM c", "FROM answer"), "0");
    if (!*carries) continue;
    EXPECT_EQ(columns("FROM " + twin), columns("FROM answer") + ", hid VARCHAR");
    EXPECT_EQ(difference("SELECT * EXCLUDE (hid) FROM " + twin, "FROM answer"), "0");
    EXPECT_EQ(text("SELECT count(*) FROM " + twin + " WHERE hid IS NULL"), "0");
    if (columns("FROM answer").starts_with("id INTEGER")) {
      EXPECT_EQ(text("SELECT count(*) FROM " + twin + " WHERE hid[2] <> id::VARCHAR"),
                "0");
    }
  }
}

TEST_F(CarriedColumn, GoesThroughOneStepAfterAnother) {
  const auto step = [&](const std::string& name, const std::string& sql) {
    const auto carries = session().bind_carrying(name, sql, "hid", Origin::pipeline);
    EXPECT_TRUE(carries.has_value()) << carries.error().message();
    return carries && *carries;
  };
  EXPECT_TRUE(step("s1", "SELECT id, v FROM e WHERE v IS NOT NULL"));
  EXPECT_TRUE(step("s2", "SELECT * FROM s1 UNION ALL FROM s1"));
  EXPECT_TRUE(step("s3", "SELECT id FROM s2"));
  EXPECT_EQ(text("SELECT string_agg(id || hid, ' ' ORDER BY hid) FROM \"hid of s3\""),
            "1s1a 1s1a 1s1b 1s1b 1s1c 1s1c 2s2a 2s2a 3s3a 3s3a");
  EXPECT_FALSE(step("s4", "SELECT DISTINCT * FROM s3"));
  EXPECT_FALSE(step("s5", "SELECT * FROM s4"));
  EXPECT_EQ(columns("FROM s5"), "id INTEGER");
  // A name that is bound anew forgets what it carried.
  EXPECT_FALSE(step("s1", "SELECT id FROM other"));
  EXPECT_FALSE(step("s6", "SELECT * FROM s1"));
}

}  // namespace
}  // namespace lakemill::engine_duckdb
