#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "lakemill/storage/object_store.h"

namespace lakemill::testkit {

/// What goes wrong at one store call. In a write, "acts" means that it took effect.
enum class Fault : std::uint8_t {
  none,
  die_before,   ///< does not act; this and every later call fails
  die_after,    ///< acts; this and every later call fails
  lose_answer,  ///< acts, but a write answers unknown and a read unavailable; goes on
  refuse,       ///< does not act, answers unavailable; goes on
};

struct FaultPlan {
  Fault fault = Fault::none;
  std::int64_t at_call = 0;  ///< from 0, over all stores of the provider
  /// Called just before that call, by whoever makes it: somebody else acts then.
  std::function<void()> meanwhile = {};
};

/// Wraps a provider (borrowed) and counts every call of every store that it gave,
/// ObjectWriter's append and finish included, to let exactly one of them go wrong. A
/// dead provider answers all with unavailable and "process died".
///
/// A sweep: run once with no fault and take calls(); then for each index and fault run
/// again from the same beginning, then without faults, and look at what is there.
/// Thread-safe.
class CrashingStoreProvider final : public storage::StoreProvider {
 public:
  CrashingStoreProvider(storage::StoreProvider& inner, FaultPlan plan);
  ~CrashingStoreProvider() override;

  /// Itself is no store call; fails once dead.
  Result<std::shared_ptr<storage::ObjectStore>> open(std::string_view url) override;

  std::int64_t calls() const;
  bool died() const;
  /// "put_if_absent memory://a/_delta_log/….json" for each call, in order: what
  /// SCOPED_TRACE shows of a failing index.
  std::vector<std::string> trace() const;

  class Control;

 private:
  storage::StoreProvider& inner_;
  std::shared_ptr<Control> control_;
};

}  // namespace lakemill::testkit
