#include "lakemill/language/method_sql.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lakemill::language {
namespace {

using data::TypeKind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

data::Field field(const std::string& name, TypeKind kind) {
  return data::Field{name, data::make_type(kind), true, Json::object()};
}

Frame input() {
  return Frame{
      "\"df\"",
      {{field("k", TypeKind::string), field("o", TypeKind::int64),
        field("x", TypeKind::int64),
        data::Field{"l", data::make_array(data::make_type(TypeKind::int64), true), true,
                    Json::object()}}}};
}

Result<Frame> resolve(std::string_view reference) {
  if (reference == "nodes.other") {
    return Frame{"\"other\"",
                 {{field("k", TypeKind::string), field("x", TypeKind::int64),
                   field("w", TypeKind::string)}}};
  }
  if (reference == "sources.same") return Frame{"\"same\"", input().schema};
  return Error(ErrorCode::not_found,
               "there is no '" + std::string(reference) + "' here");
}

Tree list(std::vector<std::string> texts) {
  Tree tree;
  tree.kind = TreeKind::list;
  for (std::string& text : texts) tree.items.push_back(make_string(std::move(text)));
  return tree;
}

Tree mapping(std::vector<std::pair<std::string, Tree>> entries) {
  Tree tree;
  tree.kind = TreeKind::mapping;
  for (auto& [key, value] : entries) {
    tree.entries.push_back(TreeEntry{key, {}, std::move(value)});
  }
  return tree;
}

struct Arguments {
  std::vector<Tree> positional;
  std::vector<std::pair<std::string, Tree>> named;
};

MethodCall call_of(const std::string& name, Arguments arguments) {
  MethodCall call;
  call.name = name;
  call.location = Location{"pipeline.yaml", 7, 3};
  call.arguments = std::move(arguments.positional);
  for (auto& [key, value] : arguments.named) {
    call.named_arguments.push_back(NamedArgument{key, {}, std::move(value)});
  }
  return call;
}

std::string sql(const std::string& name, Arguments arguments) {
  auto compiled = compile_method(call_of(name, std::move(arguments)), input(), resolve,
                                 Dialect::duckdb);
  return compiled ? *compiled : "error: " + compiled.error().message();
}

Tree text(const std::string& value) { return make_string(value); }

TEST(MethodSql, SelectsAndComputesColumns) {
  EXPECT_EQ(sql("select", {{text("k"), text("nw.col('x') + 1")}, {}}),
            "SELECT \"k\" AS \"k\", (\"x\" + 1) AS \"x\" FROM \"df\"");
  EXPECT_EQ(sql("select", {{text("nw.col('x').sum()")}, {{"n", text("nw.len()")}}}),
            "SELECT coalesce(sum(\"x\"), 0) AS \"x\", count(*) AS \"n\" FROM \"df\"");
  EXPECT_EQ(
      sql("select", {{text("k"), text("nw.col('x').sum()")}, {}}),
      "SELECT \"k\" AS \"k\", coalesce(sum(\"x\") OVER (), 0) AS \"x\" FROM \"df\"");
  EXPECT_EQ(
      sql("with_columns", {{}, {{"x", text("nw.col('x') * 2")}, {"y", text("o")}}}),
      "SELECT \"k\", \"o\", (\"x\" * 2) AS \"x\", \"l\", \"o\" AS \"y\" FROM \"df\"");
  EXPECT_EQ(sql("with_columns", {{}, {{"y", make_integer(5)}}}),
            "SELECT \"k\", \"o\", \"x\", \"l\", 5 AS \"y\" FROM \"df\"");
  EXPECT_EQ(sql("rename", {{mapping({{"x", text("z")}})}, {}}),
            "SELECT \"k\", \"o\", \"x\" AS \"z\", \"l\" FROM \"df\"");
  EXPECT_EQ(sql("drop", {{text("x"), text("l")}, {}}),
            "SELECT \"k\", \"o\" FROM \"df\"");
  EXPECT_EQ(sql("cast", {{mapping({{"x", text("nw.String")}})}, {}}),
            "SELECT \"k\", \"o\", CAST(\"x\" AS VARCHAR) AS \"x\", \"l\" FROM \"df\"");
  EXPECT_EQ(
      sql("fill_null", {{make_integer(0)}, {}}),
      "SELECT \"k\", coalesce(\"o\", 0) AS \"o\", coalesce(\"x\", 0) AS \"x\", \"l\" "
      "FROM \"df\"");
}

TEST(MethodSql, FiltersWithWindowsAfterThem) {
  EXPECT_EQ(sql("filter", {{text("nw.col('x') > 1")}, {{"k", text("a")}}}),
            "SELECT * FROM \"df\" WHERE (\"x\" > 1) AND (\"k\" = 'a')");
  EXPECT_EQ(sql("filter", {{text("nw.col('x') > nw.col('x').mean()")}, {}}),
            "SELECT * FROM \"df\" QUALIFY (\"x\" > avg(\"x\") OVER ())");
}

TEST(MethodSql, ChoosesRowsSoThatItCanBeRepeated) {
  EXPECT_EQ(sql("unique", {{}, {{"subset", list({"k", "o"})}, {"keep", text("any")}}}),
            "SELECT * FROM \"df\" QUALIFY row_number() OVER (PARTITION BY \"k\", \"o\" "
            "ORDER BY \"x\" ASC NULLS LAST, \"l\" ASC NULLS LAST) = 1");
  EXPECT_EQ(sql("unique", {}), "SELECT DISTINCT * FROM \"df\"");
  EXPECT_EQ(sql("drop_duplicates", {{list({"k"})}, {{"keep", text("none")}}}),
            "SELECT * FROM \"df\" QUALIFY count(*) OVER (PARTITION BY \"k\") = 1");
  EXPECT_EQ(
      sql("sort", {{text("k"), text("x")}, {{"descending", make_boolean(true)}}}),
      "SELECT * FROM \"df\" ORDER BY \"k\" DESC NULLS FIRST, \"x\" DESC NULLS FIRST");
  EXPECT_EQ(sql("head", {{make_integer(3)}, {}}), "SELECT * FROM \"df\" LIMIT 3");
  EXPECT_EQ(sql("limit", {{make_integer(3)}, {}}), "SELECT * FROM \"df\" LIMIT 3");
  EXPECT_EQ(
      sql("tail", {}),
      "SELECT * FROM \"df\" LIMIT 5 OFFSET (SELECT greatest(count(*) - 5, 0) FROM "
      "\"df\")");
  EXPECT_EQ(
      sql("sample", {{}, {{"n", make_integer(2)}, {"seed", make_integer(7)}}}),
      "SELECT * FROM \"df\" ORDER BY hash(\"k\", \"o\", \"x\", \"l\", 7) LIMIT 2");
  EXPECT_EQ(sql("drop_nulls", {{text("x")}, {}}),
            "SELECT * FROM \"df\" WHERE \"x\" IS NOT NULL");
}

TEST(MethodSql, NumbersRows) {
  EXPECT_EQ(
      sql("with_row_index", {{}, {{"order_by", text("o")}}}),
      "SELECT (row_number() OVER (ORDER BY \"o\" ASC NULLS FIRST) - 1) AS \"index\", * "
      "FROM \"df\"");
  EXPECT_EQ(
      sql("laktory.window_filter", {{},
                                    {{"partition_by", text("k")},
                                     {"order_by", list({"o"})},
                                     {"rows_to_keep", make_integer(2)}}}),
      "SELECT * FROM \"df\" QUALIFY row_number() OVER (PARTITION BY \"k\" ORDER BY "
      "\"o\" ASC NULLS FIRST) <= 2");
  EXPECT_EQ(
      sql("laktory.with_row_index", {{},
                                     {{"name", text("n")},
                                      {"order_by", text("o")},
                                      {"partition_by", text("k")}}}),
      "SELECT \"k\", \"o\", \"x\", \"l\", (row_number() OVER (PARTITION BY \"k\" ORDER "
      "BY \"o\" ASC NULLS FIRST) - 1) AS \"n\" FROM \"df\"");
}

TEST(MethodSql, JoinsAsPolarsDoes) {
  EXPECT_EQ(
      sql("join", {{text("{nodes.other}")}, {{"on", list({"k"})}}}),
      "SELECT l.\"k\", l.\"o\", l.\"x\", l.\"l\", r.\"x\" AS \"x_right\", r.\"w\" FROM "
      "\"df\" AS l INNER JOIN \"other\" AS r ON l.\"k\" = r.\"k\"");
  EXPECT_EQ(
      sql("join",
          {{text("{nodes.other}")},
           {{"left_on", text("o")}, {"right_on", text("x")}, {"how", text("left")}}}),
      "SELECT l.\"k\", l.\"o\", l.\"x\", l.\"l\", r.\"k\" AS \"k_right\", r.\"w\" FROM "
      "\"df\" AS l LEFT JOIN \"other\" AS r ON l.\"o\" = r.\"x\"");
  EXPECT_EQ(
      sql("join", {{text("{nodes.other}"), text("k"), text("anti")}, {}}),
      "SELECT l.* FROM \"df\" AS l ANTI JOIN \"other\" AS r ON l.\"k\" = r.\"k\"");
  EXPECT_EQ(
      sql("laktory.union", {{text("{sources.same}")}, {}}),
      "SELECT \"k\", \"o\", \"x\", \"l\" FROM \"df\" UNION ALL SELECT \"k\", \"o\", "
      "\"x\", \"l\" FROM \"same\"");
  EXPECT_EQ(
      sql("union", {{text("{df}")}, {}}),
      "SELECT \"k\", \"o\", \"x\", \"l\" FROM \"df\" UNION ALL SELECT \"k\", \"o\", "
      "\"x\", \"l\" FROM \"df\"");
}

TEST(MethodSql, AggregatesGroups) {
  const std::string expected =
      "SELECT \"k\" AS \"k\", count(\"k\") AS \"count\", min(\"x\") AS \"low\", "
      "(sum(x)) AS "
      "\"total\" FROM \"df\" GROUP BY \"k\"";
  Tree aggregations;
  aggregations.kind = TreeKind::list;
  aggregations.items.push_back(
      mapping({{"expr", text("nw.col('k').count().alias(\"count\")")}}));
  aggregations.items.push_back(text("nw.col('x').min().alias('low')"));
  aggregations.items.push_back(text("sum(x) AS total"));
  EXPECT_EQ(
      sql("laktory.groupby_and_agg",
          {{}, {{"groupby_columns", list({"k"})}, {"agg_expressions", aggregations}}}),
      expected);
  const MethodCall group = call_of("group_by", {{text("k")}, {}});
  const MethodCall agg = call_of("agg", {aggregations.items, {}});
  ASSERT_TRUE(continues_method(group, agg));
  EXPECT_FALSE(continues_method(agg, group));
  EXPECT_EQ(compile_method(fuse_methods(group, agg), input(), resolve, Dialect::duckdb)
                .value(),
            expected);
  EXPECT_EQ(sql("group_by(\"k\").agg", {aggregations.items, {}}), expected);
  EXPECT_EQ(
      sql("group_by().agg", {{text("nw.col('x').sum()")}, {{"by", text("k")}}}),
      "SELECT \"k\" AS \"k\", coalesce(sum(\"x\"), 0) AS \"x\" FROM \"df\" GROUP BY "
      "\"k\"");
  EXPECT_EQ(sql("group_by", {{text("k")}, {{"n", text("nw.len()")}}}),
            "SELECT \"k\" AS \"k\", count(*) AS \"n\" FROM \"df\" GROUP BY \"k\"");
}

TEST(MethodSql, TurnsRowsAndColumns) {
  EXPECT_EQ(
      sql("explode", {{text("l")}, {}}),
      "SELECT \"k\", \"o\", \"x\", unnest(CASE WHEN len(\"l\") > 0 THEN \"l\" ELSE "
      "[NULL] END) AS \"l\" FROM \"df\"");
  EXPECT_EQ(
      sql("unpivot", {{list({"o", "x"})}, {{"index", text("k")}}}),
      "SELECT \"k\", unnest(['o', 'x']) AS \"variable\", unnest([\"o\", \"x\"]) AS "
      "\"value\" FROM \"df\"");
  EXPECT_EQ(
      sql("pivot", {{text("k"), list({"a", "b"})},
                    {{"index", text("o")},
                     {"values", text("x")},
                     {"aggregate_function", text("sum")}}}),
      "SELECT \"o\", sum(\"x\") FILTER (WHERE \"k\" = 'a') AS \"a\", sum(\"x\") FILTER "
      "(WHERE \"k\" = 'b') AS \"b\" FROM \"df\" GROUP BY \"o\"");
}

struct Fault {
  std::string name;
  Arguments arguments;
  std::string message;
};

TEST(MethodSql, SaysWhatIsWrongAndWhere) {
  const std::vector<Fault> faults = {
      {"selct",
       {{text("k")}, {}},
       "pipeline.yaml:7:3: unknown method 'selct'; did you mean 'select'?"},
      {"select",
       {{text("kk")}, {}},
       "pipeline.yaml:7:3: select: there is no column 'kk'; did you mean 'k'?"},
      {"select",
       {{text("nw.col('zzzz')")}, {}},
       "in the expression, column 8: there is no column 'zzzz'; there are: k, o, x, l"},
      {"select",
       {{text("k"), text("nw.col('o').alias('k')")}, {}},
       "two columns have the name 'k'"},
      {"select", {}, "at least one column is due"},
      {"with_columns",
       {{}, {{"a", text("nw.col('k', 'o')")}}},
       "'a' names one column, not 2"},
      {"unique", {{}, {{"subset", list({"k", "z"})}}}, "there is no column 'z'"},
      {"unique", {{}, {{"keep", text("first")}}}, "give order_by"},
      {"unique", {{}, {{"keep", text("some")}}}, "'keep' is any, first, last or none"},
      {"unique", {{}, {{"subst", text("k")}}}, "unknown argument 'subst'"},
      {"drop", {{text("z")}, {}}, "there is no column 'z'"},
      {"drop",
       {{text("k"), text("o"), text("x"), text("l")}, {}},
       "no column would be left"},
      {"rename",
       {{mapping({{"x", text("k")}})}, {}},
       "two columns would have the name 'k'"},
      {"join",
       {{text("{nodes.other}")}, {}},
       "'on', or 'left_on' and 'right_on', is missing"},
      {"join",
       {{text("{nodes.nope}")}, {{"on", text("k")}}},
       "there is no 'nodes.nope' here"},
      {"join", {{text("other")}, {{"on", text("k")}}}, "'other' is no frame"},
      {"join",
       {{text("{nodes.other}")}, {{"on", text("o")}}},
       "there is no column 'o'"},
      {"join",
       {{text("{nodes.other}")}, {{"on", text("k")}, {"how", text("right")}}},
       "the other way around"},
      {"join",
       {{text("{nodes.other}")}, {{"on", text("k")}, {"how", text("cross")}}},
       "a cross join has no keys"},
      {"union", {{text("{nodes.other}")}, {}}, "the other frame has no column 'o'"},
      {"group_by", {{text("k")}, {}}, "group_by needs what to aggregate"},
      {"group_by",
       {{text("k")}, {{"aggs", text("nw.col('x')")}}},
       "has a value for each row of a group"},
      {"agg", {{text("nw.len()")}, {}}, "'agg' must follow a step 'group_by'"},
      {"with_row_index", {}, "give order_by"},
      {"laktory.window_filter", {{text("k")}, {}}, "give order_by"},
      {"sample", {{}, {{"fraction", make_number(1.5)}}}, "between 0 and 1"},
      {"explode", {{text("k")}, {}}, "'k' is string, not a list"},
      {"pivot", {{text("k")}, {{"values", text("x")}}}, "give on_columns"},
      {"cast", {{mapping({{"x", text("nw.Int65")}})}, {}}, "'Int65' is not a type"},
      {"head", {{make_integer(-1)}, {}}, "'n' is 0 or more"},
      {"head", {{text("x")}, {}}, "'n' must be a whole number"},
      {"filter", {{text("x > 1")}, {}}, "sql_expr"},
      {"fill_null", {{}, {{"strategy", text("forward")}}}, "needs an order of rows"},
  };
  for (const Fault& fault : faults) {
    SCOPED_TRACE(fault.name + ": " + fault.message);
    EXPECT_THAT(sql(fault.name, fault.arguments),
                HasSubstr("error: pipeline.yaml:7:3: "));
    EXPECT_THAT(sql(fault.name, fault.arguments), HasSubstr(fault.message));
  }
}

TEST(MethodSql, FindsTheFramesThatACallReads) {
  EXPECT_THAT(
      frame_references(call_of(
          "join", {{text("{nodes.a}")}, {{"x", list({"{sources.b}", "{8,8}"})}}})),
      ElementsAre("nodes.a", "sources.b", "8,8"));
}

TEST(MethodSql, KnowsItsMethods) {
  EXPECT_TRUE(is_known_method("laktory.groupby_and_agg"));
  EXPECT_TRUE(is_known_method("group_by().agg"));
  EXPECT_FALSE(is_known_method("toPandas"));
  EXPECT_GE(known_methods().size(), 25U);
  for (const MethodDescription& method : method_descriptions()) {
    EXPECT_EQ(method.summary.back(), '.') << method.name;
  }
}

}  // namespace
}  // namespace lakemill::language
