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

TEST(HttpClient, RefusesWhatIsNoHttp) {
  const auto client = make_http_client({});
  EXPECT_THAT(client->send({.method = "GET", .url = "file:///etc/passwd"}),
              HasError(ErrorCode::invalid, ""));
}

}  // namespace
}  // namespace lakemill::net
