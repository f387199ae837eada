#include "lakemill/engine_duckdb/object_file_system.h"

#include <algorithm>
#include <cstring>
#include <mutex>

#include "lakemill/engine_duckdb/duckdb_headers.h"
#include "lakemill/engine_duckdb/error_mapping.h"
#include "lakemill/storage/path.h"

namespace duckdb {
// Its header includes one that DuckDB does not ship.
bool Glob(const char* text, idx_t text_size, const char* pattern, idx_t pattern_size,
          bool allow_question_mark);
}  // namespace duckdb

namespace lakemill::engine_duckdb {
namespace {

using duckdb::FileHandle;
using duckdb::FileOpener;
using duckdb::idx_t;
using duckdb::optional_ptr;

constexpr std::string_view kStorePrefix = "lakemill-store:";
// Read when an object is opened: a Parquet footer, and all of a small object.
constexpr std::int64_t kTailBytes = 512 << 10;
constexpr std::int64_t kReadAheadBytes = 1 << 20;  // what a smaller read asks for
constexpr std::int64_t kCopyPieceBytes = 8 << 20;

struct Place {
  std::string folder;  // a store's root
  std::string name;    // the object in it
};

std::string without_prefix(std::string_view path) {
  if (path.starts_with(kStorePrefix)) path.remove_prefix(kStorePrefix.size());
  return std::string(path);
}

Place place_of(std::string_view path) {
  const auto url = without_prefix(path);
  const auto slash = url.rfind('/');
  if (slash == std::string::npos || slash + 1 == url.size()) {
    throw duckdb::IOException("%s names no file", url);
  }
  return {url.substr(0, std::max<std::size_t>(slash, 1)), url.substr(slash + 1)};
}

class ObjectHandle final : public FileHandle {
 public:
  ObjectHandle(duckdb::FileSystem& system, const std::string& file,
               duckdb::FileOpenFlags how, std::shared_ptr<storage::ObjectStore> store,
               std::string object)
      : FileHandle(system, file, how),
        store_(std::move(store)),
        object_(std::move(object)) {}

  void open_for_reading() {
    auto tail = value_or_throw(store_->tail(object_, kTailBytes));
    info_ = std::move(tail.info);
    tail_ = {info_.size_bytes - std::ssize(tail.bytes), std::move(tail.bytes)};
  }
  void open_for_writing() { writer_ = value_or_throw(store_->create(object_)); }

  void Close() override {
    if (!writer_) return;
    const auto writer = std::move(writer_);
    if (auto done = writer->finish(); !done) throw_error(done.error());
  }

  // May be called by several threads.
  std::int64_t read_at(void* buffer, std::int64_t size, std::int64_t offset) {
    const auto count =
        std::max<std::int64_t>(0, std::min(size, info_.size_bytes - offset));
    if (count == 0 || tail_.copy(buffer, count, offset)) return count;
    if (count >= kReadAheadBytes) {
      const auto bytes = value_or_throw(store_->get_range(object_, offset, count));
      std::memcpy(buffer, bytes.data(), bytes.size());
      return std::ssize(bytes);
    }
    const std::lock_guard lock(mutex_);
    if (ahead_.copy(buffer, count, offset)) return count;
    ahead_ = {offset,
              value_or_throw(store_->get_range(object_, offset, kReadAheadBytes))};
    if (ahead_.copy(buffer, count, offset)) return count;
    std::memcpy(buffer, ahead_.bytes.data(), ahead_.bytes.size());
    return std::ssize(ahead_.bytes);
  }
  void append(const void* buffer, std::int64_t size) {
    if (!writer_) throw duckdb::IOException("%s is not open for writing", path);
    const std::string_view bytes(static_cast<const char*>(buffer),
                                 static_cast<std::size_t>(size));
    if (auto done = writer_->append(bytes); !done) throw_error(done.error());
    position += size;
    info_.size_bytes = position;
  }
  const storage::ObjectInfo& info() const { return info_; }

  std::int64_t position = 0;

 private:
  // Bytes of the object that are held.
  struct Piece {
    std::int64_t begin = 0;
    std::string bytes;

    // False if they are not all here.
    bool copy(void* buffer, std::int64_t count, std::int64_t offset) const {
      if (offset < begin || offset + count > begin + std::ssize(bytes)) return false;
      std::memcpy(buffer, bytes.data() + (offset - begin),
                  static_cast<std::size_t>(count));
      return true;
    }
  };

  std::shared_ptr<storage::ObjectStore> store_;
  std::string object_;
  storage::ObjectInfo info_;
  Piece tail_;
  std::mutex mutex_;
  Piece ahead_;  // guarded by mutex_
  std::unique_ptr<storage::ObjectWriter> writer_;
};

class ObjectFileSystem final : public duckdb::FileSystem {
 public:
  explicit ObjectFileSystem(storage::StoreProvider& stores) : stores_(stores) {}

  std::string GetName() const override { return "LakemillObjects"; }
  bool CanHandleFile(const std::string& path) override {
    return path.starts_with(kStorePrefix) ||
           (storage::has_scheme(path) && !path.starts_with("file:"));
  }

  duckdb::unique_ptr<FileHandle> OpenFile(const std::string& path,
                                          duckdb::FileOpenFlags flags,
                                          optional_ptr<FileOpener>) override {
    const auto place = place_of(path);
    auto store = value_or_throw(stores_.open(place.folder));
    auto handle =
        duckdb::make_uniq<ObjectHandle>(*this, path, flags, store, place.name);
    if (flags.OpenForWriting()) {
      handle->open_for_writing();
      return handle;
    }
    if (flags.ReturnNullIfNotExists()) {
      const auto there = store->head(place.name);
      if (!there && there.error().code() == ErrorCode::not_found) return nullptr;
    }
    handle->open_for_reading();
    return handle;
  }

  void Read(FileHandle& handle, void* buffer, std::int64_t size,
            idx_t offset) override {
    const auto count = handle.Cast<ObjectHandle>().read_at(
        buffer, size, static_cast<std::int64_t>(offset));
    if (count != size) {
      throw duckdb::IOException("%s is shorter than it was: corrupt or replaced",
                                handle.path);
    }
  }
  std::int64_t Read(FileHandle& handle, void* buffer, std::int64_t size) override {
    auto& object = handle.Cast<ObjectHandle>();
    const auto count = object.read_at(buffer, size, object.position);
    object.position += count;
    return count;
  }
  std::int64_t Write(FileHandle& handle, void* buffer, std::int64_t size) override {
    handle.Cast<ObjectHandle>().append(buffer, size);
    return size;
  }
  void Write(FileHandle& handle, void* buffer, std::int64_t size,
             idx_t offset) override {
    auto& object = handle.Cast<ObjectHandle>();
    if (static_cast<std::int64_t>(offset) != object.position) {
      throw duckdb::NotImplementedException("objects are written from front to back");
    }
    object.append(buffer, size);
  }

  std::int64_t GetFileSize(FileHandle& handle) override {
    return handle.Cast<ObjectHandle>().info().size_bytes;
  }
  duckdb::timestamp_t GetLastModifiedTime(FileHandle& handle) override {
    return duckdb::timestamp_t(handle.Cast<ObjectHandle>().info().modified_ms * 1000);
  }
  std::string GetVersionTag(FileHandle& handle) override {
    return handle.Cast<ObjectHandle>().info().etag;
  }
  duckdb::FileType GetFileType(FileHandle&) override {
    return duckdb::FileType::FILE_TYPE_REGULAR;
  }
  void Seek(FileHandle& handle, idx_t location) override {
    handle.Cast<ObjectHandle>().position = static_cast<std::int64_t>(location);
  }
  void Reset(FileHandle& handle) override { handle.Cast<ObjectHandle>().position = 0; }
  idx_t SeekPosition(FileHandle& handle) override {
    return static_cast<idx_t>(handle.Cast<ObjectHandle>().position);
  }
  bool CanSeek() override { return true; }
  bool OnDiskFile(FileHandle&) override { return false; }
  void FileSync(FileHandle&) override {}

  bool FileExists(const std::string& path, optional_ptr<FileOpener>) override {
    const auto place = place_of(path);
    const auto there = value_or_throw(stores_.open(place.folder))->head(place.name);
    if (!there && there.error().code() != ErrorCode::not_found) {
      throw_error(there.error());
    }
    return there.has_value();
  }
  bool IsPipe(const std::string&, optional_ptr<FileOpener>) override { return false; }
  void RemoveFile(const std::string& path, optional_ptr<FileOpener>) override {
    const auto place = place_of(path);
    const auto done = value_or_throw(stores_.open(place.folder))->remove(place.name);
    if (!done) throw_error(done.error());
  }
  bool TryRemoveFile(const std::string& path,
                     optional_ptr<FileOpener> opener) override {
    const bool there = FileExists(path, opener);
    if (there) RemoveFile(path, opener);
    return there;
  }
  void MoveFile(const std::string& source, const std::string& target,
                optional_ptr<FileOpener> opener) override {
    const auto from = place_of(source);
    const auto to = place_of(target);
    const auto read = value_or_throw(stores_.open(from.folder));
    const auto writer =
        value_or_throw(value_or_throw(stores_.open(to.folder))->create(to.name));
    for (std::int64_t at = 0;; at += kCopyPieceBytes) {
      const auto bytes =
          value_or_throw(read->get_range(from.name, at, kCopyPieceBytes));
      if (auto done = writer->append(bytes); !done) throw_error(done.error());
      if (std::ssize(bytes) < kCopyPieceBytes) break;
    }
    if (auto done = writer->finish(); !done) throw_error(done.error());
    RemoveFile(source, opener);
  }

  // Folders are as their objects are.
  bool DirectoryExists(const std::string&, optional_ptr<FileOpener>) override {
    return true;
  }
  void CreateDirectory(const std::string&, optional_ptr<FileOpener>) override {}
  void CreateDirectoriesRecursive(const std::string&,
                                  optional_ptr<FileOpener>) override {}
  void RemoveDirectory(const std::string&, optional_ptr<FileOpener>) override {}
  bool ListFiles(const std::string& folder,
                 const std::function<void(const std::string&, bool)>& callback,
                 FileOpener*) override {
    for (const auto& object : list(without_prefix(folder), "")) {
      callback(object.path, false);
    }
    return true;
  }
  duckdb::vector<duckdb::OpenFileInfo> Glob(const std::string& path,
                                            FileOpener*) override {
    duckdb::vector<duckdb::OpenFileInfo> found;
    if (!HasGlob(path)) {
      if (FileExists(path, nullptr)) found.emplace_back(path);
      return found;
    }
    const auto url = without_prefix(path);
    const auto slash = url.rfind('/', url.find_first_of("*?["));
    const auto folder = url.substr(0, slash);
    for (const auto& object : list(folder, "")) {
      const auto full = folder + "/" + object.path;
      if (duckdb::Glob(full.data(), full.size(), url.data(), url.size(), true)) {
        found.emplace_back(full);
      }
    }
    return found;
  }

  std::string PathSeparator(const std::string&) override { return "/"; }
  std::string CanonicalizePath(const std::string& path,
                               optional_ptr<FileOpener>) override {
    return path;
  }
  std::string ExpandPath(const std::string& path) override { return path; }
  bool IsPathAbsolute(const std::string&) override { return true; }

 private:
  std::vector<storage::ObjectInfo> list(const std::string& folder,
                                        std::string_view prefix) {
    return value_or_throw(value_or_throw(stores_.open(folder))->list(prefix, ""));
  }

  storage::StoreProvider& stores_;
};

}  // namespace

std::string store_path(std::string_view url) {
  return std::string(kStorePrefix) + std::string(url);
}

duckdb::unique_ptr<duckdb::FileSystem> make_object_file_system(
    storage::StoreProvider& stores) {
  return duckdb::make_uniq<ObjectFileSystem>(stores);
}

}  // namespace lakemill::engine_duckdb
