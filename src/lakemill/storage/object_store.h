#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/base/result.h"

namespace lakemill::storage {

struct ObjectInfo {
  std::string path;  ///< relative to the store's root, '/' between parts
  std::int64_t size_bytes = 0;
  std::int64_t modified_ms = 0;  ///< since 1970
  std::string etag;  ///< changes when the content does; local: inode and mtime in ns
};

/// The end of an object.
struct ObjectTail {
  ObjectInfo info;
  std::string bytes;  ///< the last ones; all of a small object
};

/// Receives one object piece by piece. Nothing is visible before finish() returns; an
/// abandoned writer leaves nothing behind.
class ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;
  virtual Status append(std::string_view bytes) = 0;
  /// Durable and visible, replacing what was there. At most once, and last.
  virtual Status finish() = 0;
};

/// Whole objects by path, in one bucket or directory. The seam for every backend
/// (local, memory, S3, Azure, GCS) and for every injected fault.
///
/// Paths are relative to the root, never begin with '/' and hold no ".." part.
/// Thread-safety: implementations allow concurrent calls on one instance.
/// Atomicity: a reader sees all of an object or none of it.
/// Durability: a write that returned success survives a power failure.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  /// Where the root is: an absolute local path, or scheme://…; no '/' at the end.
  virtual const std::string& url() const = 0;

  /// Errors of all reads: not_found, denied, unavailable.
  virtual Result<std::string> get(std::string_view path) = 0;
  /// Bytes [offset, offset + size), shorter at the object's end.
  virtual Result<std::string> get_range(std::string_view path, std::int64_t offset,
                                        std::int64_t size) = 0;
  virtual Result<ObjectInfo> head(std::string_view path) = 0;
  /// What head() says and the last `size` bytes (all of a shorter object), at once
  /// where the store can. `size` > 0.
  virtual Result<ObjectTail> tail(std::string_view path, std::int64_t size);

  /// Every object whose path begins with `prefix` and sorts after `start_after` (empty:
  /// all), sorted bytewise by path. A root or folder that does not exist has none.
  virtual Result<std::vector<ObjectInfo>> list(std::string_view prefix,
                                               std::string_view start_after) = 0;

  /// The names of folders directly under `folder` ("" is the root), sorted.
  virtual Result<std::vector<std::string>> list_folders(std::string_view folder) = 0;

  /// Writes `bytes` only if nothing is at `path` yet.
  /// Errors: exists (someone else won; nothing written), denied, unavailable
  /// (nothing written), unknown (sent, no answer: the object may appear later).
  virtual Status put_if_absent(std::string_view path, std::string_view bytes) = 0;

  /// Writes `bytes`, replacing what was there. Errors: denied, unavailable, unknown.
  virtual Status put(std::string_view path, std::string_view bytes) = 0;

  virtual Result<std::unique_ptr<ObjectWriter>> create(std::string_view path) = 0;

  /// Removes an object; one that is absent is a success.
  virtual Status remove(std::string_view path) = 0;
  /// Removes many, in few requests where the store can; stops at the first error.
  virtual Status remove_all(std::span<const std::string> paths);

  /// How many reads at a time are faster than one after another: 1 where an answer is
  /// near.
  virtual int parallel_reads() const { return 1; }
};

/// Gives stores by URL: "/folder" or "file:///folder" (local), "s3://bucket/prefix";
/// tests add "memory://name".
///
/// Thread-safety: concurrent calls are allowed; the same URL may give the same store.
class StoreProvider {
 public:
  virtual ~StoreProvider() = default;

  /// The store whose root is `url`, which need not exist yet.
  /// Errors: unsupported (the scheme), invalid (no absolute path).
  virtual Result<std::shared_ptr<ObjectStore>> open(std::string_view url) = 0;
};

}  // namespace lakemill::storage
