#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lakemill/storage/object_store.h"

namespace lakemill::sources {

/// The file of exactly that name, or nothing; its path in the answer is absolute.
Result<std::optional<storage::ObjectInfo>> find_file(storage::StoreProvider& stores,
                                                     const std::string& url);

/// The files that `url` names: itself, everything below it if it is a folder (names
/// that begin with '_' or '.' left out), or what fits it if it is a pattern. A file
/// whose own name holds brackets or braces is named by it. Paths in the answer are
/// absolute; sorted by path. What does not exist gives none. Errors: those of the
/// store; invalid (a name that is not UTF-8).
Result<std::vector<storage::ObjectInfo>> list_files(storage::StoreProvider& stores,
                                                    const std::string& url);

}  // namespace lakemill::sources
