#include "lakemill/storage/read_ahead.h"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "lakemill/testing/matchers.h"
#include "lakemill/testing/memory_store.h"

namespace lakemill::storage {
namespace {

using testkit::HasError;
using testkit::IsOkAnd;

/// A store in memory whose reads take a moment, to see how many there are at once.
class SlowStore final : public ObjectStore {
 public:
  explicit SlowStore(int parallel) : parallel_(parallel) {}

  const std::string& url() const override { return inner_->url(); }
  int parallel_reads() const override { return parallel_; }
  Result<std::string> get(std::string_view path) override {
    const int now = ++running_;
    int most = most_;
    while (now > most && !most_.compare_exchange_weak(most, now)) {
    }
    ++reads_;
    if (parallel_ > 1) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    --running_;
    return inner_->get(path);
  }
  Result<std::string> get_range(std::string_view path, std::int64_t offset,
                                std::int64_t size) override {
    return inner_->get_range(path, offset, size);
  }
  Result<ObjectInfo> head(std::string_view path) override { return inner_->head(path); }
  Result<std::vector<ObjectInfo>> list(std::string_view prefix,
                                       std::string_view start_after) override {
    return inner_->list(prefix, start_after);
  }
  Result<std::vector<std::string>> list_folders(std::string_view folder) override {
    return inner_->list_folders(folder);
  }
  Status put_if_absent(std::string_view path, std::string_view bytes) override {
    return inner_->put_if_absent(path, bytes);
  }
  Status put(std::string_view path, std::string_view bytes) override {
    return inner_->put(path, bytes);
  }
  Result<std::unique_ptr<ObjectWriter>> create(std::string_view path) override {
    return inner_->create(path);
  }
  Status remove(std::string_view path) override { return inner_->remove(path); }

  std::atomic<int> most_ = 0;
  std::atomic<int> reads_ = 0;

 private:
  const int parallel_;
  std::atomic<int> running_ = 0;
  std::shared_ptr<ObjectStore> inner_ = testkit::make_memory_store();
};

std::vector<std::string> fill(ObjectStore& store, int count) {
  std::vector<std::string> paths;
  for (int i = 0; i < count; ++i) {
    paths.push_back("o/" + std::to_string(i));
    EXPECT_THAT(store.put(paths.back(), std::to_string(i)), testkit::IsOk());
  }
  return paths;
}

TEST(ReadAhead, GivesObjectsInOrderWithNoMoreReadsThanTheStoreWants) {
  SlowStore store(4);
  ReadAhead reads(store, fill(store, 40));
  for (int i = 0; i < 40; ++i) {
    EXPECT_THAT(reads.next(), IsOkAnd(std::to_string(i)));
  }
  EXPECT_GT(store.most_, 1);
  EXPECT_LE(store.most_, 4);
  EXPECT_EQ(store.reads_, 40);
}

TEST(ReadAhead, ReadsNothingInVainWhereOneReadIsAsFast) {
  SlowStore store(1);
  ReadAhead reads(store, fill(store, 10));
  EXPECT_THAT(reads.next(), IsOkAnd("0"));
  EXPECT_EQ(store.reads_, 1);
}

TEST(ReadAhead, TellsAnErrorAtItsPlace) {
  SlowStore store(4);
  auto paths = fill(store, 6);
  paths[2] = "gone";
  ReadAhead reads(store, paths);
  EXPECT_THAT(reads.next(), IsOkAnd("0"));
  EXPECT_THAT(reads.next(), IsOkAnd("1"));
  EXPECT_THAT(reads.next(), HasError(ErrorCode::not_found, "gone"));
  EXPECT_THAT(reads.next(), IsOkAnd("3"));
}

}  // namespace
}  // namespace lakemill::storage
