#pragma once

#include <functional>
#include <memory>
#include <string>

namespace lakemill::sources {

/// Tells at once when files of a local folder come, change or go (inotify). It may miss
/// changes of network file systems, and says nothing of other stores: who listens looks
/// now and then all the same.
///
/// Thread-safety: all calls may be concurrent.
class FolderWatch {
 public:
  /// `on_change` is called with the folder as it was given to watch(), from a thread of
  /// the watch; several changes may come as one call. Null where the system has no
  /// inotify.
  static std::unique_ptr<FolderWatch> start(
      std::function<void(const std::string&)> on_change);
  /// No call comes after it.
  virtual ~FolderWatch() = default;

  /// Watches the folder at the absolute path `folder` and the folders below it. False
  /// if it does not exist or cannot be watched; watching it twice is no harm.
  virtual bool watch(const std::string& folder) = 0;
};

}  // namespace lakemill::sources
