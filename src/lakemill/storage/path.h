#pragma once

#include <string>
#include <string_view>

#include "lakemill/base/result.h"

namespace lakemill::storage {

/// True for "scheme://…".
bool has_scheme(std::string_view url);

/// Without "." and empty parts, with ".." taken back by its letters (no link is looked
/// at), without a '/' at the end (except "/" itself). What stands before "://" and the
/// name behind it stay. A ".." that nothing precedes stays in a relative path and is
/// dropped in an absolute one.
std::string normalize_path(std::string_view path);

/// `inner` below `outer` with one '/' between; `inner` as it is when it is absolute or
/// has a scheme, `outer` when `inner` is empty.
std::string join_path(std::string_view outer, std::string_view inner);

/// The absolute, normalized local path that "/folder" or "file:///folder" (escapes
/// decoded) names. Errors: unsupported (another scheme, by its name), invalid (not
/// absolute, or a host in file://).
Result<std::string> local_path(std::string_view url);

/// Success if `path` can name an object of a store: relative, not empty, no ".." or
/// empty part, no zero byte. Errors: invalid.
Status check_object_path(std::string_view path);

}  // namespace lakemill::storage
