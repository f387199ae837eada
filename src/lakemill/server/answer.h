#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lakemill/base/clock.h"
#include "lakemill/server/event_stream.h"
#include "lakemill/server/http_head.h"
#include "lakemill/server/refusal.h"

namespace lakemill::server {

/// What a request is answered with: a body, or a stream of events.
struct Answer {
  int status = 200;  ///< 200 to 599
  /// Without Content-Length, Transfer-Encoding, Connection and Date, which the listener
  /// writes.
  std::vector<Header> headers = {};
  std::string body = {};  ///< left out for HEAD, its length told; none for 204 and 304
  /// Not null: the answer goes on until the stream ends, and the connection with it.
  std::shared_ptr<EventStream> stream = {};
};

/// `json`: the text of the body.
Answer json_answer(int status, std::string json);

/// A problem (RFC 9457) with `code` and the message as its detail; 429 and 503 ask to
/// come back in a second.
Answer error_answer(const Refusal& refusal);

/// The events of `stream`, not to be kept by anybody on the way.
Answer stream_answer(std::shared_ptr<EventStream> stream);

/// False for a status, a header's name or value that would not be one on the wire (a
/// line break would be a second answer), or a header that is the listener's.
bool is_sendable(const Answer& answer);

/// The status line and the headers of a sendable answer. `closes`: the connection ends
/// with it.
std::string answer_head(const Answer& answer, bool closes, Instant now);

}  // namespace lakemill::server
