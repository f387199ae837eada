#include "lakemill/base/network_address.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <arpa/inet.h>

#include "lakemill/base/text.h"

namespace lakemill {

namespace {

constexpr std::size_t kNameMax = 253;
constexpr std::size_t kV4Offset = 12;  // of an IPv4 address within the IPv6 form
constexpr int kV4Prefix = 96;

std::optional<int> number_of(std::string_view text) {
  int number = 0;
  const auto [end, fault] = std::from_chars(text.begin(), text.end(), number);
  if (text.empty() || fault != std::errc() || end != text.end() || number < 0) {
    return std::nullopt;
  }
  return number;
}

bool is_v4(const IpAddress& address) {
  return std::all_of(address.begin(), address.begin() + 10,
                     [](std::uint8_t byte) { return byte == 0; }) &&
         address[10] == 0xFF && address[11] == 0xFF;
}

}  // namespace

std::optional<IpAddress> parse_ip_address(std::string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
    if (text.find(':') == std::string_view::npos) return std::nullopt;
  }
  const std::string copy(text);
  IpAddress address{};
  if (inet_pton(AF_INET6, copy.c_str(), address.data()) == 1) return address;
  if (inet_pton(AF_INET, copy.c_str(), address.data() + kV4Offset) != 1) {
    return std::nullopt;
  }
  address[10] = address[11] = 0xFF;
  return address;
}

bool is_loopback(const IpAddress& address) {
  if (is_v4(address)) return address[kV4Offset] == 127;
  return std::all_of(address.begin(), address.end() - 1,
                     [](std::uint8_t byte) { return byte == 0; }) &&
         address.back() == 1;
}

bool AddressRange::contains(const IpAddress& address) const {
  const auto whole = static_cast<std::size_t>(prefix / 8);
  if (!std::equal(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(whole),
                  address.begin())) {
    return false;
  }
  const int rest = prefix % 8;
  if (rest == 0) return true;
  const unsigned mask = (0xFFU << static_cast<unsigned>(8 - rest)) & 0xFFU;
  return (first[whole] & mask) == (address[whole] & mask);
}

Result<AddressRange> parse_address_range(std::string_view text) {
  const Error wrong(ErrorCode::invalid, "'" + std::string(text) +
                                            "' is no address or range like 10.1.2.3, "
                                            "10.0.0.0/8 or fc00::/7");
  const std::size_t slash = text.find('/');
  const auto address = parse_ip_address(text.substr(0, slash));
  if (!address) return wrong;
  AddressRange range{*address, 128};
  if (slash == std::string_view::npos) return range;
  const bool v4 = text.substr(0, slash).find(':') == std::string_view::npos;
  const auto prefix = number_of(text.substr(slash + 1));
  if (!prefix || *prefix > (v4 ? 32 : 128)) return wrong;
  range.prefix = *prefix + (v4 ? kV4Prefix : 0);
  return range;
}

bool HostPort::is_loopback() const {
  const auto address = parse_ip_address(host);
  return address ? lakemill::is_loopback(*address)
                 : equals_ignoring_case(host, "localhost");
}

Result<HostPort> parse_host_port(std::string_view text) {
  const Error wrong(ErrorCode::invalid,
                    "'" + std::string(text) +
                        "' is no address and port like 127.0.0.1:8580 or [::1]:8580");
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong;
  std::string_view host = text.substr(0, colon);
  const auto port = number_of(text.substr(colon + 1));
  if (!port || *port > 65'535) return wrong;
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
    if (host.find(':') == std::string_view::npos) return wrong;
  } else if (host.find(':') != std::string_view::npos) {
    return wrong;
  }
  if (!parse_ip_address(host) && !is_host_name(host)) return wrong;
  return HostPort{std::string(host), static_cast<std::uint16_t>(*port)};
}

bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > kNameMax || text.front() == '-' ||
      text.front() == '.') {
    return false;
  }
  return std::all_of(text.begin(), text.end(), [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '-' || letter == '.';
  });
}

}  // namespace lakemill
