#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "lakemill/testing/forwarding_store.h"

namespace lakemill::testkit {

/// Calls `hook` once, just before an object whose URL ends so is put with
/// put_if_absent, or begins to be written: a test chooses the moment at which somebody
/// else acts.
class InterruptingStore final : public ForwardingStore {
 public:
  struct Moment {
    std::string path_end;
    std::function<void()> hook;
  };

  InterruptingStore(std::shared_ptr<storage::ObjectStore> inner,
                    std::shared_ptr<Moment> moment)
      : ForwardingStore(std::move(inner)), moment_(std::move(moment)) {}

  Status put_if_absent(std::string_view path, std::string_view bytes) override {
    interrupt(path);
    return ForwardingStore::put_if_absent(path, bytes);
  }
  Result<std::unique_ptr<storage::ObjectWriter>> create(
      std::string_view path) override {
    interrupt(path);
    return ForwardingStore::create(path);
  }

 private:
  void interrupt(std::string_view path) {
    const std::string full = url() + "/" + std::string(path);
    if (!moment_->hook || !full.ends_with(moment_->path_end)) return;
    const auto hook = std::exchange(moment_->hook, nullptr);
    hook();
  }

  std::shared_ptr<Moment> moment_;
};

/// Wraps a provider (borrowed). Not thread-safe.
class InterruptingProvider final : public storage::StoreProvider {
 public:
  InterruptingProvider(storage::StoreProvider& inner, InterruptingStore::Moment moment)
      : inner_(inner),
        moment_(std::make_shared<InterruptingStore::Moment>(std::move(moment))) {}

  Result<std::shared_ptr<storage::ObjectStore>> open(std::string_view url) override {
    LAKEMILL_TRY(auto store, inner_.open(url));
    return std::shared_ptr<storage::ObjectStore>(
        std::make_shared<InterruptingStore>(std::move(store), moment_));
  }
  bool interrupted() const { return !moment_->hook; }

 private:
  storage::StoreProvider& inner_;
  std::shared_ptr<InterruptingStore::Moment> moment_;
};

}  // namespace lakemill::testkit
