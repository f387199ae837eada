#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lakemill/base/file_descriptor.h"
#include "lakemill/base/result.h"
#include "lakemill/server/gate.h"

namespace lakemill::server {

/// What errno says of `activity`: denied (EACCES, EPERM) or unavailable.
Error system_error(std::string_view activity);

/// Where a listener listens.
struct Address {
  std::string host;  ///< a name or an address, IPv6 without brackets
  int port = 0;      ///< 0: a free one

  /// "host:port", "[::1]:port", as parse_host_port() reads it. Errors: invalid.
  static Result<Address> parse(std::string_view text);
  /// As parse() reads it.
  std::string text() const;
};

/// A socket that listens.
struct BoundSocket {
  FileDescriptor socket;
  Address address;           ///< in numbers, with the port that was taken
  bool is_loopback = false;  ///< only this machine reaches it
};

/// Errors: invalid (no such host), denied (the port is not ours), unavailable (another
/// process listens there).
Result<BoundSocket> bind_socket(const Address& address);

/// One that has connected, non-blocking.
struct AcceptedSocket {
  FileDescriptor socket;
  Peer peer;
};

/// Takes the next connection. Nothing if none waits; errors: unavailable (the process
/// has no room for another one now).
Result<std::optional<AcceptedSocket>> accept_socket(const FileDescriptor& listening);

/// What counts as one client: an IPv4 address, or the network (/64) of an IPv6 one.
std::string client_of(const Peer& peer);

}  // namespace lakemill::server
