#include "lakemill/server/worker_pool.h"

#include "lakemill/base/check.h"

namespace lakemill::server {

WorkerPool::WorkerPool(std::size_t workers, std::size_t queue_max)
    : queue_max_(queue_max) {
  LAKEMILL_CHECK(workers > 0);
  for (std::size_t index = 0; index < workers; ++index) {
    threads_.emplace_back([this] { work(); });
  }
}

WorkerPool::~WorkerPool() {
  {
    const std::scoped_lock lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
}

bool WorkerPool::offer(std::function<void()> job) {
  {
    const std::scoped_lock lock(mutex_);
    if (jobs_.size() >= queue_max_) return false;
    jobs_.push_back(std::move(job));
  }
  changed_.notify_one();
  return true;
}

void WorkerPool::work() {
  while (true) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ends_ || !jobs_.empty(); });
    if (ends_) return;
    std::function<void()> job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
  }
}

}  // namespace lakemill::server
