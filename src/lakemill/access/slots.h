#pragma once

#include <condition_variable>
#include <mutex>

namespace lakemill::access {

/// Lets so many through at once; the others wait. Thread-safe.
class Slots {
 public:
  explicit Slots(int count) : free_(count) {}

  /// Given back when it goes.
  class Held {
   public:
    explicit Held(Slots& slots);
    ~Held();
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

   private:
    Slots& slots_;
  };

 private:
  std::mutex mutex_;
  std::condition_variable freed_;
  int free_;  // guarded by mutex_
};

}  // namespace lakemill::access
