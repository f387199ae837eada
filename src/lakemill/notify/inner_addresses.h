#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/base/network_address.h"

namespace lakemill::notify {

/// What kind of address nobody outside reaches or should be sent to by us: "loopback",
/// "private", "link-local", "metadata of a cloud", … Nothing: one of the open Internet.
/// IPv6 addresses that stand for an IPv4 address are of that one's kind.
std::optional<std::string_view> inner_kind_of(const IpAddress& address);

/// Which targets may be connected to: the open Internet, and what is allowed by name.
///
/// Thread-safety: immutable.
class InnerAddresses {
 public:
  /// `allowed`: addresses, ranges ("192.168.1.0/24") and host names, the last in any
  /// case and with or without a dot at the end. Errors: invalid.
  static Result<InnerAddresses> make(const std::vector<std::string>& allowed);

  /// Whether `host`, which stands for `address` now, may be connected to; for
  /// net::AddressGuard. Errors: invalid (names both and the setting that allows it).
  Status check(std::string_view host, const IpAddress& address) const;

 private:
  std::vector<AddressRange> ranges_;
  std::set<std::string> hosts_;
};

}  // namespace lakemill::notify
