#include "lakemill/catalog/table_name.h"

#include <string>

#include <gtest/gtest.h>

#include "lakemill/testing/matchers.h"

namespace lakemill::catalog {
namespace {

using testkit::HasError;
using testkit::IsOk;
using testkit::IsOkAnd;

const NameDefaults kDefaults{"main", "default"};

TEST(ParseTableName, CompletesWhatIsNotNamed) {
  EXPECT_THAT(parse_table_name("t", kDefaults),
              IsOkAnd(TableName{"main", "default", "t"}));
  EXPECT_THAT(parse_table_name("s.t", kDefaults), IsOkAnd(TableName{"main", "s", "t"}));
  EXPECT_THAT(parse_table_name(" c . s . t ", kDefaults),
              IsOkAnd(TableName{"c", "s", "t"}));
}

TEST(ParseTableName, KeepsDotsInsideQuotes) {
  EXPECT_THAT(parse_table_name("s.`a.b`", kDefaults),
              IsOkAnd(TableName{"main", "s", "a.b"}));
  EXPECT_THAT(parse_table_name("\"c.1\".s.\"say \"\"x\"\"\"", kDefaults),
              IsOkAnd(TableName{"c.1", "s", "say \"x\""}));
}

TEST(ParseTableName, ReadsBackWhatToTextWrote) {
  for (const auto& name : {TableName{"c", "s", "t"}, TableName{"c.d", "s t", "a\"b"},
                           TableName{"C", "\xC3\xA9", "a`b"}}) {
    EXPECT_THAT(parse_table_name(to_text(name), kDefaults), IsOkAnd(name));
  }
  EXPECT_EQ(to_text({"main", "gold", "a.b"}), "main.gold.\"a.b\"");
}

TEST(ParseTableName, RefusesWhatCannotBeAFolder) {
  for (const auto* text :
       {"", ".", "a.", "a..b", "a.b.c.d", "`open", "`a`b", "a/b", "`..`",
        "s._delta_log", "_lakemill.s.t", ".hidden", "a\\b", "`a\nb`", "\"a..b\""}) {
    SCOPED_TRACE(text);
    EXPECT_THAT(parse_table_name(text, kDefaults), HasError(ErrorCode::invalid, text));
  }
  EXPECT_THAT(parse_table_name(std::string(201, 'x'), kDefaults),
              HasError(ErrorCode::invalid, "longer than 200 bytes"));
  EXPECT_THAT(parse_table_name(std::string(200, 'x'), kDefaults), IsOk());
}

}  // namespace
}  // namespace lakemill::catalog
