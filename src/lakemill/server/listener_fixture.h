#pragma once

// For tests: a listener that runs on a free port of loopback, a gate with a few routes,
// and a client that says exactly what it is told to say.

#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "lakemill/base/text.h"
#include "lakemill/server/listener.h"

namespace lakemill::server {

/// Opened once; then all who wait go on.
class Latch {
 public:
  void open() {
    const std::scoped_lock lock(mutex_);
    is_open_ = true;
    changed_.notify_all();
  }
  /// False after `seconds`.
  bool wait(int seconds) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(seconds),
                             [this] { return is_open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_open_ = false;
};

/// True as soon as `holds` does, within ten seconds.
template <typename Condition>
bool eventually(Condition holds) {
  for (int tries = 0; tries < 2'000; ++tries) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

inline Answer text_answer(std::string text) {
  Answer answer;
  answer.headers = {{"Content-Type", "text/plain"}};
  answer.body = std::move(text);
  return answer;
}

/// The routes of the tests, by the first segment of the path.
class TestGate final : public Gate {
 public:
  static constexpr std::int64_t kEchoMax = 4 << 20;

  Verdict judge(const RequestHead&, const Target& target, const Peer&) override {
    ++judged;
    const std::string route = target.segments.empty() ? "" : target.segments[0];
    if (route == "hello")
      return Admitted{[](const Request&) { return text_answer("hi"); }};
    if (route == "echo") return Admitted{echo, kEchoMax};
    if (route == "ten") return Admitted{echo, 10};
    if (route == "now") return text_answer("now");
    if (route == "refused") return error_answer({403, "denied", "Not you."});
    if (route == "large") return Admitted{large};
    if (route == "slow") return Admitted{[this](const Request& r) { return slow(r); }};
    if (route == "split") return Admitted{split_answer};
    if (route == "who") return Admitted{who};
    if (route == "events") {
      return Admitted{[this](const Request&) { return events(); }, 0};
    }
    return error_answer({404, "not_found", "No such path."});
  }

  std::atomic<int> judged = 0;
  std::atomic<int> slow_begun = 0;
  std::atomic<int> slow_stopped = 0;  // because they were asked to
  Latch release;                      // of those that are slow

  std::vector<std::shared_ptr<EventStream>> streams() {
    const std::scoped_lock lock(mutex_);
    return streams_;
  }
  std::size_t stream_buffer_max = EventStream::kBufferMax;

 private:
  static Answer echo(const Request& request) { return text_answer(request.body); }
  static Answer large(const Request&) { return text_answer(std::string(8 << 20, 'x')); }
  static Answer split_answer(const Request&) {
    Answer answer;
    answer.headers = {{"Location", "/\r\nSet-Cookie: a=b"}};
    return answer;
  }
  static Answer who(const Request& request) {
    return text_answer(request.peer.address + " " +
                       (request.peer.is_loopback ? "loopback" : "far") + " " +
                       (request.peer.has_tls ? "tls" : "plain"));
  }
  Answer slow(const Request& request) {
    ++slow_begun;
    Latch asked;
    const std::stop_callback on_stop(request.stop, [&] { asked.open(); });
    for (int tries = 0; tries < 3'000; ++tries) {
      if (request.stop.stop_requested()) {
        ++slow_stopped;
        return text_answer("stopped");
      }
      if (is_released()) return text_answer("done");
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return text_answer("never");
  }
  bool is_released() { return release.wait(0); }
  Answer events() {
    auto stream = std::make_shared<EventStream>(stream_buffer_max);
    const std::scoped_lock lock(mutex_);
    streams_.push_back(stream);
    return stream_answer(stream);
  }

  std::mutex mutex_;
  std::vector<std::shared_ptr<EventStream>> streams_;  // guarded by mutex_
};

/// Limits under which tests wait for deadlines in tenths of seconds.
inline ListenerLimits test_limits() {
  ListenerLimits limits;
  limits.of_one_client_max = 2'000;
  limits.connections_max = 2'000;
  limits.linger_time = std::chrono::milliseconds(500);
  limits.drain_time = std::chrono::milliseconds(5'000);
  return limits;
}

class RunningListener {
 public:
  explicit RunningListener(ListenerLimits limits, TlsIdentity* tls = nullptr) {
    auto opened = Listener::open({{"127.0.0.1", 0}, limits, tls}, gate, clock);
    EXPECT_TRUE(opened.has_value());
    listener_ = std::move(*opened);
    thread_ = std::jthread([this](const std::stop_token& stop) {
      listener_->run(stop);
      has_ended = true;
    });
  }
  ~RunningListener() { stop(); }

  int port() const { return listener_->address().port; }
  void begin_stop() { thread_.request_stop(); }
  /// Returns when run() has.
  void stop() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
  }

  TestGate gate;
  SystemClock clock;
  std::atomic<bool> has_ended = false;

 private:
  std::unique_ptr<Listener> listener_;
  std::jthread thread_;
};

struct Reply {
  int status = 0;                              ///< 0: none came
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

/// A blocking client; what does not come within ten seconds does not come.
class Client {
 public:
  /// `receive_buffer`: of the kernel, in bytes; 0: its own choice.
  explicit Client(int port, int receive_buffer = 0)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer > 0) {
      ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer,
                   sizeof receive_buffer);
    }
    const timeval limit{10, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address),
                        sizeof address),
              0);
  }

  /// False if the other side is gone.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t size =
          ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    return true;
  }
  void get(const std::string& path) {
    EXPECT_TRUE(send("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n"));
  }
  void end_writing() { ::shutdown(socket_.get(), SHUT_WR); }

  /// The next answer; none if the connection ends first. `has_body`: false after HEAD.
  Reply reply(bool has_body = true) {
    while (buffer_.find("\r\n\r\n") == std::string::npos) {
      if (!receive()) return {};
    }
    const std::size_t end = buffer_.find("\r\n\r\n");
    Reply reply = read_head(buffer_.substr(0, end));
    buffer_.erase(0, end + 4);
    const auto length = reply.headers.find("content-length");
    if (!has_body || length == reply.headers.end()) return reply;
    std::size_t size = 0;
    std::from_chars(length->second.data(),
                    length->second.data() + length->second.size(), size);
    while (buffer_.size() < size) {
      if (!receive()) return {};
    }
    reply.body = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return reply;
  }
  /// The status of the next answer; 0 if the connection ends first.
  int status() { return reply().status; }
  /// Waits for text that is yet to come, and takes all up to its end.
  bool await(const std::string& text) {
    while (buffer_.find(text) == std::string::npos) {
      if (!receive()) return false;
    }
    buffer_.erase(0, buffer_.find(text) + text.size());
    return true;
  }
  /// True if the other side ends the connection, with nothing more to read.
  bool is_ended() {
    while (receive()) {
    }
    return has_ended_ && buffer_.empty();
  }
  /// Bytes up to the end of the connection.
  std::string rest() {
    while (receive()) {
    }
    return std::exchange(buffer_, "");
  }

 private:
  bool receive() {
    std::vector<char> bytes(64 << 10);
    const ssize_t size = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (size > 0) buffer_.append(bytes.data(), static_cast<std::size_t>(size));
    const bool timed_out = size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    if (size <= 0 && !timed_out) has_ended_ = true;
    return size > 0;
  }
  static Reply read_head(const std::string& head) {
    Reply reply;
    std::from_chars(head.data() + 9, head.data() + 12, reply.status);
    for (const std::string& line : split(head, '\n')) {
      const std::size_t colon = line.find(':');
      if (colon == std::string::npos) continue;
      reply.headers[to_lower(line.substr(0, colon))] = trim(line.substr(colon + 1));
    }
    return reply;
  }

  FileDescriptor socket_;
  std::string buffer_;
  bool has_ended_ = false;
};

}  // namespace lakemill::server
