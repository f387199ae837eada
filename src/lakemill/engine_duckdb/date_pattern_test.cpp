#include "lakemill/engine_duckdb/date_pattern.h"

#include <gmock/gmock.h>

namespace lakemill::engine_duckdb {
namespace {

using testing::HasSubstr;

std::string written(std::string_view pattern) {
  const auto text = to_strftime(pattern, DatePatternUse::write);
  return text ? *text : text.error().message();
}

TEST(DatePattern, LettersBecomeStrftimes) {
  EXPECT_EQ(written("yyyy-MM-dd HH:mm:ss.SSSSSS"), "%Y-%m-%d %H:%M:%S.%f");
  EXPECT_EQ(written("yyyyMMddHHmmss"), "%Y%m%d%H%M%S");
  EXPECT_EQ(written("d/M/y"), "%-d/%-m/%Y");
  EXPECT_EQ(written("H:m:s"), "%-H:%-M:%-S");
  EXPECT_EQ(written("EEE, dd MMM yyyy"), "%a, %d %b %Y");
  EXPECT_EQ(written("hh:mm a"), "%I:%M %p");
}

TEST(DatePattern, QuotedTextStandsForItself) {
  EXPECT_EQ(written("yyyy-MM-dd'T'HH"), "%Y-%m-%dT%H");
  EXPECT_EQ(written("yyyy 'o''clock' ''"), "%Y o'clock '");
  EXPECT_THAT(written("yyyy 'T"), HasSubstr("a quote is not closed"));
}

TEST(DatePattern, WhatHasNoCounterpartIsRefusedByName) {
  for (const char* letters : {"Q", "w", "yyyyy", "S",
                              "X"
                              "XX",
                              "VV", "[yyyy]"}) {
    EXPECT_THAT(written(letters), HasSubstr("is not supported")) << letters;
  }
  const auto read = to_strftime(
      "HH:mmX"
      "XX",
      DatePatternUse::read);
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, "%H:%M%z");
}

TEST(DatePattern, FormatsOfStrftimeAreTakenAsTheyAre) {
  EXPECT_EQ(written("%d.%m.%Y at %H"), "%d.%m.%Y at %H");
}

}  // namespace
}  // namespace lakemill::engine_duckdb
