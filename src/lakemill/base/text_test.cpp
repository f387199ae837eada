#include "lakemill/base/text.h"

#include <gtest/gtest.h>

#include "lakemill/base/quoted_list.h"

namespace lakemill {
namespace {

TEST(Text, QuotesForSql) {
  EXPECT_EQ(quote_identifier("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(quote_literal("it's"), "'it''s'");
}

TEST(Text, SplitsAndJoins) {
  const auto parts = split("a..b", '.');
  EXPECT_EQ(parts, (std::vector<std::string>{"a", "", "b"}));
  EXPECT_EQ(join(parts, "."), "a..b");
  EXPECT_EQ(trim(" \ta b\r\n"), "a b");
}

TEST(Nearest, GuessesATypoAndNothingElse) {
  const std::vector<std::string> keys = {"path", "format", "sources"};
  EXPECT_EQ(nearest("pth", keys), "path");
  EXPECT_EQ(nearest("Soruces", keys), "sources");
  EXPECT_EQ(nearest("completely", keys), std::nullopt);
}

TEST(QuotedList, QuotesEachName) {
  const std::vector<std::string> names = {"a", "b \"c\"", "Ü"};
  EXPECT_EQ(quoted_list(names), "\"a\", \"b \"\"c\"\"\", \"Ü\"");
  EXPECT_EQ(quoted_list(std::vector<std::string>()), "");
}

}  // namespace
}  // namespace lakemill
