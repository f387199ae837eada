#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lakemill/base/result.h"

namespace lakemill {

/// An IPv4 or IPv6 address; of IPv4 in the form ::ffff:a.b.c.d.
using IpAddress = std::array<std::uint8_t, 16>;

/// "127.0.0.1", "::1", "[::1]"; nothing for names and all else.
std::optional<IpAddress> parse_ip_address(std::string_view text);

/// 127.0.0.0/8 and ::1.
bool is_loopback(const IpAddress& address);

/// All addresses that share their first `prefix` bits.
struct AddressRange {
  IpAddress first{};
  int prefix = 128;

  bool contains(const IpAddress& address) const;
};

/// "10.0.0.0/8", "fc00::/7", or a single address. Errors: invalid.
Result<AddressRange> parse_address_range(std::string_view text);

/// Where something listens.
struct HostPort {
  std::string host;  ///< an address without brackets, or a name
  std::uint16_t port = 0;

  /// The host is a loopback address or `localhost`.
  bool is_loopback() const;
};

/// "127.0.0.1:8580", "[::1]:8580", "localhost:8580"; port 0 to 65535. Errors: invalid.
Result<HostPort> parse_host_port(std::string_view text);

/// True for letters, digits, '-' and '.' as in names of hosts.
bool is_host_name(std::string_view text);

}  // namespace lakemill
