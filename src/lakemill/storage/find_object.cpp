#include "lakemill/storage/find_object.h"

#include <utility>

namespace lakemill::storage {

Result<std::optional<std::string>> find_object(ObjectStore& store,
                                               std::string_view path) {
  auto bytes = store.get(path);
  if (bytes) return std::optional(*std::move(bytes));
  if (bytes.error().code() == ErrorCode::not_found) return std::optional<std::string>();
  return std::move(bytes).error();
}

}  // namespace lakemill::storage
