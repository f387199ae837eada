#include "lakemill/sources/file_pattern.h"

#include <algorithm>

#include "lakemill/base/text.h"

namespace lakemill::sources {

namespace {

constexpr std::string_view kWildcards = "*?[{";

// Matches one character against "[...]" at the front of `pattern`, which it consumes.
bool fits_class(char character, std::string_view& pattern) {
  const std::size_t close = pattern.find(']', 2);
  if (close == std::string_view::npos) {  // no class: a plain '['
    pattern.remove_prefix(1);
    return character == '[';
  }
  std::string_view set = pattern.substr(1, close - 1);
  pattern.remove_prefix(close + 1);
  const bool negated = set.front() == '!' || set.front() == '^';
  if (negated) set.remove_prefix(1);
  bool found = false;
  for (std::size_t i = 0; i < set.size(); ++i) {
    if (i + 2 < set.size() && set[i + 1] == '-') {
      found = found || (set[i] <= character && character <= set[i + 2]);
      i += 2;
    } else {
      found = found || set[i] == character;
    }
  }
  return found != negated && character != '/';
}

// "{a,b}" at the front of `pattern`: tries each alternative followed by the rest.
bool fits_alternatives(std::string_view path, std::string_view pattern) {
  const std::size_t close = pattern.find('}');
  if (close == std::string_view::npos) {
    return !path.empty() && path.front() == '{' &&
           fits_pattern(path.substr(1), pattern.substr(1));
  }
  const std::string_view rest = pattern.substr(close + 1);
  for (const std::string& alternative : split(pattern.substr(1, close - 1), ',')) {
    if (fits_pattern(path, alternative + std::string(rest))) return true;
  }
  return false;
}

bool fits_star(std::string_view path, std::string_view pattern) {
  const bool crosses = pattern.starts_with("**");
  pattern.remove_prefix(crosses ? 2 : 1);
  if (crosses && pattern.starts_with("/") && fits_pattern(path, pattern.substr(1))) {
    return true;  // "a/**/b" fits "a/b"
  }
  for (std::size_t taken = 0;; ++taken) {
    if (fits_pattern(path.substr(taken), pattern)) return true;
    if (taken == path.size() || (!crosses && path[taken] == '/')) return false;
  }
}

bool is_hidden(std::string_view relative_path) {
  for (const std::string& part : split(relative_path, '/')) {
    if (part.starts_with('_') || part.starts_with('.')) return true;
  }
  return false;
}

Result<std::vector<storage::ObjectInfo>> list_folder(storage::StoreProvider& stores,
                                                     const std::string& folder) {
  LAKEMILL_TRY(const auto store, stores.open(folder));
  LAKEMILL_TRY(auto objects, store->list("", ""));
  std::erase_if(objects, [](const auto& object) { return is_hidden(object.path); });
  for (auto& object : objects) object.path = folder + "/" + object.path;
  return objects;
}

// One object, or none.
Result<std::vector<storage::ObjectInfo>> list_single(storage::StoreProvider& stores,
                                                     const std::string& url) {
  const std::size_t slash = url.rfind('/');
  if (slash == std::string::npos || slash + 1 == url.size()) {
    return std::vector<storage::ObjectInfo>{};
  }
  const std::string folder = slash == 0 ? "/" : url.substr(0, slash);
  LAKEMILL_TRY(const auto store, stores.open(folder));
  auto info = store->head(url.substr(slash + 1));
  if (!info) {
    if (info.error().code() == ErrorCode::not_found) {
      return std::vector<storage::ObjectInfo>{};
    }
    return std::move(info).error();
  }
  info->path = url;
  return std::vector<storage::ObjectInfo>{*std::move(info)};
}

}  // namespace

bool is_pattern(std::string_view text) {
  return text.find_first_of(kWildcards) != std::string_view::npos;
}

std::string_view fixed_folder(std::string_view pattern) {
  const std::size_t wildcard = pattern.find_first_of(kWildcards);
  const std::size_t slash = pattern.rfind('/', wildcard);
  return slash == std::string_view::npos ? std::string_view{}
                                         : pattern.substr(0, slash);
}

bool fits_pattern(std::string_view path, std::string_view pattern) {
  while (!pattern.empty()) {
    if (pattern.front() == '*') return fits_star(path, pattern);
    if (pattern.front() == '{') return fits_alternatives(path, pattern);
    if (path.empty()) return false;
    if (pattern.front() == '[') {
      if (!fits_class(path.front(), pattern)) return false;
    } else {
      const bool fits = pattern.front() == '?' ? path.front() != '/'
                                               : pattern.front() == path.front();
      if (!fits) return false;
      pattern.remove_prefix(1);
    }
    path.remove_prefix(1);
  }
  return path.empty();
}

Result<std::vector<storage::ObjectInfo>> list_files(storage::StoreProvider& stores,
                                                    const std::string& url) {
  if (is_pattern(url)) {
    LAKEMILL_TRY(auto objects, list_folder(stores, std::string(fixed_folder(url))));
    std::erase_if(objects,
                  [&](const auto& object) { return !fits_pattern(object.path, url); });
    return objects;
  }
  std::string folder = url;
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  LAKEMILL_TRY(auto single, list_single(stores, folder));
  if (!single.empty()) return single;
  return list_folder(stores, folder);
}

}  // namespace lakemill::sources
