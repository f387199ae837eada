#include "lakemill/net/uri.h"

#include <gtest/gtest.h>

namespace lakemill::net {
namespace {

TEST(Uri, EscapesAllButUnreservedLetters) {
  EXPECT_EQ(escape_path("a/b c=d+e%~._-"), "a/b%20c%3Dd%2Be%25~._-");
  EXPECT_EQ(escape_query("a/b"), "a%2Fb");
  EXPECT_EQ(escape_path("\xC3\xA4\x01"), "%C3%A4%01");
}

TEST(Uri, GivesBackWhatWasEscaped) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  EXPECT_EQ(unescape(escape_path(all), true), all);
  EXPECT_EQ(unescape(escape_query(all), true), all);
}

TEST(Uri, LeavesHalfAnEscapeAsItIs) {
  EXPECT_EQ(unescape("%4", true), "%4");
  EXPECT_EQ(unescape("%zz%41%", true), "%zzA%");
  EXPECT_EQ(unescape("a+b", true), "a b");
  EXPECT_EQ(unescape("a+b", false), "a+b");
}

TEST(Uri, NamesTheHostWithoutUserAndPath) {
  EXPECT_EQ(host_of("http://127.0.0.1:9000/b/k?x"), "127.0.0.1:9000");
  EXPECT_EQ(host_of("https://user:word@host"), "host");
}

}  // namespace
}  // namespace lakemill::net
