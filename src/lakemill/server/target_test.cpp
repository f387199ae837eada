#include "lakemill/server/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lakemill::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Target, IsSegmentsAndParameters) {
  const auto target = parse_target("/api/v1/tables/a.b.c?limit=10&text=a+b%26c&bare");
  ASSERT_TRUE(target.has_value());
  EXPECT_THAT(target->segments, ElementsAre("api", "v1", "tables", "a.b.c"));
  EXPECT_THAT(target->query,
              ElementsAre(QueryParameter{"limit", "10"},
                          QueryParameter{"text", "a b&c"}, QueryParameter{"bare", ""}));
  ASSERT_NE(target->parameter("text"), nullptr);
  EXPECT_EQ(*target->parameter("text"), "a b&c");
  EXPECT_EQ(target->parameter("absent"), nullptr);
}

TEST(Target, OfTheRootHasNoSegments) {
  const auto root = parse_target("/");
  ASSERT_TRUE(root.has_value());
  EXPECT_THAT(root->segments, IsEmpty());
  EXPECT_TRUE(parse_target("/?").has_value());
  EXPECT_EQ(parse_target("/?a=b")->query.size(), 1U);
}

TEST(Target, UnescapesWhatMustBeEscaped) {
  EXPECT_THAT(parse_target("/gr%C3%BC%C3%9Fe/a%20b/50%25/%3Fx/%7B%7D")->segments,
              ElementsAre("gr\xC3\xBC\xC3\x9F"
                          "e",
                          "a b", "50%", "?x", "{}"));
  EXPECT_THAT(parse_target("/a:b@c,(d)*!$&'+=e")->segments,
              ElementsAre("a:b@c,(d)*!$&'+=e"));
  EXPECT_THAT(parse_target("/.well-known/..a/a..")->segments,
              ElementsAre(".well-known", "..a", "a.."));
}

TEST(Target, RefusesPathsOfASecondSpelling) {
  for (const char* raw : {"",           "a",
                          "?a",         "//",
                          "/a//b",      "/a/",
                          "//host/a",   "/.",
                          "/..",        "/a/./b",
                          "/a/../b",    "/a/..",
                          "/%2e",       "/%2E%2E/a",
                          "/.%2e",      "/a%2fb",
                          "/a%2Fb",     "/a\\b",
                          "/a%5Cb",     "/a%5cb",
                          "/a;b",       "/a;jsessionid=1",
                          "/%00",       "/a%0Ab",
                          "/%7F",       "/%1F",
                          "/%41",       "/%7E",
                          "/%e2%82%ac", "/%",
                          "/%2",        "/%zz",
                          "/%%",        "/a%",
                          "/%C3",       "/%FF",
                          "/%C0%AF",    "/%ED%A0%80",
                          "/a#b",       "/a\"",
                          "/<a>",       "/a|b",
                          "/{a}",       "/a^",
                          "/`"}) {
    EXPECT_FALSE(parse_target(raw).has_value()) << raw;
  }
}

TEST(Target, RefusesQueriesThatMayBeReadTwoWays) {
  for (const char* raw : {"/?a=%", "/?a=%2", "/?a=%zz", "/?a=%00", "/?a=%FF", "/?&",
                          "/?a&&b", "/?=b", "/?a=b#c", "/?a=\"", "/?a=<", "/?a=\\"}) {
    EXPECT_FALSE(parse_target(raw).has_value()) << raw;
  }
  std::string many = "/?a";
  for (int count = 1; count < 64; ++count) many += "&a";
  EXPECT_TRUE(parse_target(many).has_value());
  EXPECT_FALSE(parse_target(many + "&a").has_value());
}

}  // namespace
}  // namespace lakemill::server
