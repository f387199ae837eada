#pragma once

// An HTTP/1.1 server of our own: one thread for all sockets (epoll), a few for
// handlers, and a bound with a unit on everything that clients can make it hold.
//
//   I/O thread: accept ─► Connection (head, body) ─► Gate ─► WorkerPool ─► Handler
//        ▲                      │ writes                            │ Answer
//        └────── Mailbox ◄──────┴───────────────────────────────────┘
//                   ▲ frames wait
//              EventStream ◄─ any thread
//
// No handler sees a request whose head was not checked (http_head.h, target.h) and
// judged by the gate, and no body is read before that.

#include <memory>
#include <stop_token>

#include "lakemill/base/clock.h"
#include "lakemill/base/result.h"
#include "lakemill/server/gate.h"
#include "lakemill/server/listener_limits.h"
#include "lakemill/server/socket.h"

namespace lakemill::server {

class TlsIdentity;

struct ListenerOptions {
  Address address;
  ListenerLimits limits = {};
  TlsIdentity* tls = nullptr;  ///< null: no TLS. Borrowed
};

class Listener {
 public:
  /// Listens from now on: who connects waits for run(). Borrows `gate` and `clock`,
  /// which must outlive the listener, as must what handlers use.
  /// Errors: invalid (no such host), denied (the port is not ours), unavailable (the
  /// port is taken, or the process has no descriptors left).
  static Result<std::unique_ptr<Listener>> open(const ListenerOptions& options,
                                                Gate& gate, Clock& clock);
  /// Waits for the handlers that still run; asks them to stop.
  virtual ~Listener() = default;

  /// Where it listens, in numbers, with the port that it got. Thread-safe.
  virtual const Address& address() const = 0;
  /// Only this machine reaches it. Thread-safe.
  virtual bool is_loopback() const = 0;

  /// Serves until `stop`; its thread is the I/O thread. Called once. After the stop
  /// nobody is accepted, idle connections and event streams end, and requests that were
  /// begun are answered, for `drain_time` at most; then handlers are asked to stop and
  /// connections are closed.
  virtual void run(const std::stop_token& stop) = 0;
};

}  // namespace lakemill::server
