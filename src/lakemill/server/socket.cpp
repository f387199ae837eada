#include "lakemill/server/socket.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "lakemill/base/network_address.h"

namespace lakemill::server {

namespace {

constexpr int kBacklog = 1024;
// Of the kernel for each connection: else it grows to megabytes for a slow reader.
constexpr int kSendBufferBytes = 256 << 10;

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

// What is told of an address of either family.
Peer peer_of(const sockaddr_storage& storage) {
  Peer peer;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (storage.ss_family == AF_INET) {
    sockaddr_in address{};
    std::memcpy(&address, &storage, sizeof address);
    ::inet_ntop(AF_INET, &address.sin_addr, text.data(), text.size());
    peer.port = ntohs(address.sin_port);
    peer.is_loopback = (ntohl(address.sin_addr.s_addr) >> 24U) == 127;
  } else if (storage.ss_family == AF_INET6) {
    sockaddr_in6 address{};
    std::memcpy(&address, &storage, sizeof address);
    peer.port = ntohs(address.sin6_port);
    const std::uint8_t* bytes = address.sin6_addr.s6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&address.sin6_addr)) {
      ::inet_ntop(AF_INET, bytes + 12, text.data(), text.size());
      peer.is_loopback = bytes[12] == 127;
    } else {
      ::inet_ntop(AF_INET6, bytes, text.data(), text.size());
      peer.is_loopback = IN6_IS_ADDR_LOOPBACK(&address.sin6_addr);
    }
  }
  peer.address = text.data();
  return peer;
}

Result<BoundSocket> bind_one(const addrinfo& candidate) {
  FileDescriptor socket(::socket(
      candidate.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!socket) return system_error("make a socket");
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &kSendBufferBytes,
               sizeof kSendBufferBytes);
  if (::bind(socket.get(), candidate.ai_addr, candidate.ai_addrlen) != 0) {
    return system_error("bind");
  }
  if (::listen(socket.get(), kBacklog) != 0) return system_error("listen");
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    return system_error("ask for the port");
  }
  const Peer own = peer_of(storage);
  return BoundSocket{std::move(socket), {own.address, own.port}, own.is_loopback};
}

}  // namespace

Error system_error(std::string_view activity) {
  const int number = errno;
  const bool denied = number == EACCES || number == EPERM;
  return Error(denied ? ErrorCode::denied : ErrorCode::unavailable,
               std::string(activity) + ": " + std::strerror(number));
}

Result<Address> Address::parse(std::string_view text) {
  LAKEMILL_TRY(HostPort place, parse_host_port(text));
  return Address{std::move(place.host), place.port};
}

std::string Address::text() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<BoundSocket> bind_socket(const Address& address) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int fault = ::getaddrinfo(address.host.c_str(),
                                  std::to_string(address.port).c_str(), &hints, &found);
  if (fault != 0) {
    return Error(ErrorCode::invalid,
                 "listen on " + address.text() + ": " + ::gai_strerror(fault));
  }
  const std::unique_ptr<addrinfo, FreeAddresses> list(found);
  Result<BoundSocket> bound = Error(ErrorCode::invalid, "the host has no address");
  for (const addrinfo* candidate = found; candidate != nullptr;
       candidate = candidate->ai_next) {
    bound = bind_one(*candidate);
    if (bound) return bound;
  }
  return std::move(bound).error().while_doing("listen on " + address.text());
}

Result<std::optional<AcceptedSocket>> accept_socket(const FileDescriptor& listening) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  FileDescriptor socket(::accept4(listening.get(),
                                  reinterpret_cast<sockaddr*>(&storage), &size,
                                  SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!socket) {
    const bool none = errno == EAGAIN || errno == EWOULDBLOCK;
    const bool again = errno == EINTR || errno == ECONNABORTED;  // epoll tells of more
    if (none || again) return std::optional<AcceptedSocket>();
    return system_error("accept a connection");
  }
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return std::optional<AcceptedSocket>(
      AcceptedSocket{std::move(socket), peer_of(storage)});
}

std::string client_of(const Peer& peer) {
  in6_addr address{};
  if (::inet_pton(AF_INET6, peer.address.c_str(), &address) != 1) return peer.address;
  return std::string(reinterpret_cast<const char*>(address.s6_addr), 8);
}

}  // namespace lakemill::server
