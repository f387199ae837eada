#include "lakemill/storage/object_store.h"

#include <algorithm>

namespace lakemill::storage {

Result<ObjectTail> ObjectStore::tail(std::string_view path, std::int64_t size) {
  LAKEMILL_TRY(ObjectInfo info, head(path));
  const std::int64_t count = std::min(size, info.size_bytes);
  LAKEMILL_TRY(std::string bytes, get_range(path, info.size_bytes - count, count));
  return ObjectTail{std::move(info), std::move(bytes)};
}

Status ObjectStore::remove_all(std::span<const std::string> paths) {
  for (const std::string& path : paths) LAKEMILL_TRY_OK(remove(path));
  return {};
}

}  // namespace lakemill::storage
