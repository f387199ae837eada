#pragma once

#include <string_view>

namespace lakemill {

/// True if `path` fits `pattern`: `*` and `?` stay within a folder, `**` crosses
/// folders, `[a-z]`, `[!a]` and `{a,b}` as in a shell.
bool fits_pattern(std::string_view path, std::string_view pattern);

/// True if `text` holds a wildcard.
bool is_pattern(std::string_view text);

/// The part of a pattern up to the last '/' before its first wildcard.
std::string_view fixed_folder(std::string_view pattern);

/// True if a part of the path begins with '_' or '.': what a folder is read without.
bool is_hidden_path(std::string_view relative_path);

}  // namespace lakemill
