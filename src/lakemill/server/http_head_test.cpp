#include "lakemill/server/http_head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lakemill::server {
namespace {

using namespace std::string_literals;

using ::testing::ElementsAre;

std::variant<RequestHead, Refusal> parse(const std::string& bytes) {
  return parse_head(bytes, {});
}

// The head that begins with these lines, each of them ended, and an empty line.
std::variant<RequestHead, Refusal> parse_lines(const std::vector<std::string>& lines) {
  std::string bytes;
  for (const std::string& line : lines) bytes += line + "\r\n";
  return parse(bytes + "\r\n");
}

// The status of the refusal; 0 if it was accepted.
int refused(const std::variant<RequestHead, Refusal>& outcome) {
  const auto* refusal = std::get_if<Refusal>(&outcome);
  return refusal == nullptr ? 0 : refusal->status;
}

int refused_with(const std::string& header) {
  return refused(parse_lines({"POST / HTTP/1.1", "Host: a", header}));
}

TEST(HttpHead, IsReadWithItsHeadersInLowerCase) {
  const auto outcome =
      parse_lines({"GET /a/b?c=d HTTP/1.1", "Host: lake.example:8080",
                   "Accept:text/html", "X-Odd: \t two words \t", "Empty:"});
  ASSERT_EQ(refused(outcome), 0);
  const auto& head = std::get<RequestHead>(outcome);
  EXPECT_EQ(head.method, "GET");
  EXPECT_EQ(head.target, "/a/b?c=d");
  EXPECT_EQ(head.minor_version, 1);
  EXPECT_EQ(head.host, "lake.example:8080");
  EXPECT_THAT(
      head.headers,
      ElementsAre(Header{"host", "lake.example:8080"}, Header{"accept", "text/html"},
                  Header{"x-odd", "two words"}, Header{"empty", ""}));
  EXPECT_EQ(head.header("x-odd"), "two words");
  EXPECT_EQ(head.header("absent"), "");
  EXPECT_TRUE(head.keep_alive);
  EXPECT_FALSE(head.has_body());
}

TEST(HttpHead, TellsHowItsBodyComes) {
  auto sized = parse_lines(
      {"PUT / HTTP/1.1", "Host: a", "Content-Length: 12", "Expect: 100-Continue"});
  ASSERT_EQ(refused(sized), 0);
  EXPECT_EQ(std::get<RequestHead>(sized).content_length, 12);
  EXPECT_TRUE(std::get<RequestHead>(sized).expects_continue);
  auto chunked =
      parse_lines({"PUT / HTTP/1.1", "Host: a", "Transfer-Encoding: Chunked"});
  ASSERT_EQ(refused(chunked), 0);
  EXPECT_TRUE(std::get<RequestHead>(chunked).chunked);
  EXPECT_TRUE(std::get<RequestHead>(chunked).has_body());
}

TEST(HttpHead, TellsWhetherTheConnectionGoesOn) {
  const auto keeps = [](const std::vector<std::string>& lines) {
    return std::get<RequestHead>(parse_lines(lines)).keep_alive;
  };
  EXPECT_TRUE(keeps({"GET / HTTP/1.1", "Host: a", "Connection: keep-alive"}));
  EXPECT_FALSE(keeps({"GET / HTTP/1.1", "Host: a", "Connection: Close"}));
  EXPECT_FALSE(keeps({"GET / HTTP/1.1", "Host: a", "Connection: TE , close"}));
  EXPECT_FALSE(keeps({"GET / HTTP/1.0", "Connection: keep-alive"}));
}

TEST(HttpHead, TakesAnAbsoluteTargetOfItsOwnHost) {
  auto same = parse_lines({"GET http://Lake:80/a?b HTTP/1.1", "Host: lake:80"});
  ASSERT_EQ(refused(same), 0);
  EXPECT_EQ(std::get<RequestHead>(same).target, "/a?b");
  EXPECT_EQ(std::get<RequestHead>(same).host, "lake:80");
  EXPECT_EQ(refused(parse_lines({"GET http://lake/ HTTP/1.1", "Host: pond"})), 400);
  EXPECT_EQ(refused(parse_lines({"GET http://lake/ HTTP/1.1"})), 400);
  EXPECT_EQ(refused(parse_lines({"GET http://lake/ HTTP/1.0"})), 400);
  EXPECT_EQ(refused(parse_lines({"GET http://lake HTTP/1.1", "Host: lake"})), 400);
  EXPECT_EQ(refused(parse_lines({"GET http:///a HTTP/1.1", "Host: a"})), 400);
  EXPECT_EQ(refused(parse_lines({"GET http://u@lake/ HTTP/1.1", "Host: u@lake"})), 400);
  EXPECT_EQ(refused(parse_lines({"GET ftp://lake/ HTTP/1.1", "Host: lake"})), 400);
}

TEST(HttpHead, RefusesRequestLinesThatAreNone) {
  for (const char* line :
       {"GET /", "GET", "", " GET / HTTP/1.1", "GET  / HTTP/1.1", "GET / HTTP/1.1 ",
        "GET /a b HTTP/1.1", "GET /\tHTTP/1.1", "G(T / HTTP/1.1", "GET: / HTTP/1.1",
        "GET / http/1.1", "GET / HTTP/1", "GET / HTTP/11.1", "GET / HTTP/1,1",
        "GET a HTTP/1.1", "OPTIONS * HTTP/1.1", "GET /\x80 HTTP/1.1",
        "GET ?a HTTP/1.1"}) {
    EXPECT_EQ(refused(parse_lines({line, "Host: a"})), 400) << line;
  }
}

TEST(HttpHead, RefusesOtherVersionsAndMethods) {
  EXPECT_EQ(refused(parse_lines({"GET / HTTP/2.0", "Host: a"})), 505);
  EXPECT_EQ(refused(parse_lines({"PRI * HTTP/2.0"})), 505);
  EXPECT_EQ(refused(parse_lines({"GET / HTTP/1.2", "Host: a"})), 505);
  for (const char* method : {"TRACE", "get", "BREW", "PROPFIND"}) {
    EXPECT_EQ(refused(parse_lines({std::string(method) + " / HTTP/1.1", "Host: a"})),
              501);
  }
  EXPECT_EQ(refused(parse_lines({"CONNECT a:80 HTTP/1.1", "Host: a:80"})), 501);
}

TEST(HttpHead, RefusesBodiesOfTwoLengths) {
  const auto with = [](const std::string& one, const std::string& two) {
    return refused(parse_lines({"POST / HTTP/1.1", "Host: a", one, two}));
  };
  EXPECT_EQ(with("Content-Length: 5", "Transfer-Encoding: chunked"), 400);
  EXPECT_EQ(with("Transfer-Encoding: chunked", "Content-Length: 5"), 400);
  EXPECT_EQ(with("Content-Length: 5", "Content-Length: 6"), 400);
  EXPECT_EQ(with("Content-Length: 5", "content-length: 5"), 400);
  EXPECT_EQ(with("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), 400);
  EXPECT_EQ(refused(parse_lines({"POST / HTTP/1.0", "Transfer-Encoding: chunked"})),
            400);
}

TEST(HttpHead, RefusesLengthsAndEncodingsThatMayBeReadTwoWays) {
  for (const char* value : {"", "-1", "+5", "5,5", "5, 5", "0x5", "5 5", "5;", "1e3",
                            "18446744073709551617", "5\v"}) {
    EXPECT_EQ(refused_with(std::string("Content-Length: ") + value), 400) << value;
  }
  for (const char* value : {"gzip", "gzip, chunked", "chunked, gzip", "chunked,",
                            "\"chunked\"", "identity", "xchunked", "chunked;q=1", ""}) {
    EXPECT_EQ(refused_with(std::string("Transfer-Encoding: ") + value), 501) << value;
  }
  EXPECT_EQ(refused_with("Transfer-Encoding: \vchunked"), 400);
}

TEST(HttpHead, RefusesHeadersThatAreNone) {
  for (const char* line :
       {"Name : value", "Name\t: value", " Folded: line", "\tfolded", "no colon",
        ": no name", "Na me: value", "N\xC3\xA4me: value", "Name: a\rb", "Name: a\x01",
        "Name: \x7F", "Transfer-Encoding : chunked", "Name(: value"}) {
    EXPECT_EQ(refused_with(line), 400) << line;
  }
  EXPECT_EQ(refused(parse("GET / HTTP/1.1\r\nHost: a\r\nA: \0\r\n\r\n"s)), 400);
  EXPECT_EQ(refused_with("Expect: the-unexpected"), 417);
}

TEST(HttpHead, RefusesASecondValueWhereOneDecides) {
  for (const char* name :
       {"Authorization", "Cookie", "Origin", "Content-Type", "Idempotency-Key",
        "X-CSRF-Token", "Sec-Fetch-Site", "Host", "Expect"}) {
    const std::string value = std::string(name) == "Expect" ? "100-continue" : "a";
    const std::string line = std::string(name) + ": " + value;
    EXPECT_EQ(refused(parse_lines({"GET / HTTP/1.1", "Host: a", line, line})), 400)
        << name;
  }
  EXPECT_EQ(
      refused(parse_lines({"GET / HTTP/1.1", "Host: a", "Accept: b", "Accept: c"})), 0);
}

TEST(HttpHead, RefusesHostsThatAreNone) {
  EXPECT_EQ(refused(parse_lines({"GET / HTTP/1.1"})), 400);
  EXPECT_EQ(refused(parse_lines({"GET / HTTP/1.0"})), 0);
  for (const char* host : {"", "a b", "a/b", "u@a", "a:", "a:b", "a:123456", "[::1",
                           "[]", "[::1]x", "[::g]", "a,b", "a:1:2", "a%2f"}) {
    EXPECT_EQ(refused(parse_lines({"GET / HTTP/1.1", std::string("Host: ") + host})),
              400)
        << host;
  }
  for (const char* host :
       {"localhost", "127.0.0.1:80", "[::1]", "[::1]:8080", "a-b.c_d"}) {
    EXPECT_EQ(refused(parse_lines({"GET / HTTP/1.1", std::string("Host: ") + host})), 0)
        << host;
  }
}

TEST(HttpHead, RefusesMoreThanItsLimits) {
  const HeadLimits limits{.bytes_max = 200, .headers_max = 2, .target_bytes_max = 20};
  const auto status = [&](const std::string& bytes) {
    return refused(parse_head(bytes, limits));
  };
  const std::string target(20, 'a');
  EXPECT_EQ(status("GET /" + target.substr(1) + " HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
  EXPECT_EQ(status("GET /" + target + " HTTP/1.1\r\nHost: a\r\n\r\n"), 414);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n"), 0);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nC: d\r\n\r\n"), 431);
  EXPECT_EQ(
      status("GET / HTTP/1.1\r\nHost: a\r\nA: " + std::string(200, 'b') + "\r\n\r\n"),
      431);
}

TEST(HttpHead, EndsAtItsEmptyLineHoweverItsBytesCome) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string bytes = head + "GET /next";
  std::size_t looked_at = 0;
  for (std::size_t size = 0; size < head.size(); ++size) {
    const HeadEnd end =
        find_head_end(std::string_view(bytes).substr(0, size), looked_at);
    ASSERT_EQ(end.state, HeadEnd::State::more) << size;
    EXPECT_EQ(end.size, size);
    looked_at = end.size;
  }
  for (std::size_t size = head.size(); size <= bytes.size(); ++size) {
    const HeadEnd end =
        find_head_end(std::string_view(bytes).substr(0, size), looked_at);
    ASSERT_EQ(end.state, HeadEnd::State::whole) << size;
    EXPECT_EQ(end.size, head.size());
  }
}

TEST(HttpHead, IsBrokenAtTheFirstByteThatNoneHas) {
  for (const char* bytes :
       {"GET / HTTP/1.1\n", "GET / HTTP/1.1\r\rH", "\r\n", "\n", "\x16\x03\x01",
        "GET / HTTP/1.1\r\nA: b\r\n\n", "GET / HTTP/1.1\rX", "GET /\x01"}) {
    EXPECT_EQ(find_head_end(bytes, 0).state, HeadEnd::State::broken) << bytes;
  }
}

}  // namespace
}  // namespace lakemill::server
