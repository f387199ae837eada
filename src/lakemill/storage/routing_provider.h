#pragma once

#include <map>
#include <memory>
#include <string>

#include "lakemill/storage/object_store.h"

namespace lakemill::storage {

/// Gives each URL to the provider of its scheme ("s3"), and what has none, or "file",
/// to `local`. Errors of open: unsupported (no provider for the scheme), and theirs.
std::unique_ptr<StoreProvider> make_routing_provider(
    std::unique_ptr<StoreProvider> local,
    std::map<std::string, std::shared_ptr<StoreProvider>> by_scheme);

}  // namespace lakemill::storage
