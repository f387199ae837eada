#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lakemill/base/result.h"
#include "lakemill/storage/object_store.h"

namespace lakemill::storage {

/// The bytes of the whole object at `path`; nothing where there is none.
/// Errors: denied, unavailable, and what else the store says of a read.
Result<std::optional<std::string>> find_object(ObjectStore& store,
                                               std::string_view path);

}  // namespace lakemill::storage
