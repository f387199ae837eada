#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lakemill/storage/object_store.h"

namespace lakemill::sources {

/// True if `path` fits `pattern`: `*` and `?` stay within a folder, `**` crosses
/// folders,
/// `[a-z]`, `[!a]` and `{a,b}` as in a shell.
bool fits_pattern(std::string_view path, std::string_view pattern);

/// True if `text` holds a wildcard.
bool is_pattern(std::string_view text);

/// The part of a pattern up to the last '/' before its first wildcard.
std::string_view fixed_folder(std::string_view pattern);

/// The files that `url` names: itself, everything below it if it is a folder (names
/// that begin with '_' or '.' left out), or what fits it if it is a pattern. Paths in
/// the answer are absolute; sorted by path. What does not exist gives none.
Result<std::vector<storage::ObjectInfo>> list_files(storage::StoreProvider& stores,
                                                    const std::string& url);

}  // namespace lakemill::sources
