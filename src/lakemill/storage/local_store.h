#pragma once

#include "lakemill/storage/object_store.h"

namespace lakemill::storage {

/// How names of files begin that are being written; no list shows them. One that a
/// killed process left behind may be deleted.
inline constexpr std::string_view kTemporaryPrefix = ".lakemill-tmp-";

/// A folder of the local file system ("/folder" or "file:///folder"). put_if_absent
/// writes a temporary file, syncs it, link(2)s it and syncs the folder; put and create
/// rename(2) it. Folders appear as needed, and go with their last object; the root
/// stays.
///
/// Lists follow links to files, not to folders. A removal survives the process, not a
/// power failure. A full disk is unavailable, and named in the message.
/// Errors: invalid (not absolute), unsupported (another scheme).
Result<std::shared_ptr<ObjectStore>> open_local_store(std::string_view folder);

/// Opens local folders, and refuses every other scheme by its name.
std::unique_ptr<StoreProvider> make_local_provider();

}  // namespace lakemill::storage
