// Goal: no bytes break the parser of heads, and it never accepts what could be read in
// two ways. Method: heads are changed at random; what is accepted must be a canonical
// head, and come out the same when it is written and parsed again. The seed repeats it.

#include <algorithm>
#include <array>

#include <gtest/gtest.h>

#include "lakemill/server/chunked_body.h"
#include "lakemill/server/http_head.h"
#include "lakemill/server/mutation.h"
#include "lakemill/server/target.h"

namespace lakemill::server {
namespace {

constexpr std::array<std::string_view, 7> kSeeds = {
    "GET /api/v1/runs?limit=10&cursor=a%20b HTTP/1.1\r\nHost: lake:8080\r\n"
    "Authorization: Bearer lkm_12345678_abc\r\nAccept: */*\r\n\r\n",
    "POST /api/v1/pipelines/p/runs HTTP/1.1\r\nHost: [::1]:80\r\n"
    "Content-Type: application/json\r\nContent-Length: 17\r\nCookie: a=b; c=d\r\n\r\n",
    "PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
    "Expect: 100-continue\r\n\r\n",
    "GET http://lake/a HTTP/1.1\r\nHost: lake\r\nConnection: keep-alive, close\r\n\r\n",
    "HEAD / HTTP/1.0\r\n\r\n",
    "DELETE /tables/a.b.c/%E2%82%AC HTTP/1.1\r\nhost:\t127.0.0.1 \r\nX:\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"
    "Content-Length: 6\r\n\r\n",
};

void expect_unambiguous(const RequestHead& head) {
  EXPECT_FALSE(head.chunked && head.content_length);
  EXPECT_TRUE(head.target.starts_with('/'));
  EXPECT_LE(std::count_if(head.headers.begin(), head.headers.end(),
                          [](const Header& header) {
                            return header.name == "content-length" ||
                                   header.name == "transfer-encoding";
                          }),
            1);
  for (const Header& header : head.headers) {
    EXPECT_TRUE(is_token(header.name));
    EXPECT_TRUE(is_header_value(header.value));
    EXPECT_FALSE(header.value.starts_with(' ') || header.value.ends_with(' '));
  }
}

void expect_canonical(const Target& target) {
  for (const std::string& segment : target.segments) {
    EXPECT_FALSE(segment.empty() || segment == "." || segment == "..") << segment;
    EXPECT_EQ(segment.find_first_of(std::string_view("/\\\0", 3)), std::string::npos);
  }
}

TEST(HttpHeadFuzz, WhatIsAcceptedReadsTheSameWhenItIsWrittenAgain) {
  constexpr std::uint64_t kSeed = 20'261'124;
  const int count = rounds(100'000, 1'000'000);
  SeededRandom random(kSeed);
  int accepted = 0;
  int canonical = 0;
  for (int round = 0; round < count && !testing::Test::HasFailure(); ++round) {
    const std::string bytes =
        mutated(std::string(kSeeds[pick(random, kSeeds.size())]), random);
    const HeadEnd end = find_head_end(bytes, 0);
    ASSERT_LE(end.size, bytes.size());
    const std::string_view head_bytes = std::string_view(bytes).substr(0, end.size);
    auto outcome = parse_head(head_bytes, {});
    if (auto* refusal = std::get_if<Refusal>(&outcome)) {
      EXPECT_TRUE(refusal->status >= 400 && refusal->status < 600);
      continue;
    }
    SCOPED_TRACE(testing::Message() << "round " << round << ": " << bytes);
    ++accepted;
    ASSERT_EQ(end.state, HeadEnd::State::whole);
    const auto& head = std::get<RequestHead>(outcome);
    expect_unambiguous(head);
    auto again = parse_head(write_head(head), {});
    ASSERT_TRUE(std::holds_alternative<RequestHead>(again));
    EXPECT_EQ(std::get<RequestHead>(again), head);
    auto target = parse_target(head.target);
    if (target) expect_canonical(*target);
    canonical += target ? 1 : 0;
  }
  EXPECT_GT(accepted, count / 10);  // else nothing was tried
  EXPECT_GT(canonical, count / 10);
}

// However the bytes are cut, a chunked body reads the same and stays in its bounds.
TEST(HttpHeadFuzz, ChunkedBodiesReadTheSameHoweverTheyAreCut) {
  constexpr std::int64_t kBytesMax = 40;
  const int count = rounds(25'000, 250'000);
  SeededRandom random(7);
  int whole = 0;
  for (int round = 0; round < count && !testing::Test::HasFailure(); ++round) {
    std::string bytes = "5\r\nhello\r\n1A;x=y\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n";
    if (pick(random, 2) == 0) bytes += "Trailer: a\r\n";
    bytes += "\r\nGET / HTTP/1.1\r\n";
    for (std::uint64_t change = pick(random, 4); change > 0; --change) {
      bytes[pick(random, bytes.size())] = static_cast<char>(random.next());
      bytes.insert(pick(random, bytes.size()), kPieces[pick(random, kPieces.size())]);
    }
    ChunkedBody at_once(kBytesMax);
    std::string_view rest = bytes;
    std::string body;
    const bool refused = at_once.feed(rest, body).has_value();
    ChunkedBody by_pieces(kBytesMax);
    std::string same;
    std::size_t taken = 0;
    bool refused_too = false;
    while (taken < bytes.size() && !refused_too && !by_pieces.is_whole()) {
      const std::size_t size = 1 + pick(random, 9);
      std::string_view piece = std::string_view(bytes).substr(taken, size);
      const std::size_t given = piece.size();
      refused_too = by_pieces.feed(piece, same).has_value();
      taken += given - piece.size();
    }
    SCOPED_TRACE(testing::Message() << "round " << round << ": " << bytes);
    EXPECT_EQ(refused, refused_too);
    EXPECT_EQ(at_once.is_whole(), by_pieces.is_whole());
    EXPECT_EQ(body, same);
    EXPECT_LE(body.size(), static_cast<std::size_t>(kBytesMax));
    if (at_once.is_whole()) {
      ++whole;
      EXPECT_EQ(bytes.size() - rest.size(), taken);
    }
  }
  EXPECT_GT(whole, count / 10);
}

}  // namespace
}  // namespace lakemill::server
