#include "lakemill/language/transform_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/language/expression_sql.h"
#include "lakemill/language/method_sql.h"

namespace lakemill::language {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Tree text(const std::string& value, int line) {
  Tree tree = make_string(value);
  tree.location = {"p.yaml", line, 5};
  return tree;
}

MethodCall call_of(const std::string& name, std::vector<Tree> arguments) {
  MethodCall call;
  call.name = name;
  call.location = {"p.yaml", 1, 1};
  call.arguments = std::move(arguments);
  return call;
}

std::vector<std::string> faults_of(const std::string& expression) {
  return check_expressions(expression, AggregateForm::plain).faults;
}

TEST(CheckExpressions, AnyColumnMayBeThere) {
  for (const char* expression :
       {"nw.col(\"x\") + 1", "nw.all().sum()", "nw.exclude('a')", "nw.nth(0, -1)",
        "nw.col('d').dt.year()", "nw.col('s')['field']", "nw.col('l').list.len()",
        "(nw.col('a') - nw.col('b')).dt.total_seconds()",
        "nw.when(nw.col('x') > 1).then(1).otherwise(nw.lit(None))",
        "nw.col('x').sum().over('k', order_by='o')", "nw.concat_str([nw.col('*')])",
        "nw.col('x').cast(nw.Decimal(10, 2)).fill_null(0).alias('y')"}) {
    EXPECT_THAT(faults_of(expression), IsEmpty()) << expression;
  }
}

TEST(CheckExpressions, TellsAFaultOfEachPart) {
  EXPECT_THAT(faults_of("nw.col('x').sqroot() + nw.col('y').str.to_upercase()"),
              ElementsAre(HasSubstr("did you mean 'sqrt'?"),
                          HasSubstr("did you mean 'to_uppercase'?")));
}

TEST(CheckExpressions, TellsWhatFailsBecauseOfAPartOnlyOnce) {
  EXPECT_THAT(faults_of("nw.col('x').summ().over('k').round(2).abs()"), SizeIs(1));
  EXPECT_THAT(faults_of("nw.col('x').round(decimal=2)"),
              ElementsAre(HasSubstr("unknown argument 'decimal'")));
  EXPECT_THAT(faults_of("nw.col('x') + "), SizeIs(1));
}

TEST(CheckMethod, GivesEachFaultAtItsArgument) {
  const auto faults = check_method(
      call_of("with_columns", {text("nw.col('a').sqroot()", 3), text("nw.col('b'", 4),
                               text("nw.col('c').abs()", 5)}));
  ASSERT_EQ(faults.size(), 2U);
  EXPECT_EQ(faults[0].location, (Location{"p.yaml", 3, 5}));
  EXPECT_THAT(faults[0].message, HasSubstr("with_columns: in the expression, column"));
  EXPECT_EQ(faults[1].location.line, 4);
}

TEST(CheckMethod, KnowsTheArgumentsOfEachMethod) {
  EXPECT_THAT(check_method(call_of("head", {text("five", 2)})), SizeIs(1));
  EXPECT_THAT(check_method(call_of("limit", {})), SizeIs(1));
  EXPECT_THAT(check_method(call_of("agg", {})), SizeIs(1));
  EXPECT_THAT(check_method(call_of("join", {text("{nodes.m}", 2)})), SizeIs(1));
}

TEST(CheckMethod, NeedsNoColumns) {
  for (const char* name :
       {"drop", "sort", "unique", "explode", "group_by(\"k\").agg"}) {
    const bool groups = std::string(name).starts_with("group_by");
    EXPECT_THAT(
        check_method(call_of(name, {text(groups ? "nw.col(\"x\").sum()" : "k", 2)})),
        IsEmpty())
        << name;
  }
}

TEST(CheckTransforms, PassesOverWhatOnlyARunResolves) {
  Node node;
  Step step;
  step.what = call_of("filter", {text("nw.col('x') > ${params.limit}", 2)});
  node.steps.push_back(step);
  Diagnostics diagnostics;
  check_transforms(node, "nodes[0]", diagnostics);
  EXPECT_TRUE(diagnostics.empty()) << diagnostics.to_text();
}

TEST(CheckTransforms, ChecksExpectationsThatAreExpressions) {
  Node node;
  Expectation wrong;
  wrong.name = "e";
  wrong.expression = {"nw.col('x').is_nul()", {"p.yaml", 7, 9}, false};
  Expectation sql;
  sql.name = "s";
  sql.expression = {"coalesce(x, 0) > 1", {"p.yaml", 8, 9}, false};
  node.expectations = {wrong, sql};
  Diagnostics diagnostics;
  check_transforms(node, "nodes[0]", diagnostics);
  EXPECT_EQ(diagnostics.error_count(), 1U);
  EXPECT_THAT(diagnostics.to_text(), HasSubstr("p.yaml:7:9: error: expectation 'e'"));
}

}  // namespace
}  // namespace lakemill::language
