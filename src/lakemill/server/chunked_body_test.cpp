#include "lakemill/server/chunked_body.h"

#include <gtest/gtest.h>

namespace lakemill::server {
namespace {

// The refusal's status; 0 if all was taken.
int feed(const std::string& bytes, std::string& body, std::int64_t bytes_max) {
  ChunkedBody chunks(bytes_max);
  std::string_view rest = bytes;
  const auto refusal = chunks.feed(rest, body);
  return refusal ? refusal->status : 0;
}

int status_of(const std::string& bytes) {
  std::string body;
  return feed(bytes, body, 1000);
}

TEST(ChunkedBody, IsJoinedAndEndsWhereItEnds) {
  const std::string bytes =
      "5\r\nhello\r\n00B;name=\"value\"\r\n, the world\r\n0\r\nA: b\r\n\r\n";
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    ChunkedBody chunks(16);
    std::string body;
    std::string_view rest = bytes;
    const std::string all = bytes + "NEXT";
    for (std::size_t at = 0; at < all.size() && !chunks.is_whole(); at += step) {
      rest = std::string_view(all).substr(at, step);
      ASSERT_FALSE(chunks.feed(rest, body).has_value()) << step;
    }
    EXPECT_TRUE(chunks.is_whole());
    EXPECT_EQ(body, "hello, the world");
    EXPECT_TRUE(std::string_view("NEXT").starts_with(rest)) << rest;
  }
}

TEST(ChunkedBody, RefusesSizesThatMayBeReadTwoWays) {
  for (const char* bytes :
       {"\r\n", " 5\r\n", "5 \r\n", "+5\r\n", "-5\r\n", "0x5\r\n", "5\n", "g\r\n",
        "5\rX\r\n", "5;a\x01\r\n", "0000000000005\r\n", "FFFFFFFFFFFFFFFF\r\n",
        "5,5\r\n", "5\t;a\r\n"}) {
    EXPECT_EQ(status_of(bytes), 400) << bytes;
  }
}

TEST(ChunkedBody, RefusesChunksThatAreLongerThanTheySay) {
  EXPECT_EQ(status_of("5\r\nhello!\r\n"), 400);
  EXPECT_EQ(status_of("5\r\nhello\n0\r\n\r\n"), 400);
  EXPECT_EQ(status_of("5\r\nhello0\r\n\r\n"), 400);
}

TEST(ChunkedBody, RefusesMoreThanItsBoundBeforeItComes) {
  std::string body;
  EXPECT_EQ(feed("A\r\n0123456789\r\n0\r\n\r\n", body, 10), 0);
  EXPECT_EQ(body.size(), 10U);
  body.clear();
  EXPECT_EQ(feed("B\r\n", body, 10), 413);
  EXPECT_EQ(feed("6\r\n012345\r\n5\r\n", body, 10), 413);
  EXPECT_EQ(body.size(), 6U);
  EXPECT_EQ(status_of("FFFFFFFFFFFF\r\n"), 413);
}

TEST(ChunkedBody, RefusesTrailersAndExtensionsWithoutEnd) {
  EXPECT_EQ(status_of("0\r\nA: b\r\n\r\n"), 0);
  EXPECT_EQ(status_of("0\r\nA : b\r\n\r\n"), 400);
  EXPECT_EQ(status_of("0\r\n folded\r\n\r\n"), 400);
  EXPECT_EQ(status_of("5;" + std::string(2000, 'a')), 431);
  std::string trailers = "0\r\n";
  std::string chunks;
  for (int count = 0; count < 100; ++count) {
    trailers += "A: " + std::string(500, 'b') + "\r\n";
    chunks += "1;" + std::string(500, 'b') + "\r\na\r\n";
  }
  EXPECT_EQ(status_of(trailers), 431);
  EXPECT_EQ(status_of(chunks), 431);
}

}  // namespace
}  // namespace lakemill::server
