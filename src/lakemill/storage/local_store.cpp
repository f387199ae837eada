#include "lakemill/storage/local_store.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <limits>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lakemill/storage/local_file.h"
#include "lakemill/storage/path.h"

namespace lakemill::storage {

namespace {

constexpr unsigned kFileMode = 0666;  // less the process's umask
constexpr int kOpenAttemptsMax = 20;  // of a temporary file

std::int64_t nanoseconds_of(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

ObjectInfo info_of(std::string path, const struct stat& status) {
  const auto modified_ns = nanoseconds_of(status.st_mtim);
  return {.path = std::move(path),
          .size_bytes = status.st_size,
          .modified_ms = modified_ns / 1'000'000,
          .etag = std::to_string(status.st_ino) + "-" + std::to_string(status.st_size) +
                  "-" + std::to_string(modified_ns)};
}

std::string folder_of(const std::string& file) {
  return file.substr(0, file.rfind('/'));
}

/// A file that is being written beside the place where it will be.
///
/// Not thread-safe.
class StagedFile {
 public:
  static Result<StagedFile> open(const std::string& target);

  StagedFile(StagedFile&& other) noexcept
      : file_(std::move(other.file_)),
        target_(std::move(other.target_)),
        temporary_(std::exchange(other.temporary_, std::string())) {}
  StagedFile& operator=(StagedFile&&) = delete;
  StagedFile(const StagedFile&) = delete;
  StagedFile& operator=(const StagedFile&) = delete;
  ~StagedFile() {
    if (!temporary_.empty()) (void)::unlink(temporary_.c_str());
  }

  Status append(std::string_view bytes) { return file_.write_all(bytes, target_); }
  /// Durable under its name if that is free. Errors: exists, denied, unavailable,
  /// unknown (there, but perhaps not durable).
  Status link_if_absent();
  /// Durable under its name, in place of what was there. Errors: as above.
  Status replace();

 private:
  StagedFile(LocalFile file, std::string target, std::string temporary)
      : file_(std::move(file)),
        target_(std::move(target)),
        temporary_(std::move(temporary)) {}
  Status sync_name();

  LocalFile file_;
  std::string target_;
  std::string temporary_;  // empty once it is gone
};

Result<StagedFile> StagedFile::open(const std::string& target) {
  static std::atomic<std::uint64_t> count{0};
  const auto folder = folder_of(target);
  const auto begin =
      folder + "/" + std::string(kTemporaryPrefix) + std::to_string(::getpid()) + "-";
  // Another machine's process may have taken the name, and the folder may go with its
  // last object between the two steps: hence the attempts.
  for (int attempt = 1;; ++attempt) {
    auto temporary = begin + std::to_string(count.fetch_add(1));
    FileDescriptor descriptor(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode));
    if (descriptor) {
      return StagedFile(LocalFile(std::move(descriptor)), target, std::move(temporary));
    }
    const int number = errno;
    const bool try_again = attempt < kOpenAttemptsMax;
    if ((number == EEXIST || number == EINTR) && try_again) continue;
    if (number != ENOENT && number != ENOTDIR) {
      return errno_error(number, "write", target);
    }
    auto made = make_folders(folder);
    if (made || made.error().code() == ErrorCode::not_found) {
      if (try_again) continue;
      return Error(ErrorCode::denied,
                   "write " + target + ": no file can be made in this folder");
    }
    return std::move(made).error();
  }
}

Status StagedFile::link_if_absent() {
  LAKEMILL_TRY_OK(file_.sync(target_));
  if (::link(temporary_.c_str(), target_.c_str()) != 0) {
    const int number = errno;
    // Over a network the answer to a link that was made can get lost, and its
    // repetition fails: the count of names tells.
    struct stat status {};
    const bool linked =
        ::fstat(file_.descriptor(), &status) == 0 && status.st_nlink == 2;
    if (!linked && number == EEXIST) {
      return Error(ErrorCode::exists, "write " + target_ + ": it exists already");
    }
    if (!linked && (number == EPERM || number == EOPNOTSUPP)) {
      return Error(ErrorCode::denied,
                   "write " + target_ +
                       ": this file system allows no hard links, which atomic commits "
                       "need; keep tables on another one");
    }
    if (!linked) return errno_error(number, "write", target_);
  }
  (void)::unlink(temporary_.c_str());
  temporary_.clear();
  return sync_name();
}

Status StagedFile::replace() {
  LAKEMILL_TRY_OK(file_.sync(target_));
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
    if (errno == EISDIR) {
      return Error(ErrorCode::denied, "write " + target_ + ": a folder is there");
    }
    return errno_error(errno, "write", target_);
  }
  temporary_.clear();
  return sync_name();
}

Status StagedFile::sync_name() {
  auto synced = sync_folder(folder_of(target_));
  if (synced) return synced;
  return Error(ErrorCode::unknown,
               "write " + target_ +
                   ": it is there, but may not survive a power failure: " +
                   synced.error().message());
}

class LocalObjectWriter final : public ObjectWriter {
 public:
  explicit LocalObjectWriter(StagedFile staged) : staged_(std::move(staged)) {}
  Status append(std::string_view bytes) override { return staged_.append(bytes); }
  Status finish() override { return staged_.replace(); }

 private:
  StagedFile staged_;
};

/// One list() call: walks the folders that may hold what was asked for.
class Walk {
 public:
  Walk(const std::string& root, std::string_view prefix, std::string_view start_after)
      : root_(root), prefix_(prefix), start_after_(start_after) {}

  Result<std::vector<ObjectInfo>> run() {
    LAKEMILL_TRY_OK(check_object_path(std::string(prefix_) + "x"));
    const auto slash = prefix_.rfind('/');
    LAKEMILL_TRY_OK(visit(slash == std::string_view::npos
                              ? std::string()
                              : std::string(prefix_.substr(0, slash + 1))));
    std::sort(found_.begin(), found_.end(), [](const auto& left, const auto& right) {
      return left.path < right.path;
    });
    return std::move(found_);
  }

 private:
  enum class Kind : std::uint8_t { file, folder, other };

  // `folder` is "" or ends in '/'.
  Status visit(const std::string& folder);
  Status take(int folder_descriptor, const dirent& entry, std::string path);
  // Whether a path that begins with `folder` (which ends in '/') can be asked for.
  bool may_hold_any(std::string_view folder) const {
    if (!folder.starts_with(prefix_.substr(0, folder.size()))) return false;
    return folder > start_after_ || start_after_.starts_with(folder);
  }

  const std::string& root_;
  std::string_view prefix_;
  std::string_view start_after_;
  std::vector<ObjectInfo> found_;
};

struct FolderCloser {
  void operator()(DIR* folder) const { (void)::closedir(folder); }
};

Status Walk::visit(const std::string& folder) {
  const auto absolute = join_path(root_, folder);
  const std::unique_ptr<DIR, FolderCloser> open(::opendir(absolute.c_str()));
  if (!open) {
    if (errno == ENOENT || errno == ENOTDIR) return {};
    return errno_error(errno, "list", absolute);
  }
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(open.get());
    if (entry == nullptr) {
      if (errno != 0) return errno_error(errno, "list", absolute);
      return {};
    }
    const std::string_view name = entry->d_name;
    if (name == "." || name == ".." || name.starts_with(kTemporaryPrefix)) continue;
    LAKEMILL_TRY_OK(take(::dirfd(open.get()), *entry, folder + entry->d_name));
  }
}

Status Walk::take(int folder_descriptor, const dirent& entry, std::string path) {
  const bool may_be_file =
      entry.d_type != DT_DIR && path > start_after_ && path.starts_with(prefix_);
  const bool may_be_folder = (entry.d_type == DT_DIR || entry.d_type == DT_UNKNOWN) &&
                             may_hold_any(path + "/");
  if (!may_be_file && !may_be_folder) return {};
  if (entry.d_type == DT_DIR) return visit(path + "/");

  struct stat status {};
  const bool is_link = entry.d_type == DT_LNK;
  if (::fstatat(folder_descriptor, entry.d_name, &status,
                is_link ? 0 : AT_SYMLINK_NOFOLLOW) != 0) {
    // gone since, or a link that leads nowhere
    if (errno == ENOENT || errno == ELOOP) return {};
    return errno_error(errno, "list", join_path(root_, path));
  }
  if (S_ISREG(status.st_mode) && may_be_file) {
    found_.push_back(info_of(std::move(path), status));
  } else if (S_ISDIR(status.st_mode) && may_be_folder && !is_link) {
    return visit(path + "/");
  }
  return {};
}

class LocalStore final : public ObjectStore {
 public:
  explicit LocalStore(std::string root) : root_(std::move(root)) {}

  const std::string& url() const override { return root_; }

  Result<std::string> get(std::string_view path) override {
    return get_range(path, 0, std::numeric_limits<std::int64_t>::max());
  }
  Result<std::string> get_range(std::string_view path, std::int64_t offset,
                                std::int64_t size) override;
  Result<ObjectInfo> head(std::string_view path) override;
  Result<std::vector<ObjectInfo>> list(std::string_view prefix,
                                       std::string_view start_after) override {
    return Walk(root_, prefix, start_after).run();
  }
  Result<std::vector<std::string>> list_folders(std::string_view folder) override;
  Status put_if_absent(std::string_view path, std::string_view bytes) override;
  Status put(std::string_view path, std::string_view bytes) override;
  Result<std::unique_ptr<ObjectWriter>> create(std::string_view path) override;
  Status remove(std::string_view path) override;

 private:
  Result<std::string> absolute(std::string_view path) const {
    LAKEMILL_TRY_OK(check_object_path(path));
    return join_path(root_, path);
  }

  const std::string root_;  // "/" or without '/' at the end
};

Result<std::string> LocalStore::get_range(std::string_view path, std::int64_t offset,
                                          std::int64_t size) {
  LAKEMILL_TRY(const auto file_path, absolute(path));
  if (offset < 0 || size < 0) {
    return Error(ErrorCode::invalid, "read " + file_path + ": a negative range");
  }
  LAKEMILL_TRY(auto file, LocalFile::open(file_path, O_RDONLY, 0));
  struct stat status {};
  if (::fstat(file.descriptor(), &status) != 0) {
    return errno_error(errno, "read", file_path);
  }
  if (!S_ISREG(status.st_mode)) {
    return Error(ErrorCode::not_found, "read " + file_path + ": it is not a file");
  }
  if (offset >= status.st_size) return std::string();
  const auto count = std::min<std::int64_t>(size, status.st_size - offset);
  return file.read_at(static_cast<std::size_t>(offset), static_cast<std::size_t>(count),
                      file_path);
}

Result<ObjectInfo> LocalStore::head(std::string_view path) {
  LAKEMILL_TRY(const auto file_path, absolute(path));
  struct stat status {};
  if (::stat(file_path.c_str(), &status) != 0) {
    return errno_error(errno, "look at", file_path);
  }
  if (!S_ISREG(status.st_mode)) {
    return Error(ErrorCode::not_found, "look at " + file_path + ": it is not a file");
  }
  return info_of(std::string(path), status);
}

Result<std::vector<std::string>> LocalStore::list_folders(std::string_view folder) {
  if (!folder.empty()) LAKEMILL_TRY_OK(check_object_path(folder));
  const auto folder_path = join_path(root_, folder);
  std::vector<std::string> names;
  const std::unique_ptr<DIR, FolderCloser> open(::opendir(folder_path.c_str()));
  if (!open) {
    if (errno == ENOENT || errno == ENOTDIR) return names;
    return errno_error(errno, "list", folder_path);
  }
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(open.get());
    if (entry == nullptr) {
      if (errno != 0) return errno_error(errno, "list", folder_path);
      break;
    }
    std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    bool is_folder = entry->d_type == DT_DIR;
    if (entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN) {
      struct stat status {};
      is_folder = ::fstatat(::dirfd(open.get()), entry->d_name, &status, 0) == 0 &&
                  S_ISDIR(status.st_mode);
    }
    if (is_folder) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

Status LocalStore::put_if_absent(std::string_view path, std::string_view bytes) {
  LAKEMILL_TRY(const auto file_path, absolute(path));
  struct stat status {};  // spares the loser of a race two syncs; the link decides
  if (::lstat(file_path.c_str(), &status) == 0) {
    return Error(ErrorCode::exists, "write " + file_path + ": it exists already");
  }
  LAKEMILL_TRY(auto staged, StagedFile::open(file_path));
  LAKEMILL_TRY_OK(staged.append(bytes));
  return staged.link_if_absent();
}

Status LocalStore::put(std::string_view path, std::string_view bytes) {
  LAKEMILL_TRY(const auto file_path, absolute(path));
  LAKEMILL_TRY(auto staged, StagedFile::open(file_path));
  LAKEMILL_TRY_OK(staged.append(bytes));
  return staged.replace();
}

Result<std::unique_ptr<ObjectWriter>> LocalStore::create(std::string_view path) {
  LAKEMILL_TRY(const auto file_path, absolute(path));
  LAKEMILL_TRY(auto staged, StagedFile::open(file_path));
  return std::unique_ptr<ObjectWriter>(
      std::make_unique<LocalObjectWriter>(std::move(staged)));
}

Status LocalStore::remove(std::string_view path) {
  LAKEMILL_TRY(const auto file_path, absolute(path));
  if (::unlink(file_path.c_str()) != 0) {
    // a folder is no object, so none is there
    const bool absent = errno == ENOENT || errno == ENOTDIR || errno == EISDIR;
    if (!absent) return errno_error(errno, "remove", file_path);
    return {};
  }
  for (auto folder = folder_of(file_path); folder.size() > root_.size();
       folder = folder_of(folder)) {
    if (::rmdir(folder.c_str()) != 0) break;  // not empty
  }
  return {};
}

class LocalProvider final : public StoreProvider {
 public:
  Result<std::shared_ptr<ObjectStore>> open(std::string_view url) override {
    return open_local_store(url);
  }
};

}  // namespace

Result<std::shared_ptr<ObjectStore>> open_local_store(std::string_view folder) {
  LAKEMILL_TRY(auto root, local_path(folder));
  return std::shared_ptr<ObjectStore>(std::make_shared<LocalStore>(std::move(root)));
}

std::unique_ptr<StoreProvider> make_local_provider() {
  return std::make_unique<LocalProvider>();
}

}  // namespace lakemill::storage
