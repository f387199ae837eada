#pragma once

#include <map>
#include <memory>
#include <string>

#include "lakemill/base/clock.h"
#include "lakemill/storage/object_store.h"

namespace lakemill::testkit {

/// Object stores in memory: "memory://name/…". All stores of one provider show
/// one set of objects, so that the store at memory://a/b sees as "c" what memory://a
/// sees as "b/c".
///
/// Every write is dated a millisecond after the one before, from 2026-01-01 on, unless
/// a clock is given (borrowed). Stores stay usable after their provider is gone.
/// Thread-safe.
class MemoryStoreProvider final : public storage::StoreProvider {
 public:
  MemoryStoreProvider();
  explicit MemoryStoreProvider(Clock& clock);
  ~MemoryStoreProvider() override;

  /// Errors: unsupported (another scheme), invalid (no name).
  Result<std::shared_ptr<storage::ObjectStore>> open(std::string_view url) override;

  /// Every object by its URL, now.
  std::map<std::string, std::string> objects() const;
  /// Another provider with a copy of the objects: to begin many sweeps at one state.
  std::unique_ptr<MemoryStoreProvider> copy() const;
  /// Changes an object behind everybody's back; nothing as `bytes` removes it.
  void tamper(const std::string& url, const std::string* bytes);

  class Objects;

 private:
  explicit MemoryStoreProvider(std::shared_ptr<Objects> objects);
  std::shared_ptr<Objects> objects_;
};

/// One store at memory://test with objects of its own.
std::shared_ptr<storage::ObjectStore> make_memory_store();

}  // namespace lakemill::testkit
