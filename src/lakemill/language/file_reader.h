#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lakemill/base/result.h"

namespace lakemill::language {

/// The files that a load may read: the port through which the loader sees the world.
/// Paths are relative to the current folder or absolute, with '/'. Whoever implements
/// it also holds the reads to the allowed roots.
class FileReader {
 public:
  virtual ~FileReader() = default;

  /// The whole file. Errors: not_found, denied, invalid (too large).
  virtual Result<std::string> read(const std::string& path) = 0;

  virtual bool is_folder(const std::string& path) = 0;

  /// Paths of all files below `folder`, however deep, relative to it, sorted.
  /// Errors: not_found, denied.
  virtual Result<std::vector<std::string>> files_below(const std::string& folder) = 0;

  /// `path` under a name that is equal where two paths lead to one file, of what does
  /// not exist yet too: links followed, from the root.
  virtual std::string real_path(const std::string& path) { return path; }
};

/// Files of this machine; a file may hold at most 16 MiB.
class LocalFileReader final : public FileReader {
 public:
  Result<std::string> read(const std::string& path) override;
  bool is_folder(const std::string& path) override;
  Result<std::vector<std::string>> files_below(const std::string& folder) override;
  std::string real_path(const std::string& path) override;
};

/// Files in memory, by path.
class MemoryFileReader final : public FileReader {
 public:
  explicit MemoryFileReader(std::map<std::string, std::string> files)
      : files_(std::move(files)) {}

  Result<std::string> read(const std::string& path) override;
  bool is_folder(const std::string& path) override;
  Result<std::vector<std::string>> files_below(const std::string& folder) override;

 private:
  std::map<std::string, std::string> files_;
};

/// Notes which files were read through it.
class NotingFileReader final : public FileReader {
 public:
  /// `reader` is borrowed.
  explicit NotingFileReader(FileReader& reader) : reader_(reader) {}

  Result<std::string> read(const std::string& path) override;
  bool is_folder(const std::string& path) override;
  Result<std::vector<std::string>> files_below(const std::string& folder) override;
  std::string real_path(const std::string& path) override;

  const std::set<std::string>& files() const { return files_; }

 private:
  FileReader& reader_;
  std::set<std::string> files_;
};

/// `path` as seen from `folder`, without "." and inner "..": absolute paths stay.
std::string path_from(std::string_view folder, std::string_view path);

/// The folder of a file: "" for a bare name.
std::string folder_of(std::string_view path);

}  // namespace lakemill::language
