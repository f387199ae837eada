#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "lakemill/base/random.h"
#include "lakemill/orchestrator/pipeline_state.h"
#include "lakemill/storage/object_store.h"

namespace lakemill::orchestrator {

/// The decisions about one pipeline, as objects `<folder>/<number>.json` that are each
/// written once: of several processes that decide at one moment one wins, and the
/// others see what it decided before they decide anew. Every kStatePeriod entries their
/// sum is written beside them, `<number>.state.json`, and `newest.json` names it, so
/// that opening reads few objects and lists none.
///
/// Not thread-safe.
class Journal {
 public:
  /// Decides on what has been decided so far: the entry to write, without number, id
  /// and member; nothing where there is nothing to do (any more).
  using Decide = std::function<std::optional<JournalEntry>(const PipelineState&)>;
  /// Hears every entry, written here or elsewhere, in order.
  using Follower = std::function<void(const PipelineState&, const JournalEntry&)>;

  /// Reads it. `store` and `random` outlive it. Errors: corrupt, those of the store.
  static Result<std::unique_ptr<Journal>> open(storage::ObjectStore& store,
                                               std::string folder, std::string member,
                                               Random& random);

  const PipelineState& state() const { return state_; }

  /// Reads what others wrote. Errors: corrupt, those of the store; what came before the
  /// error is read.
  Status catch_up(const Follower& follower);

  /// Writes what `decide` says, who is asked again each time somebody else was faster;
  /// gives the entry that stands, nothing where there was none to write.
  /// Errors: unavailable (not written, or not known: ask again), denied, corrupt.
  Result<std::optional<JournalEntry>> append(const Decide& decide,
                                             const Follower& follower);

  static constexpr std::int64_t kStatePeriod = 64;

 private:
  Journal(storage::ObjectStore& store, std::string folder, std::string member,
          Random& random);
  Status read_state();
  Result<std::optional<JournalEntry>> read(std::int64_t number);
  void follow(const JournalEntry& entry, const Follower& follower);
  void keep_state();
  std::string path_of(std::int64_t number, const char* ending) const;

  storage::ObjectStore& store_;
  const std::string folder_;
  const std::string member_;
  Random& random_;
  PipelineState state_;
};

}  // namespace lakemill::orchestrator
