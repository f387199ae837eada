#include "lakemill/delta/file_place.h"

#include "lakemill/base/text.h"
#include "lakemill/delta/file_path.h"
#include "lakemill/storage/path.h"
#include "lakemill/storage/path_guard.h"

namespace lakemill::delta {

namespace {

// Hadoop's names for one and the same store.
std::string store_of(std::string_view scheme) {
  std::string lower = to_lower(scheme);
  return lower == "s3a" || lower == "s3n" ? "s3" : lower;
}

std::optional<std::string> below(const std::string& root, const std::string& path) {
  const std::string folder = root == "/" ? root : root + "/";
  if (!path.starts_with(folder)) return std::nullopt;
  return path.substr(folder.size());
}

Error unknown_place(const std::string& path, const std::string& table_url) {
  return {ErrorCode::unsupported, "the log names file " + path +
                                      ", of which it cannot be told whether it lies in "
                                      "the folder of the table (" +
                                      table_url + ")"};
}

}  // namespace

Result<std::string> FilePlaces::resolved_folder(const std::string& folder) {
  const auto known = resolved_.find(folder);
  if (known != resolved_.end()) return known->second;
  LAKEMILL_TRY(std::string resolved, storage::resolve_links(folder));
  resolved_.emplace(folder, resolved);
  return resolved;
}

Result<std::optional<std::string>> FilePlaces::find_local(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  LAKEMILL_TRY(const std::string root, resolved_folder(table_url_));
  LAKEMILL_TRY(std::string folder, resolved_folder(path.substr(0, slash + 1)));
  if (folder != "/") folder += "/";
  return below(root, storage::normalize_path(folder + path.substr(slash + 1)));
}

Result<std::optional<std::string>> FilePlaces::find(const std::string& decoded) {
  const bool local_table = !storage::has_scheme(table_url_);
  const std::string url = file_url(table_url_, decoded);
  if (url.starts_with('/')) {
    if (local_table) return find_local(url);
    return unknown_place(decoded, table_url_);
  }
  const std::string store = store_of(url.substr(0, url.find(':')));
  if (local_table && store == "s3") return std::optional<std::string>();
  const std::string own = store_of(table_url_.substr(0, table_url_.find(':')));
  if (local_table || store != own || !storage::has_scheme(url)) {
    return unknown_place(decoded, table_url_);
  }
  const auto plain = [](const std::string& any) {
    return storage::normalize_path(any.substr(any.find(':')));
  };
  return below(plain(table_url_), plain(url));
}

}  // namespace lakemill::delta
