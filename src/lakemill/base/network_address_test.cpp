#include "lakemill/base/network_address.h"

#include <gtest/gtest.h>

namespace lakemill {
namespace {

TEST(NetworkAddress, TellsLoopbackFromAllElse) {
  for (const char* text :
       {"127.0.0.1", "127.9.9.9", "::1", "[::1]", "::ffff:127.0.0.1"}) {
    const auto address = parse_ip_address(text);
    ASSERT_TRUE(address.has_value()) << text;
    EXPECT_TRUE(is_loopback(*address)) << text;
  }
  for (const char* text : {"0.0.0.0", "::", "128.0.0.1", "::2", "fe80::1"}) {
    const auto address = parse_ip_address(text);
    ASSERT_TRUE(address.has_value()) << text;
    EXPECT_FALSE(is_loopback(*address)) << text;
  }
  for (const char* text : {"", "localhost", "127.1", "1.2.3", "[127.0.0.1]", "::1::"}) {
    EXPECT_FALSE(parse_ip_address(text).has_value()) << text;
  }
}

struct RangeCase {
  const char* range;
  const char* inside;
  const char* outside;
};

TEST(NetworkAddress, RangesHoldTheAddressesOfTheirPrefix) {
  const RangeCase cases[] = {{"10.0.0.0/8", "10.255.1.2", "11.0.0.0"},
                             {"172.16.0.0/12", "172.31.0.1", "172.32.0.1"},
                             {"192.168.1.7", "192.168.1.7", "192.168.1.6"},
                             {"0.0.0.0/0", "9.9.9.9", "2001:db8::1"},
                             {"fc00::/7", "fdff::1", "fe00::1"},
                             {"10.0.0.0/8", "::ffff:10.1.1.1", "::10.1.1.1"}};
  for (const RangeCase& item : cases) {
    const auto range = parse_address_range(item.range);
    ASSERT_TRUE(range.has_value()) << item.range;
    EXPECT_TRUE(range->contains(*parse_ip_address(item.inside))) << item.range;
    EXPECT_FALSE(range->contains(*parse_ip_address(item.outside))) << item.range;
  }
  for (const char* text : {"10.0.0.0/33", "10.0.0/8", "host", "10.0.0.0/", "::/129"}) {
    EXPECT_FALSE(parse_address_range(text).has_value()) << text;
  }
}

TEST(NetworkAddress, ReadsWhereSomethingListens) {
  const auto v6 = parse_host_port("[::1]:443");
  ASSERT_TRUE(v6.has_value());
  EXPECT_EQ(v6->host, "::1");
  EXPECT_EQ(v6->port, 443);
  EXPECT_TRUE(v6->is_loopback());
  EXPECT_TRUE(parse_host_port("localhost:0")->is_loopback());
  EXPECT_FALSE(parse_host_port("0.0.0.0:80")->is_loopback());
  EXPECT_FALSE(parse_host_port("lake.example.com:80")->is_loopback());
  for (const char* text :
       {"", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
        "::1:80", "a b:80", "http://h:80", "[127.0.0.1]:80"}) {
    EXPECT_FALSE(parse_host_port(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace lakemill
