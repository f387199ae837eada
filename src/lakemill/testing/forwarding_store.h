#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lakemill/storage/object_store.h"

namespace lakemill::testkit {

/// A store that does what another does: a test overrides what shall be otherwise.
class ForwardingStore : public storage::ObjectStore {
 public:
  explicit ForwardingStore(std::shared_ptr<storage::ObjectStore> inner)
      : inner_(std::move(inner)) {}

  const std::string& url() const override { return inner_->url(); }
  Result<std::string> get(std::string_view path) override { return inner_->get(path); }
  Result<std::string> get_range(std::string_view path, std::int64_t offset,
                                std::int64_t size) override {
    return inner_->get_range(path, offset, size);
  }
  Result<storage::ObjectInfo> head(std::string_view path) override {
    return inner_->head(path);
  }
  Result<storage::ObjectTail> tail(std::string_view path, std::int64_t size) override {
    return inner_->tail(path, size);
  }
  Result<std::vector<storage::ObjectInfo>> list(std::string_view prefix,
                                                std::string_view after) override {
    return inner_->list(prefix, after);
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
  Result<std::unique_ptr<storage::ObjectWriter>> create(
      std::string_view path) override {
    return inner_->create(path);
  }
  Status remove(std::string_view path) override { return inner_->remove(path); }
  Status remove_all(std::span<const std::string> paths) override {
    return inner_->remove_all(paths);
  }
  int parallel_reads() const override { return inner_->parallel_reads(); }

 private:
  std::shared_ptr<storage::ObjectStore> inner_;
};

}  // namespace lakemill::testkit
