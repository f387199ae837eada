#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "lakemill/flow/workspace.h"

namespace lakemill::app {

/// Who runs a pipeline, or ran it and died: an object `_runs/<run id>.json` beside its
/// flows, which a run puts there first and removes once all its events are written.
/// Work is saved by it, nothing more: what is right does not depend on it.
class RunMark {
 public:
  /// Errors: those of the store.
  static Result<std::unique_ptr<RunMark>> put(const flow::Workspace& workspace,
                                              const std::string& run_id);
  /// Best effort: a mark that stays makes a later run look for lost events in vain.
  void remove();

 private:
  RunMark(std::shared_ptr<storage::ObjectStore> store, std::string path)
      : store_(std::move(store)), path_(std::move(path)) {}

  std::shared_ptr<storage::ObjectStore> store_;
  std::string path_;
};

/// What the marks of a pipeline tell.
struct MarkedRuns {
  std::set<std::string> alive;  ///< run ids; also of other machines, for a day
  std::set<std::string>
      foreign;  ///< those of `alive` that cannot be looked at from here
  std::vector<std::string> dead;  ///< paths of the marks of processes that are gone
};
Result<MarkedRuns> marked_runs(const flow::Workspace& workspace);

}  // namespace lakemill::app
