#include "lakemill/server/connection.h"

#include <algorithm>
#include <utility>

#include <sys/epoll.h>

#include "lakemill/base/check.h"

namespace lakemill::server {

namespace {

using Outcome = IoStep::Outcome;

// Before others have their turn.
constexpr int kReadsAtOnce = 16;
// Of a stream's frames that are taken over at once, and of bodies that go in one write
// with their heads.
constexpr std::size_t kOutputAtOnce = 64 << 10;

std::uint32_t events_of(Outcome outcome) {
  return outcome == Outcome::wants_write ? EPOLLOUT : EPOLLIN;
}

// Assigning an empty string would keep the memory.
void give_back(std::string& text) { std::string().swap(text); }

Refusal too_slow(const std::string& what) {
  return {408, "request_timeout", "The request's " + what + " took too long to come."};
}

Refusal too_large(std::int64_t bytes_max) {
  return {413, "body_too_large",
          "The body has more than " + std::to_string(bytes_max) + " bytes."};
}

Refusal busy(std::string message) { return {503, "busy", std::move(message)}; }

}  // namespace

Connection::Connection(ConnectionId id, std::unique_ptr<Transport> transport, Peer peer,
                       ListenerShared& shared)
    : id_(id),
      transport_(std::move(transport)),
      peer_(std::move(peer)),
      shared_(shared),
      since_(shared.clock.elapsed()),
      progressed_(since_) {}

Connection::~Connection() { close(); }

void Connection::enter(State state) {
  state_ = state;
  since_ = shared_.clock.elapsed();
  progressed_ = since_;
  bytes_moved_ = 0;
}

void Connection::close() {
  if (is_closed()) return;
  enter(State::closed);
  stop_.request_stop();
  release();
}

// Lets go of what is counted.
void Connection::release() {
  shared_.body_bytes -= body_bytes_held_;
  body_bytes_held_ = 0;
  give_back(request_.body);
  if (stream_) {
    stream_->abandon();
    stream_ = nullptr;
    --shared_.streams;
  }
}

void Connection::advance() {
  waits_ = 0;
  reads_left_ = kReadsAtOnce;
  if (stream_ && stream_->has_lagged()) close();
  while (!is_closed() && step()) {
  }
}

// One step; false when nothing is left to do without waiting.
bool Connection::step() {
  if (!flush()) return false;
  switch (state_) {
    case State::opening:
      return open_transport();
    case State::idle:
    case State::head:
      return take_head() || fill();
    case State::body:
      return take_body() || fill();
    case State::writing:
      return end_answer();
    case State::streaming:
      return pull_stream() || discard();
    case State::lingering:
      return discard();
    case State::handling:
    case State::closed:
      break;
  }
  return false;
}

bool Connection::open_transport() {
  const IoStep opened = transport_->open();
  if (opened.outcome == Outcome::moved) {
    enter(State::idle);
    return true;
  }
  if (opened.outcome == Outcome::ended || opened.outcome == Outcome::failed) {
    close();
  } else {
    waits_ |= events_of(opened.outcome);
  }
  return false;
}

bool Connection::take_head() {
  if (input_.empty()) return false;
  if (state_ == State::idle) enter(State::head);
  const HeadEnd end = find_head_end(input_, looked_at_);
  looked_at_ = end.size;
  const bool whole = end.state == HeadEnd::State::whole;
  const std::size_t bytes_max = shared_.limits.head.bytes_max;
  if (!whole && end.state != HeadEnd::State::broken && input_.size() <= bytes_max) {
    return false;
  }
  if (!whole && input_.size() > bytes_max && input_.find('\n') == std::string::npos) {
    refuse({414, "target_too_long", "The request line does not end."});
    return true;
  }
  // What is no head, parse_head() puts into words.
  const std::size_t size = whole ? end.size : input_.size();
  auto head = parse_head(std::string_view(input_).substr(0, size), shared_.limits.head);
  if (const auto* refusal = std::get_if<Refusal>(&head)) {
    refuse(*refusal);
    return true;
  }
  input_.erase(0, size);
  looked_at_ = 0;
  accept_head(std::move(std::get<RequestHead>(head)));
  return true;
}

void Connection::accept_head(RequestHead head) {
  is_head_ = head.method == "HEAD";
  keep_alive_ = head.keep_alive;
  auto target = parse_target(head.target);
  if (!target) return refuse({400, "malformed_target", target.error().message()});
  stop_ = std::stop_source();
  is_gone_ = false;
  request_ = {std::move(head), std::move(*target), peer_, "", stop_.get_token()};
  Verdict verdict = shared_.gate.judge(request_.head, request_.target, peer_);
  if (auto* answer = std::get_if<Answer>(&verdict)) {
    return begin_answer(std::move(*answer), request_.head.has_body());
  }
  auto& admitted = std::get<Admitted>(verdict);
  handler_ = std::move(admitted.handler);
  if (request_.head.has_body()) return begin_body(admitted.body_bytes_max);
  dispatch();
}

void Connection::begin_body(std::int64_t bytes_max) {
  const RequestHead& head = request_.head;
  if (head.content_length.value_or(0) > bytes_max) return refuse(too_large(bytes_max));
  chunks_.reset();
  if (head.chunked) chunks_.emplace(bytes_max);
  enter(State::body);
  if (head.expects_continue && input_.empty()) push("HTTP/1.1 100 Continue\r\n\r\n");
}

bool Connection::take_body() {
  std::string_view input = input_;
  std::string& body = request_.body;
  std::optional<Refusal> refusal;
  if (chunks_) {
    refusal = chunks_->feed(input, body);
  } else {
    const auto length = static_cast<std::size_t>(*request_.head.content_length);
    const std::size_t size = std::min(input.size(), length - body.size());
    body.append(input.substr(0, size));
    input.remove_prefix(size);
  }
  const auto held = static_cast<std::int64_t>(body.size());
  shared_.body_bytes += held - body_bytes_held_;
  body_bytes_held_ = held;
  bytes_moved_ += static_cast<std::int64_t>(input_.size() - input.size());
  input_.erase(0, input_.size() - input.size());
  if (!refusal && shared_.body_bytes > shared_.limits.bodies_bytes_max) {
    refusal = busy("Too many requests with bodies are being served.");
  }
  if (refusal) {
    refuse(*refusal);
    return true;
  }
  const bool whole =
      chunks_ ? chunks_->is_whole() : held == *request_.head.content_length;
  if (whole) dispatch();
  return whole;
}

void Connection::dispatch() {
  enter(State::handling);
  auto request = std::make_shared<const Request>(std::move(request_));
  request_ = Request();
  const bool offered = shared_.workers.offer(
      [mailbox = shared_.mailbox, id = id_, handler = std::move(handler_), request] {
        mailbox->post({id, handler(*request)});
      });
  handler_ = nullptr;
  if (!offered) {
    begin_answer(error_answer(busy("Too many requests wait to be served.")), false);
  }
}

void Connection::take(Answer answer) {
  LAKEMILL_CHECK(state_ == State::handling);
  begin_answer(std::move(answer), false);
}

void Connection::refuse(const Refusal& refusal) {
  begin_answer(error_answer(refusal), true);
}

void Connection::begin_answer(Answer answer, bool closes) {
  release();
  std::shared_ptr<EventStream> stream = answer.stream;
  if (!is_sendable(answer)) {
    answer = error_answer({500, "internal", "The answer could not be written."});
  } else if (stream && shared_.draining) {
    answer = error_answer(busy("The server stops."));
  } else if (stream && shared_.streams >= shared_.limits.streams_max) {
    answer = error_answer(busy("Too many event streams are open."));
  }
  if (stream && (is_head_ || !answer.stream)) stream->abandon();
  closes_ = closes || !keep_alive_ || shared_.draining || answer.stream;
  if (closes_) give_back(input_);
  std::string head = answer_head(answer, closes_, shared_.clock.now());
  if (is_head_) answer.body.clear();
  if (answer.body.size() <= kOutputAtOnce) {
    head += std::exchange(answer.body, "");
  }
  push(std::move(head));
  if (!answer.body.empty()) push(std::move(answer.body));
  if (answer.stream && !is_head_) return begin_stream(std::move(stream));
  enter(State::writing);
}

void Connection::begin_stream(std::shared_ptr<EventStream> stream) {
  stream_ = std::move(stream);
  ++shared_.streams;
  enter(State::streaming);
  stream_->attach([mailbox = shared_.mailbox, id = id_] {
    mailbox->post({id, std::nullopt});
  });
}

// Takes over frames of the stream; true if that is to be gone on with.
bool Connection::pull_stream() {
  bool pulled = false;
  while (output_bytes_ < kOutputAtOnce) {
    Frame frame = stream_->next();
    if (!frame) break;
    pulled = true;
    push(std::move(frame));
  }
  if (pulled || !stream_->is_drained()) return pulled;
  linger();
  return true;
}

// The answer is out.
bool Connection::end_answer() {
  if (closes_) {
    linger();
  } else {
    request_ = Request();
    is_head_ = false;
    keep_alive_ = false;
    if (input_.empty()) give_back(input_);  // idle connections are small
    enter(State::idle);
  }
  return true;
}

void Connection::linger() {
  release();
  transport_->end_writing();
  enter(State::lingering);
}

void Connection::hang_up() {
  if (state_ == State::handling) {
    is_gone_ = true;  // or only says nothing more: the answer is written if it can be
    stop_.request_stop();
  } else if (state_ == State::streaming) {
    close();
  } else {
    advance();
  }
}

void Connection::expire() {
  switch (state_) {
    case State::head:
      refuse(too_slow("head"));
      break;
    case State::body:
      refuse(too_slow("body"));
      break;
    case State::streaming:
      if (!output_.empty()) return close();
      push(":\n\n");
      break;
    default:
      return close();
  }
  advance();
}

void Connection::drain() {
  if (state_ == State::idle) return close();
  if (stream_) {
    stream_->finish();
    advance();
  }
}

std::uint32_t Connection::interest() const {
  if (state_ == State::handling) {
    return is_gone_ ? 0 : static_cast<std::uint32_t>(EPOLLRDHUP);
  }
  return state_ == State::streaming ? waits_ | EPOLLRDHUP : waits_;
}

std::optional<std::chrono::microseconds> Connection::deadline() const {
  const ListenerLimits& limits = shared_.limits;
  const auto earned = [&] {
    return std::chrono::microseconds(bytes_moved_ * 1'000'000 /
                                     limits.bytes_per_second_min);
  };
  switch (state_) {
    case State::opening:
    case State::head:
      return since_ + limits.head_time;
    case State::idle:
      return since_ + limits.idle_time;
    case State::body:
      return since_ + limits.body_time + earned();
    case State::writing:
      return since_ + limits.write_time + earned();
    case State::streaming:
      return progressed_ +
             (output_.empty() ? limits.heartbeat_time : limits.write_time);
    case State::lingering:
      return since_ + limits.linger_time;
    case State::handling:
    case State::closed:
      break;
  }
  return std::nullopt;
}

void Connection::push(std::string bytes) {
  push(std::make_shared<const std::string>(std::move(bytes)));
}

void Connection::push(Frame bytes) {
  if (bytes->empty()) return;
  if (output_.empty()) progressed_ = shared_.clock.elapsed();
  output_bytes_ += bytes->size();
  output_.push_back(std::move(bytes));
}

// True if nothing is left to be written.
bool Connection::flush() {
  while (!output_.empty()) {
    const std::string_view piece = std::string_view(*output_.front());
    const IoStep step = transport_->write(piece.substr(output_offset_));
    if (step.outcome != Outcome::moved) {
      if (step.outcome == Outcome::ended || step.outcome == Outcome::failed) {
        close();
      } else {
        waits_ |= events_of(step.outcome);
      }
      return false;
    }
    output_offset_ += step.size;
    output_bytes_ -= step.size;
    bytes_moved_ += static_cast<std::int64_t>(step.size);
    progressed_ = shared_.clock.elapsed();
    if (output_offset_ == piece.size()) {
      output_.pop_front();
      output_offset_ = 0;
    }
  }
  return true;
}

bool Connection::fill() {
  const std::size_t size = read_some();
  input_.append(shared_.read_buffer.data(), size);
  return size > 0;
}

bool Connection::discard() { return read_some() > 0; }

// Reads into the shared buffer; 0 if nothing came. Closes when nothing will.
std::size_t Connection::read_some() {
  if (reads_left_ == 0) return 0;
  const IoStep step = transport_->read(shared_.read_buffer);
  switch (step.outcome) {
    case Outcome::moved:
      --reads_left_;
      return step.size;
    case Outcome::wants_read:
    case Outcome::wants_write:
      waits_ |= events_of(step.outcome);
      return 0;
    case Outcome::ended:
    case Outcome::failed:
      close();
      break;
  }
  return 0;
}

}  // namespace lakemill::server
