#include "lakemill/api/own_origin.h"

#include <gtest/gtest.h>

namespace lakemill::api {
namespace {

constexpr int kPort = 8580;

server::Peer local() { return {"127.0.0.1", 5000, true, false}; }

server::RequestHead head_of(const std::string& method, const std::string& host) {
  server::RequestHead head;
  head.method = method;
  head.target = "/";
  head.host = host;
  return head;
}

int status_of(const server::RequestHead& head, const server::Peer& peer) {
  const auto refusal = foreign_request(head, peer, kPort);
  return refusal ? refusal->status : 0;
}

TEST(OwnOrigin, TakesLoopbackNamesWithThePort) {
  for (const char* host : {"localhost:8580", "127.0.0.1:8580", "[::1]:8580"}) {
    EXPECT_EQ(status_of(head_of("GET", host), local()), 0) << host;
    EXPECT_EQ(status_of(head_of("POST", host), local()), 0) << host;
  }
}

TEST(OwnOrigin, RefusesNamesThatWereMadeToLeadHere) {
  for (const char* host : {"evil.example:8580", "localhost:80", "localhost", "",
                           "localhost.evil.example:8580", "192.0.2.1:8580"}) {
    EXPECT_EQ(status_of(head_of("GET", host), local()), 421) << host;
  }
}

TEST(OwnOrigin, RefusesOtherMachines) {
  EXPECT_EQ(status_of(head_of("GET", "localhost:8580"),
                      {"192.0.2.1", 5000, false, false}),
            403);
}

TEST(OwnOrigin, RefusesWhatPagesOfElsewhereSend) {
  const auto posted = [](const char* name, const char* value) {
    server::RequestHead head = head_of("POST", "localhost:8580");
    head.headers.push_back({name, value});
    return status_of(head, local());
  };
  EXPECT_EQ(posted("origin", "http://localhost:8580"), 0);
  EXPECT_EQ(posted("origin", "http://localhost:9999"), 403);
  EXPECT_EQ(posted("origin", "https://evil.example"), 403);
  EXPECT_EQ(posted("origin", "null"), 403);
  EXPECT_EQ(posted("sec-fetch-site", "same-origin"), 0);
  EXPECT_EQ(posted("sec-fetch-site", "cross-site"), 403);
  EXPECT_EQ(posted("sec-fetch-site", "same-site"), 403);
  server::RequestHead link = head_of("GET", "localhost:8580");
  link.headers.push_back({"sec-fetch-site", "cross-site"});
  EXPECT_EQ(status_of(link, local()), 0);  // it may be followed, and read by nobody
}

}  // namespace
}  // namespace lakemill::api
