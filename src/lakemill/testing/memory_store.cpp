#include "lakemill/testing/memory_store.h"

#include <algorithm>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "lakemill/storage/path.h"

namespace lakemill::testkit {

namespace {

constexpr std::string_view kScheme = "memory://";
constexpr std::int64_t kFirstWriteMs = 1'767'225'600'000;  // 2026-01-01

struct Object {
  std::string bytes;
  std::int64_t modified_ms = 0;
  std::int64_t generation = 0;
};

}  // namespace

/// The objects of one provider, by URL.
class MemoryStoreProvider::Objects {
 public:
  explicit Objects(Clock* clock) : clock_(clock) {}

  std::map<std::string, Object>& all() { return all_; }
  std::mutex& mutex() { return mutex_; }
  Clock* clock() const { return clock_; }

  // With mutex_ held.
  void write(const std::string& url, std::string_view bytes) {
    ++writes_;
    all_[url] = {
        std::string(bytes),
        clock_ != nullptr ? to_epoch_ms(clock_->now()) : kFirstWriteMs + writes_,
        writes_};
  }

  std::shared_ptr<Objects> copy() {
    const std::lock_guard lock(mutex_);
    auto copied = std::make_shared<Objects>(clock_);
    copied->all_ = all_;
    copied->writes_ = writes_;
    return copied;
  }

 private:
  Clock* clock_;  // null: count writes
  std::mutex mutex_;
  std::map<std::string, Object> all_;  // guarded by mutex_
  std::int64_t writes_ = 0;            // guarded by mutex_
};

namespace {

using Objects = MemoryStoreProvider::Objects;
using storage::ObjectInfo;

class MemoryStore final : public storage::ObjectStore {
 public:
  MemoryStore(std::shared_ptr<Objects> objects, std::string url)
      : objects_(std::move(objects)), url_(std::move(url)) {}

  const std::string& url() const override { return url_; }

  Result<std::string> get(std::string_view path) override {
    return read(path, [](const Object& object) { return object.bytes; });
  }

  Result<std::string> get_range(std::string_view path, std::int64_t offset,
                                std::int64_t size) override {
    if (offset < 0 || size < 0) {
      return Error(ErrorCode::invalid,
                   "read " + std::string(path) + ": a negative range");
    }
    return read(path, [=](const Object& object) {
      if (offset >= std::ssize(object.bytes)) return std::string();
      return object.bytes.substr(static_cast<std::size_t>(offset),
                                 static_cast<std::size_t>(size));
    });
  }

  Result<ObjectInfo> head(std::string_view path) override {
    return read(path,
                [&](const Object& object) { return info(std::string(path), object); });
  }

  Result<std::vector<ObjectInfo>> list(std::string_view prefix,
                                       std::string_view start_after) override {
    LAKEMILL_TRY_OK(storage::check_object_path(std::string(prefix) + "x"));
    const auto root = url_ + "/";
    const auto begin = root + std::string(prefix);
    const std::lock_guard lock(objects_->mutex());
    std::vector<ObjectInfo> found;
    for (auto at = objects_->all().lower_bound(
             std::max(begin, root + std::string(start_after)));
         at != objects_->all().end() && at->first.starts_with(begin); ++at) {
      auto path = at->first.substr(root.size());
      if (path > start_after) found.push_back(info(std::move(path), at->second));
    }
    return found;
  }

  Result<std::vector<std::string>> list_folders(std::string_view folder) override {
    if (!folder.empty()) LAKEMILL_TRY_OK(storage::check_object_path(folder));
    const auto begin = storage::join_path(url_, folder) + "/";
    const std::lock_guard lock(objects_->mutex());
    std::set<std::string> names;
    for (auto at = objects_->all().lower_bound(begin);
         at != objects_->all().end() && at->first.starts_with(begin); ++at) {
      const auto slash = at->first.find('/', begin.size());
      if (slash == std::string::npos) continue;
      names.insert(at->first.substr(begin.size(), slash - begin.size()));
    }
    return std::vector<std::string>(names.begin(), names.end());
  }

  Status put_if_absent(std::string_view path, std::string_view bytes) override {
    LAKEMILL_TRY_OK(storage::check_object_path(path));
    const std::lock_guard lock(objects_->mutex());
    if (objects_->all().contains(key(path))) {
      return Error(ErrorCode::exists, "write " + key(path) + ": it exists already");
    }
    objects_->write(key(path), bytes);
    return {};
  }

  Status put(std::string_view path, std::string_view bytes) override {
    LAKEMILL_TRY_OK(storage::check_object_path(path));
    const std::lock_guard lock(objects_->mutex());
    objects_->write(key(path), bytes);
    return {};
  }

  Result<std::unique_ptr<storage::ObjectWriter>> create(std::string_view path) override;

  Status remove(std::string_view path) override {
    LAKEMILL_TRY_OK(storage::check_object_path(path));
    const std::lock_guard lock(objects_->mutex());
    objects_->all().erase(key(path));
    return {};
  }

 private:
  std::string key(std::string_view path) const {
    return storage::join_path(url_, path);
  }

  static ObjectInfo info(std::string path, const Object& object) {
    return {.path = std::move(path),
            .size_bytes = std::ssize(object.bytes),
            .modified_ms = object.modified_ms,
            .etag = std::to_string(object.generation)};
  }

  template <typename Use>
  auto read(std::string_view path, Use use)
      -> Result<std::invoke_result_t<Use, const Object&>> {
    LAKEMILL_TRY_OK(storage::check_object_path(path));
    const std::lock_guard lock(objects_->mutex());
    const auto found = objects_->all().find(key(path));
    if (found == objects_->all().end()) {
      return Error(ErrorCode::not_found, "read " + key(path) + ": no such object");
    }
    return use(found->second);
  }

  std::shared_ptr<Objects> objects_;
  const std::string url_;
};

class MemoryWriter final : public storage::ObjectWriter {
 public:
  MemoryWriter(std::shared_ptr<Objects> objects, std::string key)
      : objects_(std::move(objects)), key_(std::move(key)) {}

  Status append(std::string_view bytes) override {
    bytes_.append(bytes);
    return {};
  }

  Status finish() override {
    const std::lock_guard lock(objects_->mutex());
    objects_->write(key_, bytes_);
    return {};
  }

 private:
  std::shared_ptr<Objects> objects_;
  std::string key_;
  std::string bytes_;
};

Result<std::unique_ptr<storage::ObjectWriter>> MemoryStore::create(
    std::string_view path) {
  LAKEMILL_TRY_OK(storage::check_object_path(path));
  return std::unique_ptr<storage::ObjectWriter>(
      std::make_unique<MemoryWriter>(objects_, key(path)));
}

}  // namespace

MemoryStoreProvider::MemoryStoreProvider()
    : objects_(std::make_shared<Objects>(nullptr)) {}

MemoryStoreProvider::MemoryStoreProvider(Clock& clock)
    : objects_(std::make_shared<Objects>(&clock)) {}

MemoryStoreProvider::MemoryStoreProvider(std::shared_ptr<Objects> objects)
    : objects_(std::move(objects)) {}

MemoryStoreProvider::~MemoryStoreProvider() = default;

Result<std::shared_ptr<storage::ObjectStore>> MemoryStoreProvider::open(
    std::string_view url) {
  if (!url.starts_with(kScheme)) {
    return Error(ErrorCode::unsupported,
                 "\"" + std::string(url) + "\" is no memory:// URL");
  }
  auto normalized = storage::normalize_path(url);
  if (normalized.size() == kScheme.size()) {
    return Error(ErrorCode::invalid, "\"" + std::string(url) + "\" names no store");
  }
  return std::shared_ptr<storage::ObjectStore>(
      std::make_shared<MemoryStore>(objects_, std::move(normalized)));
}

std::map<std::string, std::string> MemoryStoreProvider::objects() const {
  const std::lock_guard lock(objects_->mutex());
  std::map<std::string, std::string> bytes_by_url;
  for (const auto& [url, object] : objects_->all()) bytes_by_url[url] = object.bytes;
  return bytes_by_url;
}

std::unique_ptr<MemoryStoreProvider> MemoryStoreProvider::copy() const {
  return std::unique_ptr<MemoryStoreProvider>(
      new MemoryStoreProvider(objects_->copy()));
}

void MemoryStoreProvider::tamper(const std::string& url, const std::string* bytes) {
  const std::lock_guard lock(objects_->mutex());
  if (bytes == nullptr) {
    objects_->all().erase(url);
  } else {
    objects_->write(url, *bytes);
  }
}

std::shared_ptr<storage::ObjectStore> make_memory_store() {
  MemoryStoreProvider provider;
  auto store = provider.open("memory://test");
  return *std::move(store);
}

}  // namespace lakemill::testkit
