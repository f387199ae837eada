#include "lakemill/server/transport.h"

#include <cerrno>

#include <sys/socket.h>

namespace lakemill::server {

namespace {

using Outcome = IoStep::Outcome;

bool must_wait() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

class PlainTransport final : public Transport {
 public:
  explicit PlainTransport(FileDescriptor socket) : socket_(std::move(socket)) {}

  IoStep open() override { return {Outcome::moved, 0}; }

  IoStep read(std::span<char> bytes) override {
    const ssize_t size = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (size > 0) return {Outcome::moved, static_cast<std::size_t>(size)};
    if (size == 0) return {Outcome::ended, 0};
    return {must_wait() ? Outcome::wants_read : Outcome::failed, 0};
  }

  IoStep write(std::string_view bytes) override {
    const ssize_t size =
        ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size >= 0) return {Outcome::moved, static_cast<std::size_t>(size)};
    return {must_wait() ? Outcome::wants_write : Outcome::failed, 0};
  }

  void end_writing() override { ::shutdown(socket_.get(), SHUT_WR); }
  int descriptor() const override { return socket_.get(); }

 private:
  const FileDescriptor socket_;
};

}  // namespace

std::unique_ptr<Transport> make_plain_transport(FileDescriptor socket) {
  return std::make_unique<PlainTransport>(std::move(socket));
}

}  // namespace lakemill::server
