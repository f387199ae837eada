#pragma once

#include <string>

namespace lakemill::testkit {

/// A new, empty folder, which goes with all its content when this does. Not
/// thread-safe.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  /// Absolute, without '/' at the end, no link on the way.
  const std::string& path() const { return path_; }
  /// `inner` below it.
  std::string at(const std::string& inner) const { return path_ + "/" + inner; }

 private:
  std::string path_;
};

}  // namespace lakemill::testkit
