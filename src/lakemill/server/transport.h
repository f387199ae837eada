#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "lakemill/server/socket.h"

namespace lakemill::server {

/// How far a call went that never waits.
struct IoStep {
  enum class Outcome {
    moved,        ///< `size` bytes, at least one; or the opening is done
    wants_read,   ///< again when the socket can be read
    wants_write,  ///< again when the socket can be written
    ended,        ///< the peer writes no more
    failed,       ///< the connection is broken
  };
  Outcome outcome = Outcome::failed;
  std::size_t size = 0;
};

/// The bytes of one connection, as they are or through TLS. Owns its socket.
///
/// Not thread-safe. No call waits.
class Transport {
 public:
  virtual ~Transport() = default;

  /// What must be agreed on before bytes go; to be repeated until it has `moved`.
  virtual IoStep open() = 0;
  virtual IoStep read(std::span<char> bytes) = 0;
  virtual IoStep write(std::string_view bytes) = 0;
  /// Tells the peer that nothing more comes; it may go on writing.
  virtual void end_writing() = 0;
  virtual int descriptor() const = 0;
};

std::unique_ptr<Transport> make_plain_transport(FileDescriptor socket);

}  // namespace lakemill::server
