#pragma once

#include <string>
#include <string_view>

namespace lakemill::delta {

/// `text` with %XX replaced by the byte they mean; a % that no two hex digits follow
/// stays.
std::string percent_decoded(std::string_view text);

/// A path as the log names it, as the file system does: decoded; relative to the
/// table's root, or absolute ("/a/b", also for "file:/a/b", "file:///a/b" and
/// "file://localhost/a/b"), or with another scheme. Two log paths mean the same file if this is equal.
std::string decoded_path(std::string_view log_path);

/// Where a decoded path is, for a table at `table_url`.
std::string file_url(std::string_view table_url, std::string_view decoded);

}  // namespace lakemill::delta
