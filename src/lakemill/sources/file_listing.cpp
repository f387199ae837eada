#include "lakemill/sources/file_listing.h"

#include <algorithm>

#include "lakemill/base/path_pattern.h"
#include "lakemill/base/utf8.h"

namespace lakemill::sources {

namespace {

Result<std::vector<storage::ObjectInfo>> list_folder(storage::StoreProvider& stores,
                                                     const std::string& folder) {
  LAKEMILL_TRY(const auto store, stores.open(folder));
  LAKEMILL_TRY(auto objects, store->list("", ""));
  std::erase_if(objects,
                [](const auto& object) { return is_hidden_path(object.path); });
  for (auto& object : objects) object.path = folder + "/" + object.path;
  return objects;
}

// What is kept of files, and told of them, is text.
Status check_names(const std::vector<storage::ObjectInfo>& files) {
  for (const storage::ObjectInfo& file : files) {
    if (is_utf8(file.path)) continue;
    return Error(ErrorCode::invalid, "the file " + escape_invalid_utf8(file.path) +
                                         " has a name that is not UTF-8; rename it");
  }
  return {};
}

}  // namespace

Result<std::optional<storage::ObjectInfo>> find_file(storage::StoreProvider& stores,
                                                     const std::string& url) {
  const std::optional<storage::ObjectInfo> none;
  const std::size_t slash = url.rfind('/');
  if (slash == std::string::npos || slash + 1 == url.size()) return none;
  const std::string folder = slash == 0 ? "/" : url.substr(0, slash);
  LAKEMILL_TRY(const auto store, stores.open(folder));
  auto info = store->head(url.substr(slash + 1));
  if (!info && info.error().code() == ErrorCode::not_found) return none;
  if (!info) return std::move(info).error();
  info->path = url;
  return std::optional(*std::move(info));
}

Result<std::vector<storage::ObjectInfo>> list_files(storage::StoreProvider& stores,
                                                    const std::string& url) {
  if (is_pattern(url)) {
    if (url.find_first_of("*?") == std::string::npos) {
      LAKEMILL_TRY(auto single, find_file(stores, url));
      if (single) return std::vector{*std::move(single)};
    }
    LAKEMILL_TRY(auto objects, list_folder(stores, std::string(fixed_folder(url))));
    std::erase_if(objects,
                  [&](const auto& object) { return !fits_pattern(object.path, url); });
    LAKEMILL_TRY_OK(check_names(objects));
    return objects;
  }
  std::string folder = url;
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  LAKEMILL_TRY(auto single, find_file(stores, folder));
  if (single) return std::vector{*std::move(single)};
  LAKEMILL_TRY(auto objects, list_folder(stores, folder));
  LAKEMILL_TRY_OK(check_names(objects));
  return objects;
}

}  // namespace lakemill::sources
