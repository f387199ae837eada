#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "lakemill/base/file_descriptor.h"
#include "lakemill/base/result.h"

namespace lakemill::storage {

/// What an errno value means here. not_found: ENOENT, ENOTDIR. denied: EACCES, EPERM,
/// EROFS. invalid: ENAMETOOLONG, EINVAL, ELOOP. All else is unavailable: nothing
/// happened, so that after a full disk was given room the same call may be made again.
/// The message names the activity, the path and the system's own words.
Error errno_error(int number, std::string_view activity, std::string_view path);

/// An open file; closes it in the end.
///
/// Not thread-safe.
class LocalFile {
 public:
  /// `flags` and `mode` as for open(2); O_CLOEXEC is added.
  static Result<LocalFile> open(const std::string& path, int flags, unsigned mode);

  explicit LocalFile(FileDescriptor descriptor) : descriptor_(std::move(descriptor)) {}

  int descriptor() const { return descriptor_.get(); }

  Status write_all(std::string_view bytes, std::string_view path);
  /// Bytes [offset, offset + size), shorter at the end.
  Result<std::string> read_at(std::size_t offset, std::size_t size,
                              std::string_view path);
  Status sync(std::string_view path);
  /// Closes now, and tells what close(2) said.
  Status close(std::string_view path);

 private:
  FileDescriptor descriptor_;
};

/// Makes `folder` and what is missing above it, durably.
/// Errors: denied, unavailable, not_found (the folder above went at once, or can hold
/// none).
Status make_folders(const std::string& folder);

/// Makes the entries of `folder` durable.
Status sync_folder(const std::string& folder);

}  // namespace lakemill::storage
