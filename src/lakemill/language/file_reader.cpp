#include "lakemill/language/file_reader.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace lakemill::language {

namespace {

constexpr std::uintmax_t kFileBytesMax = 16U << 20U;

}  // namespace

Result<std::string> LocalFileReader::read(const std::string& path) {
  std::error_code fault;
  const auto status = std::filesystem::status(path, fault);
  if (!std::filesystem::exists(status)) {
    return Error(ErrorCode::not_found, "there is no file " + path);
  }
  if (std::filesystem::is_directory(status)) {
    return Error(ErrorCode::invalid, path + " is a folder, not a file");
  }
  const std::uintmax_t size = std::filesystem::file_size(path, fault);
  if (!fault && size > kFileBytesMax) {
    return Error(ErrorCode::invalid, path + " holds more than 16 MiB");
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return Error(ErrorCode::denied, "the file " + path + " cannot be read");
  std::ostringstream content;
  content << stream.rdbuf();
  if (stream.bad()) {
    return Error(ErrorCode::unavailable, "reading " + path + " failed");
  }
  return content.str();
}

bool LocalFileReader::is_folder(const std::string& path) {
  std::error_code fault;
  return std::filesystem::is_directory(path, fault);
}

Result<std::vector<std::string>> LocalFileReader::files_below(
    const std::string& folder) {
  std::error_code fault;
  std::vector<std::string> files;
  auto entry = std::filesystem::recursive_directory_iterator(folder, fault);
  if (fault)
    return Error(ErrorCode::not_found, "the folder " + folder + " is unreadable");
  const auto end = std::filesystem::recursive_directory_iterator();
  while (entry != end) {
    if (entry->is_regular_file(fault)) {
      files.push_back(std::filesystem::path(entry->path())
                          .lexically_relative(folder)
                          .generic_string());
    }
    entry.increment(fault);
    if (fault)
      return Error(ErrorCode::denied, "the folder " + folder + " is unreadable");
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string LocalFileReader::real_path(const std::string& path) {
  std::error_code fault;
  const auto absolute = std::filesystem::absolute(path, fault);
  if (fault) return path;
  const auto real = std::filesystem::weakly_canonical(absolute, fault);
  return (fault ? absolute.lexically_normal() : real).generic_string();
}

Result<std::string> MemoryFileReader::read(const std::string& path) {
  const auto found = files_.find(path);
  if (found == files_.end()) {
    return Error(ErrorCode::not_found, "there is no file " + path);
  }
  return found->second;
}

bool MemoryFileReader::is_folder(const std::string& path) {
  const std::string prefix = path + "/";
  const auto found = files_.lower_bound(prefix);
  return found != files_.end() && found->first.starts_with(prefix);
}

Result<std::vector<std::string>> MemoryFileReader::files_below(
    const std::string& folder) {
  const std::string prefix = folder + "/";
  std::vector<std::string> files;
  for (auto it = files_.lower_bound(prefix);
       it != files_.end() && it->first.starts_with(prefix); ++it) {
    files.push_back(it->first.substr(prefix.size()));
  }
  return files;
}

Result<std::string> NotingFileReader::read(const std::string& path) {
  auto content = reader_.read(path);
  if (content) files_.insert(path);
  return content;
}

bool NotingFileReader::is_folder(const std::string& path) {
  return reader_.is_folder(path);
}

Result<std::vector<std::string>> NotingFileReader::files_below(
    const std::string& folder) {
  return reader_.files_below(folder);
}

std::string NotingFileReader::real_path(const std::string& path) {
  return reader_.real_path(path);
}

std::string path_from(std::string_view folder, std::string_view path) {
  std::filesystem::path joined = std::filesystem::path(folder) / path;
  std::string text = joined.lexically_normal().generic_string();
  if (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return text;
}

std::string folder_of(std::string_view path) {
  return std::filesystem::path(path).parent_path().generic_string();
}

}  // namespace lakemill::language
