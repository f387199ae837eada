#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "lakemill/app/workbench.h"

namespace lakemill::app {

/// A pipeline file of a project that is served.
struct ServedFile {
  std::string file;  ///< relative to the project's folder where it is below it
  /// As it was when it was last without faults; null: it never was.
  std::shared_ptr<const language::Pipeline> pipeline;
  std::string fault;  ///< why the file as it is now is not taken; empty: it is
};

/// The pipelines of a project while it is served: their files as they are now, and of
/// those that have become invalid the last version that was not.
///
/// Thread-safety: refresh() by one thread at a time; all else by any.
class PipelineSet {
 public:
  /// The workbench is borrowed.
  explicit PipelineSet(Workbench& workbench) : workbench_(workbench) {}

  /// Loads what is new or has changed since. True if that made a difference.
  /// Errors: those of the stores, when files cannot be listed; then all stays.
  Result<bool> refresh();

  /// In the order of the project's patterns.
  std::vector<ServedFile> files() const;
  /// Null: there is none of this name.
  std::shared_ptr<const language::Pipeline> find(const std::string& pipeline) const;

 private:
  /// A file as the operating system tells it; all zero: it is not there.
  struct Mark {
    std::int64_t size = 0;
    std::int64_t changed_ns = 0;
    std::uint64_t inode = 0;
    bool operator==(const Mark&) const = default;
  };
  struct Loaded {
    ServedFile served;
    std::shared_ptr<const language::Pipeline> newest;  // null: it has faults of its own
    std::string own_fault;
    std::map<std::string, Mark> parts;  // all files it was made of
  };

  static Mark mark_of(const std::string& path);
  static bool is_as_before(const Loaded& loaded);
  void load(const std::string& file, Loaded& loaded);
  std::map<std::string, std::string> faults_of_project() const;
  std::string shown(const std::string& file) const;

  Workbench& workbench_;
  std::vector<std::string> order_;        // only refresh()
  std::map<std::string, Loaded> loaded_;  // by file; only refresh()

  mutable std::mutex mutex_;
  std::vector<ServedFile> files_;  // guarded by mutex_
};

}  // namespace lakemill::app
