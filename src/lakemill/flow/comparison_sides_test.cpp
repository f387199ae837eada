#include "lakemill/flow/comparison_sides.h"

#include <gtest/gtest.h>

namespace lakemill::flow {
namespace {

TEST(ComparisonSides, AreThoseOfOneComparison) {
  const auto sides =
      comparison_sides("count(*) FILTER (WHERE v > 0) >= 'a<b' || \"x=\"");
  ASSERT_TRUE(sides);
  EXPECT_EQ(sides->left, "count(*) FILTER (WHERE v > 0)");
  EXPECT_EQ(sides->right, "'a<b' || \"x=\"");
}

TEST(ComparisonSides, AreThoseOfAnExpressionInParentheses) {
  const auto sides = comparison_sides("(a + 1) <> b");
  ASSERT_TRUE(sides);
  EXPECT_EQ(sides->left, "(a + 1)");
  EXPECT_EQ(sides->right, "b");
}

TEST(ComparisonSides, AreNotThereWhereItIsNotOneComparison) {
  for (const char* predicate :
       {"a > 1 AND b > 2", "NOT a > 1", "a BETWEEN 1 AND 2", "(a > 1)", "a > b > c",
        "a", "a > 1 -- what", "a IN (1) = true", "", "> 1", "f(x => 1)",
        "CASE WHEN a > 1 THEN b END = 3"}) {
    EXPECT_FALSE(comparison_sides(predicate)) << predicate;
  }
}

}  // namespace
}  // namespace lakemill::flow
