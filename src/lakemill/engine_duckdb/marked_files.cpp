#include "lakemill/engine_duckdb/marked_files.h"

#include "lakemill/engine_duckdb/duckdb_headers.h"

namespace lakemill::engine_duckdb {
namespace {

using duckdb::FileHandle;
using duckdb::FileOpener;
using duckdb::idx_t;
using duckdb::optional_ptr;

constexpr std::string_view kPrefix = "lakemill-marked:";
constexpr idx_t kMarkBytes = kByteOrderMark.size();

std::string plain_path(std::string_view path) {
  if (path.starts_with(kPrefix)) path.remove_prefix(kPrefix.size());
  return std::string(path);
}

class MarkedHandle final : public FileHandle {
 public:
  MarkedHandle(duckdb::FileSystem& system, const std::string& file,
               duckdb::FileOpenFlags how, duckdb::unique_ptr<FileHandle> whole)
      : FileHandle(system, file, how), whole_(std::move(whole)) {}

  void Close() override { whole_->Close(); }
  FileHandle& whole() { return *whole_; }

 private:
  duckdb::unique_ptr<FileHandle> whole_;
};

FileHandle& whole(FileHandle& handle) { return handle.Cast<MarkedHandle>().whole(); }

class MarkedFiles final : public duckdb::FileSystem {
 public:
  explicit MarkedFiles(duckdb::DatabaseInstance& database) : database_(database) {}

  std::string GetName() const override { return "LakemillMarkedFiles"; }
  bool CanHandleFile(const std::string& path) override {
    return path.starts_with(kPrefix);
  }

  duckdb::unique_ptr<FileHandle> OpenFile(const std::string& path,
                                          duckdb::FileOpenFlags flags,
                                          optional_ptr<FileOpener>) override {
    auto file = GetFileSystem(database_).OpenFile(plain_path(path), flags);
    if (!file) return nullptr;
    file->Seek(kMarkBytes);
    return duckdb::make_uniq<MarkedHandle>(*this, path, flags, std::move(file));
  }

  void Read(FileHandle& handle, void* buffer, std::int64_t size,
            idx_t offset) override {
    whole(handle).Read(buffer, static_cast<idx_t>(size), offset + kMarkBytes);
  }
  std::int64_t Read(FileHandle& handle, void* buffer, std::int64_t size) override {
    return whole(handle).Read(buffer, static_cast<idx_t>(size));
  }
  std::int64_t GetFileSize(FileHandle& handle) override {
    return static_cast<std::int64_t>(whole(handle).GetFileSize() - kMarkBytes);
  }
  duckdb::timestamp_t GetLastModifiedTime(FileHandle& handle) override {
    return whole(handle).file_system.GetLastModifiedTime(whole(handle));
  }
  std::string GetVersionTag(FileHandle& handle) override {
    return whole(handle).file_system.GetVersionTag(whole(handle));
  }
  duckdb::FileType GetFileType(FileHandle& handle) override {
    return whole(handle).GetType();
  }
  void Seek(FileHandle& handle, idx_t location) override {
    whole(handle).Seek(location + kMarkBytes);
  }
  void Reset(FileHandle& handle) override { Seek(handle, 0); }
  idx_t SeekPosition(FileHandle& handle) override {
    return whole(handle).SeekPosition() - kMarkBytes;
  }
  bool CanSeek() override { return true; }
  bool OnDiskFile(FileHandle& handle) override { return whole(handle).OnDiskFile(); }
  bool FileExists(const std::string& path, optional_ptr<FileOpener>) override {
    return GetFileSystem(database_).FileExists(plain_path(path));
  }
  bool IsPipe(const std::string&, optional_ptr<FileOpener>) override { return false; }
  // Patterns are but letters that path_literal() has put into brackets.
  duckdb::vector<duckdb::OpenFileInfo> Glob(const std::string& path,
                                            FileOpener*) override {
    std::string plain;
    for (std::size_t i = 0; i < path.size(); ++i) {
      const bool is_escaped =
          path[i] == '[' && i + 2 < path.size() && path[i + 2] == ']';
      plain += is_escaped ? path[i + 1] : path[i];
      if (is_escaped) i += 2;
    }
    duckdb::vector<duckdb::OpenFileInfo> found;
    found.emplace_back(plain);
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
  duckdb::DatabaseInstance& database_;
};

}  // namespace

std::string path_behind_mark(std::string_view url) {
  return std::string(kPrefix) + std::string(url);
}

std::string with_plain_paths(std::string message) {
  for (std::size_t at = message.find(kPrefix); at != std::string::npos;
       at = message.find(kPrefix, at)) {
    message.erase(at, kPrefix.size());
  }
  return message;
}

duckdb::unique_ptr<duckdb::FileSystem> make_marked_files(
    duckdb::DatabaseInstance& database) {
  return duckdb::make_uniq<MarkedFiles>(database);
}

}  // namespace lakemill::engine_duckdb
