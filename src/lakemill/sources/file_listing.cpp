#include "lakemill/sources/file_listing.h"

#include <algorithm>

#include "lakemill/base/path_pattern.h"

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
    return objects;
  }
  std::string folder = url;
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  LAKEMILL_TRY(auto single, find_file(stores, folder));
  if (single) return std::vector{*std::move(single)};
  return list_folder(stores, folder);
}

}  // namespace lakemill::sources
