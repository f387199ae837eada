#include "lakemill/data/type_text.h"

#include <array>

#include <gtest/gtest.h>

namespace lakemill::data {
namespace {

struct Case {
  const char* written;
  const char* means;
};

TEST(TypeText, ReadsWhatPeopleWrite) {
  constexpr std::array kCases = {
      Case{"BIGINT", "long"},
      Case{"nw.Int64", "long"},
      Case{"nw.dtypes.String()", "string"},
      Case{"pl.Datetime('us')", "timestamp_ntz"},
      Case{"varchar(20)", "string"},
      Case{"decimal(10, 2)", "decimal(10,2)"},
      Case{"numeric(5)", "decimal(5,0)"},
      Case{"array<map<string, struct<a:int,b double>>>",
           "array<map<string,struct<a:integer,b:double>>>"},
      Case{"List(nw.Float32)", "array<float>"},
  };
  for (const Case& test : kCases) {
    const auto type = type_from_text(test.written);
    ASSERT_TRUE(type.has_value()) << type.error().message();
    EXPECT_EQ(to_text(*type), test.means) << test.written;
  }
}

TEST(TypeText, SaysWhatIsWrong) {
  const auto typo = type_from_text("bigit");
  ASSERT_FALSE(typo.has_value());
  EXPECT_NE(typo.error().message().find("did you mean 'bigint'?"), std::string::npos);
  for (const char* text : {"", "array<", "array<int", "decimal(39,2)", "decimal(2,3)",
                           "int int", "map<int>", "struct<>"}) {
    EXPECT_FALSE(type_from_text(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace lakemill::data
