// Variables, expressions in them, secrets and parameters: section 2 of the language.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/language/load_fixture.h"

namespace lakemill::language {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testkit::Given;
using testkit::load;
using testkit::load_text;

std::string expr_of(const LoadedPipeline& loaded) {
  if (!loaded.pipeline) return loaded.diagnostics.to_text();
  return loaded.pipeline->nodes.back().steps.back().sql().text;
}

TEST(Variables, KeepTheirTypeWhenTheyAreTheWholeValue) {
  const LoadedPipeline loaded = load_text(
      "name: p\nvariables: {flag: true, keys: [a, b], n: 3, Nested: \"x_${vars.N}\"}\n"
      "nodes:\n- name: a\n  strict: ${vars.FLAG}\n  primary_keys: ${var.keys}\n"
      "  comment: ${vars.nested}/${vars.n}\n  source: {path: x.csv, max_rows: "
      "'${vars.n}'}\n");
  ASSERT_EQ(loaded.diagnostics.to_text(), "");
  const Node& node = loaded.pipeline->nodes[0];
  EXPECT_TRUE(node.strict);
  EXPECT_THAT(node.primary_keys, ElementsAre("a", "b"));
  EXPECT_EQ(node.comment, "x_3/3");
  EXPECT_EQ(node.sources[0].limits.max_rows, 3);
}

TEST(Variables, FollowThePriorityOfTheirPlaces) {
  const std::string text =
      "name: p\nvariables: {v: file}\nnodes:\n- name: a\n  comment: ${vars.v}\n"
      "  source: {path: x}\n";
  const auto comment = [&](Given given) {
    given.files["p.yaml"] = text;
    given.environment = {{"v", "os"}};
    const LoadedPipeline loaded = load(std::move(given));
    return loaded.pipeline ? loaded.pipeline->nodes[0].comment
                           : loaded.diagnostics.to_text();
  };
  Project project;
  ProjectEnvironment dev;
  dev.name = "dev";
  dev.variables.push_back({"v", {}, make_string("project")});
  project.environments.push_back(dev);
  EXPECT_EQ(comment({}), "file");
  EXPECT_EQ(comment({.chosen = "dev", .project = &project}), "project");
  EXPECT_EQ(comment({.files = {{"variables.yaml", "v: beside"}},
                     .chosen = "dev",
                     .project = &project}),
            "beside");
  EXPECT_EQ(comment({.files = {{"variables.yaml", "v: beside"},
                               {"variables.dev.yaml", "v: beside-dev"}},
                     .chosen = "dev"}),
            "beside-dev");
  EXPECT_EQ(comment({.files = {{"variables.yaml", "v: beside"}},
                     .variables = {{"v", "cli"}}}),
            "cli");
}

TEST(Variables, OfTheChildWinOverTheParents) {
  const LoadedPipeline loaded = load_text(
      "name: p\nvariables: {v: outer, w: '${vars.v}!'}\nnodes:\n"
      "- name: a\n  variables: {v: inner}\n  comment: ${vars.w}\n  source: {path: x}\n"
      "- name: b\n  comment: ${vars.w}\n  source: {path: y}\n");
  ASSERT_EQ(loaded.diagnostics.to_text(), "");
  EXPECT_EQ(loaded.pipeline->nodes[0].comment, "inner!");
  EXPECT_EQ(loaded.pipeline->nodes[1].comment, "outer!");
}

TEST(Variables, ComeFromTheEnvironmentLast) {
  const LoadedPipeline loaded = load({.files = {{"p.yaml", "name: p_${vars.home}\n"}},
                                      .environment = {{"HOME", "h"}}});
  ASSERT_EQ(loaded.diagnostics.to_text(), "");
  EXPECT_EQ(loaded.pipeline->name, "p_h");
}

TEST(Variables, WithAPatternForANameReplaceInEveryString) {
  const LoadedPipeline loaded = load_text(
      "name: p\nvariables:\n  '\\$\\{catalogs\\.(\\w+)\\}': 'main_\\1'\n"
      "nodes:\n- name: a\n  source: {table_name: '${catalogs.dev}.s.t'}\n");
  ASSERT_EQ(loaded.diagnostics.to_text(), "");
  EXPECT_EQ(loaded.pipeline->nodes[0].sources[0].table.to_text(), "main_dev.s.t");
}

TEST(Variables, ThatAreExpressionsAreEvaluatedSafely) {
  const LoadedPipeline loaded = load_text(
      "name: p\nvariables: {env: prod, n: 4}\nnodes:\n"
      "- name: a\n  strict: ${{ vars.env == 'prod' and vars.n in [2, 4] }}\n"
      "  comment: \"${{ pipeline.name + '_' + pipeline_node.name.upper() }}!\"\n"
      "  owner: ${{ 'x' if vars.n * 2 > 7 else nothing }}\n  source: {path: x}\n");
  ASSERT_EQ(loaded.diagnostics.to_text(), "");
  const Node& node = loaded.pipeline->nodes[0];
  EXPECT_TRUE(node.strict);
  EXPECT_EQ(node.comment, "p_A!");
  EXPECT_EQ(node.owner, "x");
}

TEST(Variables, LeaveSecretsAsReferences) {
  const LoadedPipeline loaded = load_text("name: p\nroot_path: /x/${secret.KEY}\n");
  ASSERT_EQ(loaded.diagnostics.to_text(), "");
  EXPECT_EQ(loaded.pipeline->root_path, "/x/${secret.KEY}");
  const auto resolved = resolve_secrets(
      "a${secret.KEY}b${other}",
      [](const auto& name) { return Result<std::string>("<" + name + ">"); });
  EXPECT_EQ(*resolved, "a<KEY>b${other}");
}

TEST(Parameters, BecomeLiteralsOrQuotedNamesInSql) {
  const std::string text =
      "name: p\nparameters: {c: {default: x}, n: {default: 1}}\nnodes:\n"
      "- name: a\n  transformer:\n    nodes:\n    - expr: |\n"
      "        SELECT \"${params.c}\", `${params.c}`, '<${params.c}>', ${params.c} -- "
      "${params.c}\n        WHERE n = ${params.n}\n";
  EXPECT_EQ(
      expr_of(load({.files = {{"p.yaml", text}},
                    .parameters = {{"c", "a\"b'c`d"}, {"n", "7"}}})),
      "SELECT \"a\"\"b'c`d\", `a\"b'c``d`, '<a\"b''c`d>', 'a\"b''c`d' -- a\"b'c`d\n"
      "WHERE n = 7\n");
  EXPECT_THAT(
      expr_of(load({.files = {{"p.yaml", text}}, .parameters = {{"n", "1 OR true"}}})),
      HasSubstr("the parameter 'n' needs an integer, not '1 OR true'"));
  EXPECT_THAT(expr_of(load({.files = {{"p.yaml", text}},
                            .parameters = {{"c", "${secret.KEY}"}}})),
              HasSubstr("may not hold '${'"));
}

TEST(Parameters, OfMethodsAreNeverExpressions) {
  const std::string text =
      "name: p\nparameters: {c: {}}\nnodes:\n- name: a\n  source: {path: x}\n"
      "  transformer:\n    nodes:\n    - func_name: filter\n      func_args:\n"
      "      - nw.col(\"k\") == ${params.c}\n      - ${params.c}\n";
  const LoadedPipeline loaded =
      load({.files = {{"p.yaml", text}}, .parameters = {{"c", "nw.col('x')"}}});
  ASSERT_EQ(loaded.diagnostics.to_text(), "");
  const MethodCall& call = loaded.pipeline->nodes[0].steps[0].method();
  EXPECT_EQ(call.arguments[0].text, "nw.col(\"k\") == 'nw.col(\\'x\\')'");
  EXPECT_FALSE(call.arguments[0].literal);
  EXPECT_EQ(call.arguments[1].text, "nw.col('x')");
  EXPECT_TRUE(call.arguments[1].literal);
}

TEST(Parameters, NeverEndALiteralOfSqlInsideAnArgument) {
  const auto argument = [](const std::string& expression) {
    const std::string text =
        "name: p\nparameters: {c: {}}\nnodes:\n- name: a\n  source: {path: x}\n"
        "  transformer:\n    nodes:\n    - func_name: laktory.groupby_and_agg\n"
        "      func_kwargs:\n        groupby_columns: [k]\n        agg_expressions:\n"
        "        - " +
        expression + "\n";
    const LoadedPipeline loaded =
        load({.files = {{"p.yaml", text}}, .parameters = {{"c", "' || x"}}});
    if (!loaded.pipeline) return loaded.diagnostics.to_text();
    const MethodCall& call = loaded.pipeline->nodes[0].steps[0].method();
    return call.named_arguments[1].value.items[0].find("expr")->text;
  };
  EXPECT_EQ(argument("expr: SUM(x) || ${params.c}"), "SUM(x) || ''' || x'");
  EXPECT_EQ(argument("{expr: \"F(x) || ${params.c}\", type: SQL}"),
            "F(x) || ''' || x'");
  EXPECT_EQ(argument("expr: nw.col('x').max() + ${params.c}"),
            "nw.col('x').max() + '\\' || x'");
  EXPECT_THAT(argument("{expr: \"sql_expr('SUM(${params.c})')\", type: DF}"),
              HasSubstr("inside sql_expr()"));
}

}  // namespace
}  // namespace lakemill::language
