#pragma once

#include <map>
#include <optional>
#include <string>

#include "lakemill/base/result.h"

namespace lakemill::delta {

/// Where in a table's folder the files lie that its log names, however it spells their
/// paths: absolute, with "." and "..", through links to folders, "FILE:/",
/// "file://localhost/", "s3a://".
///
/// Not thread-safe: remembers the folders that it has looked up.
class FilePlaces {
 public:
  /// `table_url`: as ObjectStore::url().
  explicit FilePlaces(std::string table_url) : table_url_(std::move(table_url)) {}

  /// Relative to the table's folder, as a list of its files names it; nothing if the
  /// file lies outside. `decoded`: as decoded_path() gives it.
  /// Errors: unsupported (it cannot be told where the path leads), those of
  /// storage::resolve_links.
  Result<std::optional<std::string>> find(const std::string& decoded);

 private:
  Result<std::string> resolved_folder(const std::string& folder);
  Result<std::optional<std::string>> find_local(const std::string& path);

  std::string table_url_;
  std::map<std::string, std::string> resolved_;  // local folders, by their spelling
};

}  // namespace lakemill::delta
