#include "lakemill/language/expression_parser.h"

#include <array>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/base/random.h"
#include "lakemill/language/expression_sql.h"

namespace lakemill::language {
namespace {

using ::testing::HasSubstr;

// Brackets around every operation.
std::string shape(const SyntaxNode& node) {
  switch (node.kind) {
    case NodeKind::binary:
      return "(" + shape(*node.children[0]) + node.text + shape(*node.children[1]) +
             ")";
    case NodeKind::unary:
      return "(" + node.text + shape(*node.children[0]) + ")";
    case NodeKind::integer:
      return std::to_string(node.integer);
    default:
      return node.text;
  }
}

std::string shape(std::string_view text) {
  auto node = parse_expression(text);
  return node ? shape(**node) : node.error().message();
}

TEST(ExpressionParser, BindsOperatorsAsPythonDoes) {
  EXPECT_EQ(shape("a + b * c"), "(a+(b*c))");
  EXPECT_EQ(shape("a - b - c"), "((a-b)-c)");
  EXPECT_EQ(shape("a ** b ** c"), "(a**(b**c))");
  EXPECT_EQ(shape("-a ** b"), "(-(a**b))");
  EXPECT_EQ(shape("a ** -1"), "(a**-1)");
  EXPECT_EQ(shape("-2 ** b"), "(-(2**b))");
  EXPECT_EQ(shape("a & b == c"), "((a&b)==c)");
  EXPECT_EQ(shape("a | b ^ c & d"), "(a|(b^(c&d)))");
  EXPECT_EQ(shape("~a & b"), "((~a)&b)");
  EXPECT_EQ(shape("a // b % c / d"), "(((a//b)%c)/d)");
  EXPECT_EQ(shape("(a + b) * c"), "((a+b)*c)");
}

TEST(ExpressionParser, ReadsStringsAsPythonDoes) {
  auto text = [](std::string_view source) {
    auto node = parse_expression(source);
    return node ? (*node)->text : "error: " + node.error().message();
  };
  EXPECT_EQ(text("'a' \"b\""), "ab");
  EXPECT_EQ(text("'''a\n'b' c'''"), "a\n'b' c");
  EXPECT_EQ(text("\"\"\"x\"\"\""), "x");
  EXPECT_EQ(text(R"('a\n\t\x41\u00e9\\')"), "a\n\tA\xc3\xa9\\");
  EXPECT_EQ(text(R"(r'\d+\'')"), "\\d+\\'");
  EXPECT_EQ(text(R"('\d')"), "\\d");
  EXPECT_EQ(text("'a\\\nb'"), "ab");
  EXPECT_THAT(text("'\\ud800'"), HasSubstr("not a character"));
  EXPECT_THAT(text("b'x'"), HasSubstr("byte strings"));
}

TEST(ExpressionParser, ReadsCallsListsAndTuples) {
  auto node = parse_expression("f(a, [1, 2,], (3,), {'k': 4}, x=5)");
  ASSERT_TRUE(node) << node.error().message();
  ASSERT_EQ((*node)->children.size(), 5U);
  EXPECT_EQ((*node)->children[2]->children.size(), 2U);
  EXPECT_EQ((*node)->children[3]->children.size(), 1U);
  EXPECT_EQ((*node)->children[4]->children.size(), 2U);
  ASSERT_EQ((*node)->keywords.size(), 1U);
  EXPECT_EQ((*node)->keywords[0].name, "x");
  EXPECT_FALSE(parse_expression("f(x=1, 2)"));
  EXPECT_FALSE(parse_expression("f(x=1, x=2)"));
  EXPECT_FALSE(parse_expression("f(1"));
  EXPECT_FALSE(parse_expression("f(1 2)"));
  EXPECT_FALSE(parse_expression("f())"));
}

TEST(ExpressionParser, BoundsNesting) {
  const std::string open(5000, '(');
  EXPECT_THAT(shape(open + "a" + std::string(5000, ')')),
              HasSubstr("nested more than"));
  EXPECT_THAT(shape(std::string(5000, '-') + "a"), HasSubstr("nested more than"));
  std::string sum = "a";
  std::string chain = "nw.col('a')";
  for (int i = 0; i < 2000; ++i) {
    sum += "+a";
    chain += ".abs()";
  }
  EXPECT_THAT(shape(sum), HasSubstr("nested more than"));
  EXPECT_THAT(shape(chain), HasSubstr("nested more than"));
  EXPECT_THAT(shape(std::string(kExpressionSizeMaxBytes + 1, 'a')),
              HasSubstr("longer than"));
}

TEST(ExpressionParser, BoundsTheSqlThatItGrowsInto) {
  const data::Schema schema = {{data::Field{
      "a", data::make_type(data::TypeKind::float64), true, Json::object()}}};
  std::string text = "nw.col('a')";
  for (int i = 0; i < 60; ++i) text += ".clip(0, 1)";
  auto compiled = compile_expression(text, schema, Dialect::duckdb);
  ASSERT_FALSE(compiled);
  EXPECT_THAT(compiled.error().message(), HasSubstr("grows beyond"));
}

// Any text ends with an answer or an error, never with a crash.
TEST(ExpressionParser, SurvivesRandomText) {
  constexpr std::array<std::string_view, 60> kPieces = {"nw",
                                                        ".",
                                                        "col",
                                                        "(",
                                                        ")",
                                                        "'a'",
                                                        "\"b\"",
                                                        ",",
                                                        "+",
                                                        "-",
                                                        "*",
                                                        "/",
                                                        "//",
                                                        "%",
                                                        "**",
                                                        "==",
                                                        "<",
                                                        "&",
                                                        "|",
                                                        "~",
                                                        "^",
                                                        "[",
                                                        "]",
                                                        "{",
                                                        "}",
                                                        ":",
                                                        "1",
                                                        "2.5",
                                                        "None",
                                                        "True",
                                                        "nw.col('a')",
                                                        "nw.col('b')",
                                                        ".sum()",
                                                        ".over('b')",
                                                        ".str",
                                                        ".dt",
                                                        ".len_chars()",
                                                        ".cast(nw.Int64)",
                                                        ".alias('x')",
                                                        "nw.when(",
                                                        ").then(",
                                                        ").otherwise(",
                                                        "nw.lit(",
                                                        "order_by=",
                                                        "=",
                                                        "lit",
                                                        "sql_expr(",
                                                        ".is_in([1, 2])",
                                                        ".round(",
                                                        ".fill_null(0)",
                                                        ".clip(0, 1)",
                                                        "'",
                                                        "\"\"\"",
                                                        "\\",
                                                        "#",
                                                        "\n",
                                                        "and",
                                                        "$",
                                                        "\xff",
                                                        ".rank()"};
  const data::Schema schema = {
      {data::Field{"a", data::make_type(data::TypeKind::int64), true, Json::object()},
       data::Field{"b", data::make_type(data::TypeKind::string), true,
                   Json::object()}}};
  SeededRandom random(20240229);
  int compiled_count = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string text;
    const std::uint64_t length = 1 + random.next() % 20;
    for (std::uint64_t i = 0; i < length; ++i) {
      text += kPieces[random.next() % kPieces.size()];
    }
    auto compiled =
        compile_expressions(text, schema, Dialect::duckdb, AggregateForm::broadcast);
    if (compiled) {
      ++compiled_count;
    } else {
      EXPECT_FALSE(compiled.error().message().empty());
    }
  }
  EXPECT_GT(compiled_count, 0);
}

}  // namespace
}  // namespace lakemill::language
