#pragma once

// The seam between the listener, which knows HTTP, and those who know routes, users and
// what requests mean.

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <variant>

#include "lakemill/server/answer.h"
#include "lakemill/server/http_head.h"
#include "lakemill/server/target.h"

namespace lakemill::server {

/// Who is at the other end of a connection.
struct Peer {
  std::string address;  ///< "192.0.2.1" or "2001:db8::1"; IPv4 within IPv6 is IPv4
  int port = 0;
  bool is_loopback = false;
  bool has_tls = false;
};

struct Request {
  RequestHead head;
  Target target;
  Peer peer;
  std::string body;
  /// Asked for when the client has closed its side or the server must end: whoever
  /// works for long heeds it. The answer then reaches nobody, as a rule.
  std::stop_token stop;
};

/// Answers one request. Called once, on a worker thread of the listener, at the same
/// time as others; throws nothing.
using Handler = std::function<Answer(const Request&)>;

/// The body may come, and then the handler answers.
struct Admitted {
  Handler handler;
  std::int64_t body_bytes_max = 0;  ///< a request with more is refused: 413
};

/// Either that, or an answer at once: a refusal, or something quick. The body of such a
/// request is never read: if it has one, its connection ends with the answer.
using Verdict = std::variant<Admitted, Answer>;

/// Judges each request by its head, before a byte of its body is read.
class Gate {
 public:
  virtual ~Gate() = default;

  /// Called on the I/O thread, which serves all others: must not wait for anything.
  virtual Verdict judge(const RequestHead& head, const Target& target,
                        const Peer& peer) = 0;
};

}  // namespace lakemill::server
