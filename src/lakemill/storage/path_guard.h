#pragma once

#include <span>
#include <string>
#include <string_view>

#include "lakemill/base/result.h"

namespace lakemill::storage {

/// Where `path` leads once every symbolic link on the way is followed; parts that do
/// not exist yet are taken as they are. `path` is local: "/…" or "file:///…".
/// Errors: invalid (not absolute, a circle of links), unsupported (another scheme),
/// denied, unavailable.
Result<std::string> resolve_links(std::string_view path);

/// Keeps a pipeline inside its roots: gives resolve_links(path) if that is one of
/// `roots` (links resolved too) or lies below one. URLs of other schemes are compared
/// by their letters, after normalize_path. Tells what is so now: who may swap links in
/// a root between this call and the use of its answer can get out.
/// Errors: denied, naming the path, where it leads and the roots; those of
/// resolve_links.
Result<std::string> confine(std::string_view path, std::span<const std::string> roots);

/// Fails if a file is a link that leads out of the roots, as a folder's listing may
/// hold one. Files that are not local are none. Errors: denied.
Status confine_link(const std::string& path, std::span<const std::string> roots);

}  // namespace lakemill::storage
