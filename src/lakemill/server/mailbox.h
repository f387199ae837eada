#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "lakemill/base/result.h"
#include "lakemill/server/answer.h"
#include "lakemill/server/socket.h"

namespace lakemill::server {

/// Numbers connections of a listener; none is used twice.
using ConnectionId = std::uint64_t;

/// What other threads have for a connection: the answer of its request, or word that
/// its stream has something.
struct Mail {
  ConnectionId connection = 0;
  std::optional<Answer> answer;
};

/// How other threads reach the I/O thread. Thread-safe; may outlive the listener, in
/// the hands of streams.
class Mailbox {
 public:
  static Result<std::shared_ptr<Mailbox>> open();
  explicit Mailbox(FileDescriptor event) : event_(std::move(event)) {}

  void post(Mail mail);
  /// Wakes the I/O thread up without a mail.
  void wake();

  /// Readable while there may be mail.
  int descriptor() const { return event_.get(); }
  /// All of it, in its order. I/O thread.
  std::vector<Mail> take();

 private:
  const FileDescriptor event_;
  std::mutex mutex_;
  std::vector<Mail> mails_;  // guarded by mutex_
};

}  // namespace lakemill::server
