#include "lakemill/notify/inner_addresses.h"

#include <atomic>
#include <thread>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lakemill/net/http_client.h"
#include "lakemill/testing/matchers.h"

namespace lakemill::notify {
namespace {

using testkit::HasError;
using testkit::IsOk;

IpAddress address(std::string_view text) {
  const auto parsed = parse_ip_address(text);
  EXPECT_TRUE(parsed.has_value()) << text;
  return parsed.value_or(IpAddress{});
}

/// Listens on 127.0.0.1 and counts who comes.
class Listener {
 public:
  Listener() {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof place;
    (void)::bind(listener_, reinterpret_cast<sockaddr*>(&place), size);
    (void)::listen(listener_, 64);
    (void)::getsockname(listener_, reinterpret_cast<sockaddr*>(&place), &size);
    port_ = std::to_string(ntohs(place.sin_port));
    thread_ = std::jthread([this] {
      while (true) {
        const int peer = ::accept(listener_, nullptr, nullptr);
        if (peer < 0) return;
        ++connections_;
        constexpr std::string_view kAnswer =
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        (void)::send(peer, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL);
        (void)::shutdown(peer, SHUT_WR);
        char buffer[4096];
        while (::recv(peer, buffer, sizeof buffer, 0) > 0) {
        }
        (void)::close(peer);
      }
    });
  }
  ~Listener() {
    (void)::shutdown(listener_, SHUT_RDWR);
    (void)::close(listener_);
  }

  std::string port_;
  std::atomic<int> connections_ = 0;

 private:
  int listener_ = -1;
  std::jthread thread_;
};

std::unique_ptr<net::HttpClient> client_that_allows(
    const std::vector<std::string>& allowed) {
  auto inner = InnerAddresses::make(allowed);
  EXPECT_THAT(inner, IsOk());
  return net::make_http_client(
      {.connect_timeout = std::chrono::milliseconds(2'000),
       .address_guard = [inner = *inner](std::string_view host,
                                         const IpAddress& peer) {
         return inner.check(host, peer);
       }});
}

TEST(InnerAddresses, KnowsThemInEveryForm) {
  const std::pair<const char*, const char*> kinds[] = {
      {"127.0.0.1", "loopback"},
      {"127.255.255.254", "loopback"},
      {"0.0.0.0", "this host"},
      {"10.1.2.3", "private"},
      {"172.16.0.1", "private"},
      {"172.31.255.255", "private"},
      {"192.168.0.1", "private"},
      {"100.64.0.1", "shared by a provider's network"},
      {"100.127.255.255", "shared by a provider's network"},
      {"169.254.1.1", "link-local"},
      {"169.254.169.254", "metadata of a cloud"},
      {"168.63.129.16", "metadata of a cloud"},
      {"100.100.100.200", "metadata of a cloud"},
      {"224.0.0.1", "multicast"},
      {"255.255.255.255", "reserved"},
      {"::", "this host"},
      {"::1", "loopback"},
      {"::ffff:127.0.0.1", "loopback"},
      {"::ffff:a00:1", "private"},
      {"::127.0.0.1", "loopback"},
      {"::ffff:0:10.0.0.1", "private"},
      {"64:ff9b::a9fe:a9fe", "metadata of a cloud"},
      {"64:ff9b:1::1", "reserved"},
      {"2002:7f00:1::", "loopback"},
      {"2002:c0a8:101::1", "private"},
      {"2001:0:1::1", "reserved"},
      {"fc00::1", "private"},
      {"fdff::1", "private"},
      {"fd00:ec2::254", "metadata of a cloud"},
      {"fe80::1", "link-local"},
      {"febf::1", "link-local"},
      {"fec0::1", "private"},
      {"ff02::1", "multicast"},
      {"4000::1", "reserved"},
  };
  for (const auto& [text, kind] : kinds) {
    EXPECT_EQ(inner_kind_of(address(text)), kind) << text;
  }
  for (const auto* text :
       {"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
        "172.15.255.255", "172.32.0.0", "192.167.1.1", "223.255.255.255",
        "2606:4700::1111", "2a00::1", "64:ff9b::101:101", "2002:101:101::1"}) {
    EXPECT_EQ(inner_kind_of(address(text)), std::nullopt) << text;
  }
}

TEST(InnerAddresses, NoSpellingGetsAConnection) {
  Listener listener;
  const auto client = client_that_allows({});
  const char* const hosts[] = {
      "127.0.0.1",           // 1
      "127.1",               //
      "127.0.1",             //
      "2130706433",          // decimal
      "017700000001",        // octal
      "0x7f000001",          // hexadecimal
      "0x7F.1",              //
      "0177.0.0.1",          //
      "0177.0x0.0.01",       //
      "127.000.000.001",     // 10
      "127.0.0.1.",          // a dot at the end
      "localhost",           //
      "LOCALHOST",           //
      "localhost.",          //
      "0.0.0.0",             //
      "0",                   //
      "0x0",                 //
      "127.0.0.255",         //
      "[::1]",               //
      "[0:0:0:0:0:0:0:1]",   // 20
      "[::ffff:127.0.0.1]",  //
      "[::ffff:7f00:1]",     //
      "[::FFFF:0:127.0.0.1]",
      "[::127.0.0.1]",
      "[64:ff9b::7f00:1]",
      "[2002:7f00:1::]",
      "[::]",
      "10.0.0.1",
      "0xa9fea9fe",       // metadata
      "169.254.169.254",  // 30
      "2852039166",
      "%31%32%37.0.0.1",  // escaped
      "user@127.0.0.1",
      "127.0.0.1#@example.com",
      "example.com@127.0.0.1",
      "[fe80::1%25lo]",
      "[fc00::1]",
      "192.168.0.1",
      "100.64.0.1",
      "224.0.0.1",
  };
  for (const std::string host : hosts) {
    for (const std::string scheme : {"http://", "https://"}) {
      const auto answer = client->send(
          {.method = "POST", .url = scheme + host + ":" + listener.port_ + "/"});
      ASSERT_FALSE(answer.has_value()) << host;
      EXPECT_TRUE(answer.error().code() == ErrorCode::invalid ||
                  answer.error().message().find("resolve") != std::string::npos)
          << host << ": " << answer.error().message();
    }
  }
  EXPECT_EQ(listener.connections_, 0);
}

TEST(InnerAddresses, LetsThroughWhatIsAllowed) {
  Listener listener;
  const std::string place = ":" + listener.port_ + "/";
  const auto by_range = client_that_allows({"127.0.0.0/30"});
  EXPECT_THAT(by_range->send({.method = "POST", .url = "http://127.0.0.1" + place}),
              IsOk());
  EXPECT_THAT(by_range->send({.method = "POST", .url = "http://2130706433" + place}),
              IsOk());
  EXPECT_THAT(by_range->send({.method = "POST", .url = "http://127.0.0.9" + place}),
              HasError(ErrorCode::invalid, "127.0.0.9 is not one of the open"));
  const auto by_name = client_that_allows({"LocalHost."});
  EXPECT_THAT(by_name->send({.method = "POST", .url = "http://localhost" + place}),
              IsOk());
  EXPECT_THAT(by_name->send({.method = "POST", .url = "http://127.0.0.1" + place}),
              HasError(ErrorCode::invalid, "server.webhooks.allow"));
  EXPECT_THAT(
      by_name->send({.method = "POST", .url = "http://localhost@127.0.0.1" + place}),
      HasError(ErrorCode::invalid, "holds a user"));
  EXPECT_EQ(listener.connections_, 3);
}

// What a name stands for may be another address at each look-up: each is judged.
TEST(InnerAddresses, JudgesTheAddressAndNotTheName) {
  const auto inner = InnerAddresses::make({"hooks.inner"});
  ASSERT_THAT(inner, IsOk());
  EXPECT_THAT(inner.value().check("hooks.example.com", address("1.1.1.1")), IsOk());
  EXPECT_THAT(inner.value().check("hooks.example.com", address("127.0.0.1")),
              HasError(ErrorCode::invalid, "127.0.0.1"));
  EXPECT_THAT(inner.value().check("hooks.inner.", address("10.0.0.1")), IsOk());
  EXPECT_THAT(inner.value().check("a.hooks.inner", address("fd00::1")),
              HasError(ErrorCode::invalid, "fd00:0000:"));
}

TEST(InnerAddresses, RefusesWhatIsNeitherRangeNorName) {
  EXPECT_THAT(InnerAddresses::make({"10.0.0.0/33"}),
              HasError(ErrorCode::invalid, "server.webhooks.allow"));
  EXPECT_THAT(InnerAddresses::make({"a b"}), HasError(ErrorCode::invalid, "'a b'"));
}

}  // namespace
}  // namespace lakemill::notify
