#include "lakemill/storage/local_file.h"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace lakemill::storage {

namespace {

constexpr unsigned kFolderMode = 0777;  // less the process's umask

ErrorCode code_of(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::not_found;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::denied;
    case ENAMETOOLONG:
    case EINVAL:
    case ELOOP:
      return ErrorCode::invalid;
    default:
      return ErrorCode::unavailable;
  }
}

std::string_view advice_for(int number) {
  switch (number) {
    case ENOSPC:
      return "; the disk is full: free space there, then run again";
    case EDQUOT:
      return "; free space there or raise the quota, then run again";
    case EMFILE:
    case ENFILE:
      return "; raise the limit (ulimit -n), then run again";
    default:
      return "";
  }
}

}  // namespace

Error errno_error(int number, std::string_view activity, std::string_view path) {
  std::string message(activity);
  message.append(" ").append(path).append(": ");
  message.append(std::generic_category().message(number)).append(advice_for(number));
  return {code_of(number), std::move(message)};
}

Result<LocalFile> LocalFile::open(const std::string& path, int flags, unsigned mode) {
  FileDescriptor descriptor;
  do {
    descriptor = FileDescriptor(::open(path.c_str(), flags | O_CLOEXEC, mode));
  } while (!descriptor && errno == EINTR);
  if (!descriptor) return errno_error(errno, "open", path);
  return LocalFile(std::move(descriptor));
}

Status LocalFile::write_all(std::string_view bytes, std::string_view path) {
  while (!bytes.empty()) {
    const auto written = ::write(descriptor_.get(), bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return errno_error(errno, "write", path);
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<std::string> LocalFile::read_at(std::size_t offset, std::size_t size,
                                       std::string_view path) {
  std::string bytes(size, '\0');
  std::size_t filled = 0;
  while (filled < size) {
    const auto got = ::pread(descriptor_.get(), bytes.data() + filled, size - filled,
                             static_cast<off_t>(offset + filled));
    if (got < 0) {
      if (errno == EINTR) continue;
      return errno_error(errno, "read", path);
    }
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  bytes.resize(filled);
  return bytes;
}

Status LocalFile::sync(std::string_view path) {
  if (::fsync(descriptor_.get()) != 0) return errno_error(errno, "sync", path);
  return {};
}

Status LocalFile::close(std::string_view path) {
  if (::close(descriptor_.release()) != 0 && errno != EINTR) {
    return errno_error(errno, "close", path);
  }
  return {};
}

Status make_folders(const std::string& folder) {
  if (folder.empty()) return {};
  const auto parent = folder.substr(0, folder.rfind('/'));
  for (const bool parent_made : {false, true}) {
    if (::mkdir(folder.c_str(), kFolderMode) == 0) return sync_folder(parent);
    const int number = errno;
    if (number == EEXIST) {
      struct stat status {};
      if (::stat(folder.c_str(), &status) == 0 && !S_ISDIR(status.st_mode)) break;
      return sync_folder(parent);  // whoever was faster may not have done it yet
    }
    if (number == ENOTDIR) break;
    if (number != ENOENT || parent_made) {
      return errno_error(number, "make folder", folder);
    }
    LAKEMILL_TRY_OK(make_folders(parent));
  }
  return Error(ErrorCode::denied, "make folder " + folder +
                                      ": a file of that name, or above it, is in the "
                                      "way");
}

Status sync_folder(const std::string& folder) {
  LAKEMILL_TRY(auto file, LocalFile::open(folder.empty() ? "/" : folder,
                                          O_RDONLY | O_DIRECTORY, 0));
  // Some file systems cannot sync a folder, and say so; there is no more to be done.
  if (::fsync(file.descriptor()) != 0 && errno != EINVAL && errno != EROFS) {
    return errno_error(errno, "sync folder", folder);
  }
  return {};
}

}  // namespace lakemill::storage
