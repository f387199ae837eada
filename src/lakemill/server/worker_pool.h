#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace lakemill::server {

/// Threads that run jobs in the order in which they were offered. Jobs throw nothing.
///
/// Thread-safe. What was not begun when it goes is dropped; what runs is waited for.
class WorkerPool {
 public:
  /// At least one worker; `queue_max` jobs wait at most.
  WorkerPool(std::size_t workers, std::size_t queue_max);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// False if too many wait: the job is not taken.
  bool offer(std::function<void()> job);

 private:
  void work();

  const std::size_t queue_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;  // guarded by mutex_
  bool ends_ = false;                       // guarded by mutex_
  std::vector<std::jthread> threads_;
};

}  // namespace lakemill::server
