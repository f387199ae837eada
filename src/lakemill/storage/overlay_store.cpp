#include "lakemill/storage/overlay_store.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "lakemill/storage/path.h"

namespace lakemill::storage {

namespace {

class OverlayStore final : public ObjectStore {
 public:
  explicit OverlayStore(std::shared_ptr<ObjectStore> inner)
      : inner_(std::move(inner)) {}

  const std::string& url() const override { return inner_->url(); }

  Result<std::string> get(std::string_view path) override {
    LAKEMILL_TRY(const auto own, find(path));
    return own ? Result<std::string>(own->bytes) : inner_->get(path);
  }

  Result<std::string> get_range(std::string_view path, std::int64_t offset,
                                std::int64_t size) override {
    LAKEMILL_TRY(const auto own, find(path));
    if (!own) return inner_->get_range(path, offset, size);
    if (offset >= std::ssize(own->bytes)) return std::string();
    return own->bytes.substr(static_cast<std::size_t>(offset),
                             static_cast<std::size_t>(size));
  }

  Result<ObjectInfo> head(std::string_view path) override {
    LAKEMILL_TRY(const auto own, find(path));
    return own ? Result<ObjectInfo>(own->info) : inner_->head(path);
  }

  Result<std::vector<ObjectInfo>> list(std::string_view prefix,
                                       std::string_view start_after) override {
    LAKEMILL_TRY(auto there, inner_->list(prefix, start_after));
    const std::lock_guard lock(mutex_);
    std::map<std::string, ObjectInfo> all;
    for (ObjectInfo& info : there) all.emplace(info.path, std::move(info));
    for (const auto& [path, object] : changed_) {
      all.erase(path);
      if (object && path.starts_with(prefix) && path > start_after) {
        all.emplace(path, object->info);
      }
    }
    std::vector<ObjectInfo> listed;
    for (auto& [path, info] : all) listed.push_back(std::move(info));
    return listed;
  }

  Result<std::vector<std::string>> list_folders(std::string_view folder) override {
    LAKEMILL_TRY(const auto there, inner_->list_folders(folder));
    std::set<std::string> names(there.begin(), there.end());
    const std::string begin = folder.empty() ? "" : std::string(folder) + "/";
    const std::lock_guard lock(mutex_);
    for (const auto& [path, object] : changed_) {
      const std::size_t slash = path.find('/', begin.size());
      if (!object || !path.starts_with(begin) || slash == std::string::npos) continue;
      names.insert(path.substr(begin.size(), slash - begin.size()));
    }
    return std::vector<std::string>(names.begin(), names.end());
  }

  Status put_if_absent(std::string_view path, std::string_view bytes) override {
    const auto there = head(path);
    if (there) return Error(ErrorCode::exists, std::string(path) + " exists");
    if (there.error().code() != ErrorCode::not_found) return there.error();
    return put(path, bytes);
  }

  Status put(std::string_view path, std::string_view bytes) override {
    LAKEMILL_TRY_OK(check_object_path(path));
    const std::lock_guard lock(mutex_);
    Object object;
    object.bytes = bytes;
    object.info = {std::string(path), std::ssize(bytes), 0,
                   "overlay-" + std::to_string(++writes_)};
    changed_[std::string(path)] = std::move(object);
    return {};
  }

  Result<std::unique_ptr<ObjectWriter>> create(std::string_view path) override {
    LAKEMILL_TRY_OK(check_object_path(path));
    return std::unique_ptr<ObjectWriter>(std::make_unique<Writer>(*this, path));
  }

  Status remove(std::string_view path) override {
    LAKEMILL_TRY_OK(check_object_path(path));
    const std::lock_guard lock(mutex_);
    changed_[std::string(path)] = std::nullopt;
    return {};
  }

  int parallel_reads() const override { return inner_->parallel_reads(); }

 private:
  struct Object {
    std::string bytes;
    ObjectInfo info;
  };

  class Writer final : public ObjectWriter {
   public:
    Writer(OverlayStore& store, std::string_view path) : store_(store), path_(path) {}
    Status append(std::string_view bytes) override {
      bytes_ += bytes;
      return {};
    }
    Status finish() override { return store_.put(path_, bytes_); }

   private:
    OverlayStore& store_;
    std::string path_;
    std::string bytes_;
  };

  // What was written here; nothing where the inner store is to be asked. Errors:
  // not_found, where it was removed.
  Result<std::optional<Object>> find(std::string_view path) {
    const std::lock_guard lock(mutex_);
    const auto own = changed_.find(std::string(path));
    if (own == changed_.end()) return std::optional<Object>();
    if (own->second) return own->second;
    return Error(ErrorCode::not_found,
                 url() + "/" + std::string(path) + " is not there");
  }

  std::shared_ptr<ObjectStore> inner_;
  std::mutex mutex_;
  std::map<std::string, std::optional<Object>>
      changed_;              // guarded by mutex_; null: gone
  std::int64_t writes_ = 0;  // guarded by mutex_
};

}  // namespace

std::shared_ptr<ObjectStore> make_overlay_store(std::shared_ptr<ObjectStore> inner) {
  return std::make_shared<OverlayStore>(std::move(inner));
}

}  // namespace lakemill::storage
