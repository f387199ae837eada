#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "lakemill/base/clock.h"
#include "lakemill/base/random.h"
#include "lakemill/orchestrator/ports.h"
#include "lakemill/storage/object_store.h"

namespace lakemill::app {

/// The processes that serve a project: each keeps an object
/// `_lakemill/members/<id>.json` with what the operating system knows it by, and a
/// number that grows each second. A process of this machine is gone once the operating
/// system says so; another one when its number has not grown for kSilenceMax, by the
/// clock of who looks. One that was taken for gone and is not does no harm: what it
/// decides and writes is fenced by the journal and by plans.
///
/// Thread-safe.
class ProcessMembers final : public orchestrator::MemberPort {
 public:
  static constexpr std::chrono::seconds kBeatPeriod{1};
  static constexpr std::chrono::seconds kSilenceMax{5};

  /// Makes this process one of them. All are borrowed. Errors: those of the store.
  static Result<std::unique_ptr<ProcessMembers>> join(storage::ObjectStore& store,
                                                      Clock& clock, Random& random);
  /// Leaves.
  ~ProcessMembers() override;

  const std::string& id() const { return id_; }
  bool is_gone(const std::string& member) override;

 private:
  // Another process, as it was when it was last looked at.
  struct Seen {
    Json mark;
    bool is_absent = false;
    std::chrono::microseconds looked_at{};  // by Clock::elapsed()
    std::chrono::microseconds grew_at{};    // likewise
  };

  ProcessMembers(storage::ObjectStore& store, Clock& clock, std::string id)
      : store_(store), clock_(clock), id_(std::move(id)) {}
  Status beat();
  void run(const std::stop_token& stop);
  void look_at(const std::string& member, Seen& seen, bool is_first);

  storage::ObjectStore& store_;
  Clock& clock_;
  const std::string id_;
  std::int64_t beats_ = 0;  // only the thread, once it runs
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::map<std::string, Seen> others_;  // by id; guarded by mutex_
  std::jthread thread_;
};

}  // namespace lakemill::app
