#include <atomic>
#include <functional>
#include <thread>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lakemill/net/http_client.h"
#include "lakemill/testing/matchers.h"

namespace lakemill::net {
namespace {

using testkit::HasError;
using testkit::IsOk;

/// Answers each request on a loopback port with the same bytes, and keeps the last.
class Server {
 public:
  Server(std::string answer, bool close_after)
      : answer_(std::move(answer)), close_after_(close_after) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    (void)::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    (void)::listen(listener_, 16);
    (void)::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::jthread([this] { serve(); });
  }
  ~Server() {
    (void)::shutdown(listener_, SHUT_RDWR);
    (void)::close(listener_);
  }

  std::string url_;
  std::atomic<int> connections_ = 0;
  std::string last_;  // read after the client has its answer

 private:
  void serve() {
    while (true) {
      const int peer = ::accept(listener_, nullptr, nullptr);
      if (peer < 0) return;
      ++connections_;
      while (read_request(peer)) {
        (void)::send(peer, answer_.data(), answer_.size(), MSG_NOSIGNAL);
        if (close_after_) break;
      }
      (void)::close(peer);
    }
  }
  bool read_request(int peer) {
    std::string text;
    while (true) {
      const auto end = text.find("\r\n\r\n");
      if (end != std::string::npos) {
        const auto at = text.find("Content-Length: ");
        const std::size_t size =
            at < end
                ? std::stoul(text.substr(at + std::string("Content-Length: ").size()))
                : 0;
        if (text.size() >= end + 4 + size) break;
      }
      char buffer[4096];
      const auto count = ::recv(peer, buffer, sizeof buffer, 0);
      if (count <= 0) return false;
      text.append(buffer, static_cast<std::size_t>(count));
    }
    last_ = text;
    return true;
  }

  const std::string answer_;
  const bool close_after_;
  int listener_ = -1;
  std::jthread thread_;
};

constexpr const char* kAnswer =
    "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nETag: \"x\"\r\n\r\nbody";

TEST(HttpClient, SendsMethodHeadersAndBodyAndReadsTheAnswer) {
  Server server(kAnswer, false);
  const auto client = make_http_client({});
  auto answer = client->send({.method = "PUT",
                              .url = server.url_ + "/a%20b/../c?x=1",
                              .headers = {{"If-None-Match", "*"}, {"x-empty", ""}},
                              .body = "hello"});
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->status, 404);
  EXPECT_EQ(answer->body, "body");
  EXPECT_EQ(answer->header("etag"), "\"x\"");
  EXPECT_EQ(answer->header("none"), "");
  EXPECT_TRUE(server.last_.starts_with("PUT /a%20b/../c?x=1 HTTP/1.1\r\n"));
  EXPECT_NE(server.last_.find("If-None-Match: *\r\n"), std::string::npos);
  EXPECT_NE(server.last_.find("x-empty:"), std::string::npos);
  EXPECT_EQ(server.last_.find("Expect"), std::string::npos);
  EXPECT_TRUE(server.last_.ends_with("\r\n\r\nhello"));
}

TEST(HttpClient, UsesOneConnectionForRequestsInARow) {
  Server server(kAnswer, false);
  const auto client = make_http_client({});
  for (const auto* method : {"GET", "DELETE", "PUT", "GET", "POST"}) {
    ASSERT_THAT(client->send({.method = method, .url = server.url_ + "/x"}), IsOk());
  }
  EXPECT_EQ(server.connections_, 1);
}

TEST(HttpClient, SaysWhetherARequestWasSent) {
  std::string gone;
  {
    Server server(kAnswer, false);
    gone = server.url_;
  }
  const auto client = make_http_client({});
  EXPECT_THAT(client->send({.method = "GET", .url = gone}),
              HasError(ErrorCode::unavailable, "no connection to 127.0.0.1:"));
  Server silent("", true);
  EXPECT_THAT(client->send({.method = "PUT", .url = silent.url_, .body = "x"}),
              HasError(ErrorCode::unknown, "no whole answer from 127.0.0.1:"));
}

TEST(HttpClient, TakesNoShortBodyForAnAnswer) {
  Server server("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", true);
  const auto client = make_http_client({});
  EXPECT_THAT(client->send({.method = "GET", .url = server.url_}),
              HasError(ErrorCode::unknown, "no whole answer"));
}

TEST(HttpClient, WaitsNoLongerThanItIsTold) {
  Server server("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", false);
  const auto client = make_http_client({});
  EXPECT_THAT(client->send({.method = "GET",
                            .url = server.url_,
                            .timeout = std::chrono::milliseconds(200)}),
              HasError(ErrorCode::unknown, "no whole answer"));
}

TEST(HttpClient, TakesNoAnswerWithoutBound) {
  Server server(kAnswer, false);
  const auto client = make_http_client({.body_size_max = 3});
  EXPECT_THAT(client->send({.method = "GET", .url = server.url_}),
              HasError(ErrorCode::invalid, "more than 3 bytes"));
}

TEST(HttpClient, CutsTheBodyWhereItIsTold) {
  Server server(kAnswer, false);
  const auto client = make_http_client({.body_size_max = 3, .cuts_body = true});
  const auto answer = client->send({.method = "GET", .url = server.url_});
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer.value().status, 404);
  EXPECT_EQ(answer.value().body, "bod");
}

TEST(HttpClient, AsksItsGuardBeforeItConnects) {
  Server server(kAnswer, false);
  std::string asked;
  bool allow = false;
  const auto client =
      make_http_client({.address_guard = [&](std::string_view host,
                                             const IpAddress& address) -> Status {
        asked = std::string(host) + (is_loopback(address) ? " loopback" : " other");
        if (allow) return {};
        return Error(ErrorCode::invalid, "not there");
      }});
  EXPECT_THAT(client->send({.method = "POST", .url = server.url_, .body = "x"}),
              HasError(ErrorCode::invalid, "not there"));
  EXPECT_EQ(asked, "127.0.0.1 loopback");
  EXPECT_EQ(server.connections_, 0);
  allow = true;
  EXPECT_THAT(client->send({.method = "POST", .url = server.url_, .body = "x"}),
              IsOk());
  EXPECT_EQ(server.connections_, 1);
}

TEST(HttpClient, GoesThroughNoProxyWhereItIsGuarded) {
  Server proxy(kAnswer, false);
  Server server(kAnswer, false);
  ::setenv("http_proxy", proxy.url_.c_str(), 1);
  const auto allow = [](std::string_view, const IpAddress&) { return Status(); };
  const auto guarded = make_http_client({.address_guard = allow});
  EXPECT_THAT(guarded->send({.method = "GET", .url = server.url_}), IsOk());
  const auto plain = make_http_client({});
  EXPECT_THAT(plain->send({.method = "GET", .url = server.url_}), IsOk());
  ::unsetenv("http_proxy");
  EXPECT_EQ(server.connections_, 1);
  EXPECT_EQ(proxy.connections_, 1);
}

TEST(HttpClient, FollowsNoRedirect) {
  Server inner(kAnswer, false);
  Server server("HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + inner.url_ +
                    "\r\n\r\n",
                false);
  const auto answer =
      make_http_client({})->send({.method = "GET", .url = server.url_});
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer.value().status, 302);
  EXPECT_EQ(inner.connections_, 0);
}

TEST(HttpClient, TakesNoUserInAGuardedUrl) {
  Server server(kAnswer, false);
  const auto allow = [](std::string_view, const IpAddress&) { return Status(); };
  const auto client = make_http_client({.address_guard = allow});
  const std::string place = server.url_.substr(std::string("http://").size());
  const auto answer =
      client->send({.method = "GET", .url = "http://user:canary@" + place + "/"});
  EXPECT_THAT(answer, HasError(ErrorCode::invalid, "127.0.0.1 holds a user"));
  EXPECT_EQ(answer.error().message().find("canary"), std::string::npos);
  EXPECT_EQ(server.connections_, 0);
}

TEST(HttpClient, RefusesWhatIsNoHttp) {
  const auto client = make_http_client({});
  EXPECT_THAT(client->send({.method = "GET", .url = "file:///etc/passwd"}),
              HasError(ErrorCode::invalid, ""));
}

}  // namespace
}  // namespace lakemill::net
