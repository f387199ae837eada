#include "lakemill/notify/inner_addresses.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "lakemill/base/check.h"
#include "lakemill/base/text.h"

namespace lakemill::notify {

namespace {

struct KindOfRange {
  std::string_view range;
  std::string_view kind;
};

// IANA's registries of special-purpose addresses; single ones of clouds come first.
constexpr std::array kInner{
    KindOfRange{"169.254.169.254", "metadata of a cloud"},
    KindOfRange{"169.254.170.2", "metadata of a cloud"},
    KindOfRange{"100.100.100.200", "metadata of a cloud"},
    KindOfRange{"168.63.129.16", "metadata of a cloud"},
    KindOfRange{"192.0.0.192", "metadata of a cloud"},
    KindOfRange{"fd00:ec2::254", "metadata of a cloud"},
    KindOfRange{"0.0.0.0/8", "this host"},
    KindOfRange{"10.0.0.0/8", "private"},
    KindOfRange{"100.64.0.0/10", "shared by a provider's network"},
    KindOfRange{"127.0.0.0/8", "loopback"},
    KindOfRange{"169.254.0.0/16", "link-local"},
    KindOfRange{"172.16.0.0/12", "private"},
    KindOfRange{"192.0.0.0/24", "reserved"},
    KindOfRange{"192.0.2.0/24", "reserved"},
    KindOfRange{"192.88.99.0/24", "reserved"},
    KindOfRange{"192.168.0.0/16", "private"},
    KindOfRange{"198.18.0.0/15", "reserved"},
    KindOfRange{"198.51.100.0/24", "reserved"},
    KindOfRange{"203.0.113.0/24", "reserved"},
    KindOfRange{"224.0.0.0/4", "multicast"},
    KindOfRange{"240.0.0.0/4", "reserved"},
    KindOfRange{"::", "this host"},
    KindOfRange{"::1", "loopback"},
    KindOfRange{"fc00::/7", "private"},
    KindOfRange{"fe80::/10", "link-local"},
    KindOfRange{"fec0::/10", "private"},
    KindOfRange{"ff00::/8", "multicast"},
    KindOfRange{"2001::/23", "reserved"},  // Teredo and other protocols
    KindOfRange{"2001:db8::/32", "reserved"},
    KindOfRange{"3fff::/20", "reserved"},
};

// IPv6 ranges whose addresses hold an IPv4 address, and where it begins.
struct Holder {
  std::string_view range;
  std::size_t offset;
};
constexpr std::array kHolders{
    Holder{"::/96", 12},           // IPv4-compatible
    Holder{"::ffff:0:0:0/96", 12}, // translated
    Holder{"64:ff9b::/96", 12},    // NAT64
    Holder{"2002::/16", 2},        // 6to4
};

AddressRange range_of(std::string_view text) {
  auto range = parse_address_range(text);
  LAKEMILL_CHECK(range.has_value());
  return *range;
}

IpAddress v4_at(const IpAddress& address, std::size_t offset) {
  IpAddress v4{};
  v4[10] = v4[11] = 0xFF;
  std::copy_n(address.begin() + static_cast<std::ptrdiff_t>(offset), 4,
              v4.begin() + 12);
  return v4;
}

std::string text_of(const IpAddress& address) {
  static const AddressRange v4 = range_of("0.0.0.0/0");
  std::string text;
  if (v4.contains(address)) {
    for (std::size_t at = 12; at < address.size(); ++at) {
      text += (text.empty() ? "" : ".") + std::to_string(address[at]);
    }
    return text;
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (std::size_t at = 0; at < address.size(); ++at) {
    if (at > 0 && at % 2 == 0) text.push_back(':');
    text.push_back(kDigits[address[at] >> 4U]);
    text.push_back(kDigits[address[at] & 15U]);
  }
  return text;
}

std::string name_of(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  return to_lower(host);
}

}  // namespace

std::optional<std::string_view> inner_kind_of(const IpAddress& address) {
  struct Kind {
    AddressRange range;
    std::string_view kind;
  };
  static const std::vector<Kind> inner = [] {
    std::vector<Kind> parsed;
    for (const auto& [range, kind] : kInner) parsed.push_back({range_of(range), kind});
    return parsed;
  }();
  static const AddressRange mapped = range_of("0.0.0.0/0");
  static const AddressRange global = range_of("2000::/3");

  const auto found = std::find_if(inner.begin(), inner.end(), [&](const Kind& kind) {
    return kind.range.contains(address);
  });
  if (found != inner.end()) return found->kind;
  if (mapped.contains(address)) return std::nullopt;
  for (const Holder& holder : kHolders) {
    if (!range_of(holder.range).contains(address)) continue;
    return inner_kind_of(v4_at(address, holder.offset));
  }
  if (!global.contains(address)) return "reserved";
  return std::nullopt;
}

Result<InnerAddresses> InnerAddresses::make(const std::vector<std::string>& allowed) {
  InnerAddresses made;
  for (const std::string& text : allowed) {
    auto range = parse_address_range(text);
    if (range) {
      made.ranges_.push_back(*range);
    } else if (is_host_name(text)) {
      made.hosts_.insert(name_of(text));
    } else {
      return std::move(range).error().while_doing("server.webhooks.allow");
    }
  }
  return made;
}

Status InnerAddresses::check(std::string_view host, const IpAddress& address) const {
  const auto kind = inner_kind_of(address);
  if (!kind || hosts_.contains(name_of(host))) return {};
  for (const AddressRange& range : ranges_) {
    if (range.contains(address)) return {};
  }
  const std::string text = text_of(address);
  return Error(ErrorCode::invalid,
               std::string(host) + " is not connected to: its address " + text +
                   " is not one of the open Internet (" + std::string(*kind) +
                   "); server.webhooks.allow in lakemill.yaml can allow it");
}

}  // namespace lakemill::notify
