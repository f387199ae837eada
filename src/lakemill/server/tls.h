#pragma once

#include <memory>
#include <string>

#include "lakemill/base/clock.h"
#include "lakemill/base/result.h"
#include "lakemill/server/transport.h"

namespace lakemill::server {

/// PEM files: the certificate with those above it, and its key without a passphrase.
struct TlsFiles {
  std::string certificate;
  std::string key;
};

/// Who we are by TLS 1.2 and 1.3. The files are looked at again at most once a second,
/// when somebody connects: a renewed certificate counts without a restart. Files that
/// cannot be read, or do not belong together (yet), leave the last good ones in force.
class TlsIdentity {
 public:
  /// Borrows `clock`. Errors: invalid (no certificate, no key, not of each other; names
  /// the file).
  static Result<std::unique_ptr<TlsIdentity>> open(TlsFiles files, Clock& clock);
  virtual ~TlsIdentity() = default;

  /// The server's side of TLS over an accepted socket; null if memory has run out. I/O
  /// thread. The transport may outlive this.
  virtual std::unique_ptr<Transport> make_transport(FileDescriptor socket) = 0;

  /// Why the files as they are now are not in force; "" if they are. Thread-safe.
  virtual std::string fault() const = 0;
};

}  // namespace lakemill::server
