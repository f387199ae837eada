#include "lakemill/server/event_stream.h"

#include "lakemill/base/text.h"

namespace lakemill::server {

namespace {

// So that a million empty frames are not counted as nothing.
constexpr std::size_t kFrameCost = 64;

std::string one_line(std::string_view text) {
  std::string line;
  for (const char letter : text) {
    if (letter != '\n' && letter != '\r' && letter != '\0') line.push_back(letter);
  }
  return line;
}

}  // namespace

std::string event_frame(std::string_view id, std::string_view event,
                        std::string_view data) {
  std::string frame;
  if (!id.empty()) frame += "id: " + one_line(id) + "\n";
  if (!event.empty()) frame += "event: " + one_line(event) + "\n";
  std::string lines;  // CR LF and CR end lines too
  for (std::size_t at = 0; at < data.size(); ++at) {
    if (data[at] != '\r') {
      lines.push_back(data[at]);
    } else if (at + 1 == data.size() || data[at + 1] != '\n') {
      lines.push_back('\n');
    }
  }
  for (const std::string& line : split(lines, '\n')) frame += "data: " + line + "\n";
  return frame + "\n";
}

bool EventStream::send(Frame frame) {
  const std::scoped_lock lock(mutex_);
  if (state_ != State::open) return false;
  const bool was_empty = frames_.empty();
  bytes_ += frame->size() + kFrameCost;
  frames_.push_back(std::move(frame));
  if (bytes_ > buffer_bytes_max_) {
    state_ = State::lagged;
    frames_.clear();
  }
  if (wake_ && (was_empty || state_ == State::lagged)) wake_();
  return state_ == State::open;
}

void EventStream::finish() {
  const std::scoped_lock lock(mutex_);
  if (state_ != State::open) return;
  state_ = State::finished;
  if (wake_) wake_();
}

bool EventStream::is_open() const {
  const std::scoped_lock lock(mutex_);
  return state_ == State::open;
}

void EventStream::attach(std::function<void()> wake) {
  const std::scoped_lock lock(mutex_);
  wake_ = std::move(wake);
}

Frame EventStream::next() {
  const std::scoped_lock lock(mutex_);
  if (frames_.empty()) return nullptr;
  Frame frame = std::move(frames_.front());
  frames_.pop_front();
  bytes_ -= frame->size() + kFrameCost;
  return frame;
}

bool EventStream::is_drained() const {
  const std::scoped_lock lock(mutex_);
  return state_ != State::open && frames_.empty();
}

bool EventStream::has_lagged() const {
  const std::scoped_lock lock(mutex_);
  return state_ == State::lagged;
}

void EventStream::abandon() {
  const std::scoped_lock lock(mutex_);
  state_ = State::abandoned;
  frames_.clear();
  wake_ = nullptr;
}

}  // namespace lakemill::server
