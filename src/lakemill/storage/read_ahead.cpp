#include "lakemill/storage/read_ahead.h"

#include "lakemill/base/check.h"

namespace lakemill::storage {

ReadAhead::ReadAhead(ObjectStore& store, std::vector<std::string> paths)
    : store_(store), paths_(std::move(paths)) {}

ReadAhead::~ReadAhead() {
  for (auto& answer : pending_) answer.wait();  // they use the store
}

Result<std::string> ReadAhead::next() {
  const auto ahead = static_cast<std::size_t>(store_.parallel_reads());
  if (ahead <= 1) {
    LAKEMILL_CHECK(begun_ < paths_.size());
    return store_.get(paths_[begun_++]);
  }
  for (; begun_ < paths_.size() && pending_.size() < ahead; ++begun_) {
    pending_.push_back(std::async(std::launch::async, [this, path = paths_[begun_]] {
      return store_.get(path);
    }));
  }
  LAKEMILL_CHECK(!pending_.empty());
  auto answer = std::move(pending_.front());
  pending_.pop_front();
  return answer.get();
}

}  // namespace lakemill::storage
