#pragma once

#include <deque>
#include <future>
#include <string>
#include <vector>

#include "lakemill/storage/object_store.h"

namespace lakemill::storage {

/// Gives whole objects in a fixed order. Where the store says that several reads at a
/// time are faster, that many are read ahead of the caller; else each is read when it
/// is asked for, so that nothing is read in vain.
///
/// Not thread-safe. Borrows the store.
class ReadAhead {
 public:
  ReadAhead(ObjectStore& store, std::vector<std::string> paths);
  ~ReadAhead();
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  /// The next object, once for each path. Errors: those of the store's get().
  Result<std::string> next();

 private:
  ObjectStore& store_;
  const std::vector<std::string> paths_;
  std::size_t begun_ = 0;
  std::deque<std::future<Result<std::string>>> pending_;
};

}  // namespace lakemill::storage
