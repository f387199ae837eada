#include "lakemill/server/socket.h"

#include <gtest/gtest.h>

namespace lakemill::server {
namespace {

TEST(Address, IsReadAndWritten) {
  for (const char* text : {"127.0.0.1:8080", "[::1]:0", "localhost:65535"}) {
    const auto address = Address::parse(text);
    ASSERT_TRUE(address.has_value()) << text;
    EXPECT_EQ(address->text(), text);
  }
  for (const char* text : {"", "8080", ":8080", "a:", "a:x", "a:65536", "a:-1",
                           "::1:80", "[::1]", "a:80 "}) {
    EXPECT_FALSE(Address::parse(text).has_value()) << text;
  }
}

TEST(BoundSocket, TellsItsPortAndWhetherOnlyThisMachineReachesIt) {
  const auto bound = bind_socket({"127.0.0.1", 0});
  ASSERT_TRUE(bound.has_value());
  EXPECT_GT(bound->address.port, 0);
  EXPECT_EQ(bound->address.host, "127.0.0.1");
  EXPECT_TRUE(bound->is_loopback);
  const auto open = bind_socket({"0.0.0.0", 0});
  ASSERT_TRUE(open.has_value());
  EXPECT_FALSE(open->is_loopback);
}

TEST(BoundSocket, SaysWhereAPortIsTaken) {
  const auto bound = bind_socket({"127.0.0.1", 0});
  ASSERT_TRUE(bound.has_value());
  const auto second = bind_socket(bound->address);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code(), ErrorCode::unavailable);
  EXPECT_NE(second.error().message().find(bound->address.text()), std::string::npos);
  EXPECT_EQ(bind_socket({"no such host", 0}).error().code(), ErrorCode::invalid);
}

TEST(Client, IsAnAddressOrTheNetworkOfOne) {
  const auto client = [](const char* address) {
    Peer peer;
    peer.address = address;
    return client_of(peer);
  };
  EXPECT_NE(client("192.0.2.1"), client("192.0.2.2"));
  EXPECT_EQ(client("2001:db8::1"), client("2001:db8::2"));
  EXPECT_NE(client("2001:db8::1"), client("2001:db8:0:1::1"));
}

}  // namespace
}  // namespace lakemill::server
