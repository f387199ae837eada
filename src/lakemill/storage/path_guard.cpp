#include "lakemill/storage/path_guard.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <deque>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include "lakemill/base/text.h"
#include "lakemill/storage/local_file.h"
#include "lakemill/storage/path.h"

namespace lakemill::storage {

namespace {

constexpr int kLinksFollowedMax = 40;  // as Linux does

std::string parent_of(const std::string& resolved) {
  const auto slash = resolved.rfind('/');
  return slash == std::string::npos ? std::string() : resolved.substr(0, slash);
}

void put_in_front(std::deque<std::string>& parts, std::string_view path) {
  auto more = split(path, '/');
  parts.insert(parts.begin(), more.begin(), more.end());
}

bool lies_in(std::string_view path, std::string_view root) {
  if (root == "/") return path.starts_with('/');
  return path == root || (path.starts_with(root) && path[root.size()] == '/');
}

bool is_local(std::string_view url) {
  return !has_scheme(url) || to_lower(url.substr(0, 7)) == "file://";
}

Result<std::string> resolve_any(std::string_view url) {
  if (is_local(url)) return resolve_links(url);
  return normalize_path(url);
}

}  // namespace

Result<std::string> resolve_links(std::string_view path) {
  std::string given(path);
  if (has_scheme(path) || !path.starts_with('/')) {
    LAKEMILL_TRY(given, local_path(path));
  }
  std::string resolved;  // without links, "" is the root
  std::deque<std::string> parts;
  put_in_front(parts, given);
  int links_followed = 0;
  while (!parts.empty()) {
    const std::string part = std::move(parts.front());
    parts.pop_front();
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      resolved = parent_of(resolved);
      continue;
    }
    const std::string candidate = resolved + "/" + part;
    struct stat status {};
    if (::lstat(candidate.c_str(), &status) != 0) {
      if (errno != ENOENT && errno != ENOTDIR)
        return errno_error(errno, "open", candidate);
      resolved = candidate;  // not there yet, so it is no link
      continue;
    }
    if (!S_ISLNK(status.st_mode)) {
      resolved = candidate;
      continue;
    }
    if (++links_followed > kLinksFollowedMax) {
      return Error(ErrorCode::invalid, "path " + std::string(path) +
                                           " leads through a circle of symbolic links");
    }
    std::string target(PATH_MAX, '\0');
    const auto size = ::readlink(candidate.c_str(), target.data(), target.size());
    if (size < 0) return errno_error(errno, "follow link", candidate);
    target.resize(static_cast<std::size_t>(size));
    if (target.starts_with('/')) resolved.clear();
    put_in_front(parts, target);
  }
  return resolved.empty() ? std::string("/") : resolved;
}

Result<std::string> confine(std::string_view path, std::span<const std::string> roots) {
  LAKEMILL_TRY(auto resolved, resolve_any(path));
  for (const auto& root : roots) {
    LAKEMILL_TRY(const auto resolved_root, resolve_any(root));
    if (lies_in(resolved, resolved_root)) return resolved;
  }
  auto message = "path " + std::string(path);
  if (resolved != path) message += " (which is " + resolved + ")";
  message += " lies outside the roots of this project: ";
  std::vector<std::string> named;  // each once
  for (const auto& root : roots) {
    if (std::find(named.begin(), named.end(), root) == named.end()) {
      named.push_back(root);
    }
  }
  message += named.empty() ? std::string("there are none") : join(named, ", ");
  return Error(ErrorCode::denied, std::move(message));
}

Status confine_link(const std::string& path, std::span<const std::string> roots) {
  constexpr std::string_view kScheme = "file://";
  const std::string local =
      path.starts_with(kScheme) ? path.substr(kScheme.size()) : path;
  std::error_code unknown;  // of what is no local file
  if (!local.starts_with('/') || !std::filesystem::is_symlink(local, unknown)) {
    return {};
  }
  LAKEMILL_TRY(const std::string resolved, confine(path, roots));
  (void)resolved;
  return {};
}

}  // namespace lakemill::storage
