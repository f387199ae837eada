#include "lakemill/net/http_date.h"

#include <gtest/gtest.h>

namespace lakemill::net {
namespace {

// The example of RFC 9110, section 5.6.7.
TEST(HttpDate, ReadsTheDateOfTheStandard) {
  const auto read = parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT");
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(format_instant(*read), "1994-11-06T08:49:37.000000Z");
}

TEST(HttpDate, RefusesEverythingElse) {
  for (const auto* text :
       {"", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 anF 1994 08:49:37 GMT", "Sun, xx Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 28:49:37 GMT", "1994-11-06T08:49:37.000000GMT"}) {
    EXPECT_FALSE(parse_http_date(text).has_value()) << text;
  }
}

TEST(HttpDate, WritesWhatItReads) {
  for (const auto* text :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Thu, 01 Jan 1970 00:00:00 GMT",
        "Thu, 29 Feb 2024 23:59:59 GMT", "Sat, 31 Dec 2044 12:00:01 GMT"}) {
    const auto read = parse_http_date(text);
    ASSERT_TRUE(read.has_value()) << text;
    EXPECT_EQ(format_http_date(*read + std::chrono::microseconds(999'999)), text);
  }
}

}  // namespace
}  // namespace lakemill::net
