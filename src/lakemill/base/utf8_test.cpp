#include "lakemill/base/utf8.h"

#include <gtest/gtest.h>

namespace lakemill {
namespace {

TEST(Utf8, IsToldFromOtherBytes) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("plain text that is longer than eight"));
  EXPECT_TRUE(is_utf8("gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80"));
  EXPECT_FALSE(is_utf8("\x80"));
  EXPECT_FALSE(is_utf8("caf\xE9"));
  EXPECT_FALSE(is_utf8("12345678\xE2\x82"));
  EXPECT_FALSE(is_utf8("\xC0\xAF"));          // overlong
  EXPECT_FALSE(is_utf8("\xED\xA0\x80"));      // a surrogate
  EXPECT_FALSE(is_utf8("\xF4\x90\x80\x80"));  // beyond the last character
}

TEST(Utf8, EscapesOnlyWhatIsNoUtf8) {
  EXPECT_EQ(escape_invalid_utf8("caf\xE9 \xC3\xBC"), "caf\\xe9 \xC3\xBC");
}

}  // namespace
}  // namespace lakemill
