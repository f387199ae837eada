#pragma once

// Server-sent events (the HTML standard, section 9.2) from any thread to one viewer.
//
// A stream is a bounded queue of frames between those who tell and the I/O thread of
// the listener, which writes them out. Nobody waits for a viewer: one that falls behind
// by more than the bound is dropped, and comes back with Last-Event-ID by itself.
// Frames are shared, so that a frame for a hundred viewers is there once.

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace lakemill::server {

/// Bytes as they go to viewers.
using Frame = std::shared_ptr<const std::string>;

/// One event as bytes. `id` and `event` are left out where they are empty; line breaks
/// and NUL in them are left out; each line of `data` is a data line.
std::string event_frame(std::string_view id, std::string_view event,
                        std::string_view data);

/// Thread-safe. Made by who tells, and given to the listener in an Answer.
class EventStream {
 public:
  static constexpr std::size_t kBufferMax = 1 << 20;

  /// `buffer_bytes_max`: of frames that wait, beside the socket's own buffer.
  explicit EventStream(std::size_t buffer_bytes_max)
      : buffer_bytes_max_(buffer_bytes_max) {}

  /// Adds a frame; never waits. False if the stream is over: the viewer is gone, was
  /// too slow, or finish() was called. Then it may be forgotten.
  bool send(Frame frame);
  /// Ends the stream after the frames that were sent.
  void finish();
  bool is_open() const;

  // For the listener.

  /// `wake` is called when there may be something to do, from any thread, with the lock
  /// of the stream held: it must not call back.
  void attach(std::function<void()> wake);
  /// The next frame that waits; null if there is none.
  Frame next();
  /// True when nothing comes any more: `next()` gave the last frame.
  bool is_drained() const;
  /// The viewer fell behind by more than the bound.
  bool has_lagged() const;
  /// The viewer is gone: what waits is let go, send() is false from now on.
  void abandon();

 private:
  enum class State { open, finished, lagged, abandoned };

  const std::size_t buffer_bytes_max_;
  mutable std::mutex mutex_;
  State state_ = State::open;  // all below: guarded by mutex_
  std::deque<Frame> frames_;
  std::size_t bytes_ = 0;  // of frames_
  std::function<void()> wake_;
};

}  // namespace lakemill::server
