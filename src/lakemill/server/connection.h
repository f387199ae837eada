#pragma once

// One connection of a listener, as a state machine that never waits:
//
//   opening ─► idle ─► head ─► body ─► handling ─► writing ─► idle …
//                        │       │         └─► streaming ─► lingering ─► closed
//                        └───────┴─► writing (a refusal) ──────┘
//
// Requests are taken one after the other; what a client sends ahead stays in the
// socket's buffer, but for one read. An answer after which the stream of requests
// cannot be followed any more ends the connection: our side is closed, and what still
// comes is read and thrown away for a while, so that the answer reaches the client (a
// socket that is closed with unread bytes resets the connection).

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "lakemill/base/clock.h"
#include "lakemill/server/chunked_body.h"
#include "lakemill/server/gate.h"
#include "lakemill/server/listener_limits.h"
#include "lakemill/server/mailbox.h"
#include "lakemill/server/transport.h"
#include "lakemill/server/worker_pool.h"

namespace lakemill::server {

/// What the connections of a listener share. I/O thread only.
struct ListenerShared {
  const ListenerLimits& limits;
  Gate& gate;
  Clock& clock;
  WorkerPool& workers;
  std::shared_ptr<Mailbox> mailbox;
  std::vector<char> read_buffer;
  std::int64_t body_bytes = 0;  ///< of requests that are received or answered
  std::size_t streams = 0;      ///< that go on
  bool draining = false;        ///< no answer is followed by another request
};

/// I/O thread only: other threads reach it by the mailbox. Borrows `shared`.
class Connection {
 public:
  Connection(ConnectionId id, std::unique_ptr<Transport> transport, Peer peer,
             ListenerShared& shared);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Does what can be done without waiting.
  void advance();
  /// The answer of the request that is being handled has come.
  void take(Answer answer);
  /// epoll says that the peer has closed its side, or that the connection is broken.
  void hang_up();
  /// The deadline has passed.
  void expire();
  /// The listener stops: no further request, no further event.
  void drain();
  /// Ends it at once.
  void close();

  bool is_closed() const { return state_ == State::closed; }
  /// Between two requests, or before the first.
  bool is_idle() const { return state_ == State::idle; }
  /// advance() left off only to let others have their turn.
  bool has_more() const { return !is_closed() && reads_left_ == 0; }
  /// For what epoll is to look; 0: not even for errors.
  std::uint32_t interest() const;
  /// By clock.elapsed(); nothing while a handler works.
  std::optional<std::chrono::microseconds> deadline() const;
  int descriptor() const { return transport_->descriptor(); }
  const Peer& peer() const { return peer_; }

 private:
  enum class State {
    opening,
    idle,
    head,
    body,
    handling,
    writing,
    streaming,
    lingering,
    closed,
  };

  bool step();
  bool open_transport();
  bool take_head();
  void accept_head(RequestHead head);
  void begin_body(std::int64_t bytes_max);
  bool take_body();
  void dispatch();
  bool pull_stream();
  bool end_answer();

  void refuse(const Refusal& refusal);
  void begin_answer(Answer answer, bool closes);
  void begin_stream(std::shared_ptr<EventStream> stream);
  void linger();
  void release();

  void push(std::string bytes);
  void push(Frame bytes);
  bool flush();
  bool fill();
  bool discard();
  std::size_t read_some();
  void enter(State state);

  const ConnectionId id_;
  const std::unique_ptr<Transport> transport_;
  const Peer peer_;
  ListenerShared& shared_;

  State state_ = State::opening;
  std::chrono::microseconds since_;       // when the state was entered
  std::chrono::microseconds progressed_;  // when bytes last went out, or since_
  std::int64_t bytes_moved_ = 0;          // in this state
  std::uint32_t waits_ = 0;               // for what the last advance() ended
  int reads_left_ = 1;                    // of this advance()

  std::string input_;          // read, not yet taken
  std::size_t looked_at_ = 0;  // of the head in input_
  std::deque<Frame> output_;
  std::size_t output_offset_ = 0;  // within the first piece
  std::size_t output_bytes_ = 0;   // that wait

  Request request_;
  Handler handler_;
  std::optional<ChunkedBody> chunks_;
  std::int64_t body_bytes_held_ = 0;  // counted in shared_.body_bytes
  std::stop_source stop_;             // of the request
  std::shared_ptr<EventStream> stream_;
  bool is_head_ = false;     // the request is HEAD: no body goes out
  bool keep_alive_ = false;  // as the request's head has it
  bool closes_ = false;      // the connection ends with this answer
  bool is_gone_ = false;     // the peer went while a handler worked
};

}  // namespace lakemill::server
