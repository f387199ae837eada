#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "lakemill/flow/workspace.h"

namespace lakemill::flow {

/// The views that several nodes of one run use: each is computed once, into a file of
/// the run that is removed at its end. Source: docs/design/0008.
///
/// What a view's rows depend on (its definition, the slices and table versions read,
/// and its moment) is what a file is found by, and stands in each node's plan: a batch
/// that is repeated gets the same rows, computed anew.
///
/// Thread-safety: concurrent calls are allowed.
class SharedViews {
 public:
  /// `workspace` must outlive it.
  SharedViews(const Workspace& workspace, std::string run_id,
              std::set<std::string> views);
  ~SharedViews();
  SharedViews(const SharedViews&) = delete;
  SharedViews& operator=(const SharedViews&) = delete;

  /// True if several of the run's nodes use the view.
  bool is_shared(const std::string& view) const { return views_.contains(view); }

  /// The moment of a view in this run: `asked`, if nobody asked before.
  ViewMoment moment(const std::string& view, const ViewMoment& asked);

  /// Writes the rows of a view to the target.
  using Compute = std::function<Status(const engine::FileTarget& target)>;

  /// The rows that belong to `content`, computed by the first who asks. Errors: those
  /// of `compute`.
  Result<engine::FilesRelation> rows(const std::string& content,
                                     const Compute& compute);

 private:
  struct Entry {
    std::size_t number = 0;  // in the file's name
    std::mutex mutex;
    std::string url;  // guarded by mutex; empty until computed
  };

  std::string path_of(std::size_t number) const;

  const Workspace& workspace_;
  const std::string run_id_;
  const std::set<std::string> views_;
  std::mutex mutex_;
  std::map<std::string, ViewMoment> moments_;              // guarded by mutex_
  std::map<std::string, std::shared_ptr<Entry>> entries_;  // guarded by mutex_
};

/// The views that more than one of `nodes` (those that write, and views that they use)
/// read.
std::set<std::string> views_of_several(const language::Pipeline& pipeline,
                                       const std::vector<std::string>& nodes);

}  // namespace lakemill::flow
