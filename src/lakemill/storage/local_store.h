#pragma once

#include "lakemill/storage/object_store.h"

namespace lakemill::storage {

/// A folder of the local file system. put_if_absent writes a temporary file, syncs it,
/// link(2)s it and syncs the folder. Folders appear as needed.
Result<std::shared_ptr<ObjectStore>> open_local_store(std::string_view folder);

/// Opens local folders, and refuses every other scheme by its name.
std::unique_ptr<StoreProvider> make_local_provider();

}  // namespace lakemill::storage
