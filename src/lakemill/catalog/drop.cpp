#include "lakemill/catalog/drop.h"

#include <algorithm>
#include <string_view>
#include <vector>

namespace lakemill::catalog {

namespace {

constexpr std::string_view kLogFolder = "_delta_log/";
constexpr int kPassesMax = 3;  // over files that writers add meanwhile

std::string mark_of(const std::string& table) { return "_dropped/" + table; }

std::string place_of(const storage::ObjectStore& parent, const std::string& table) {
  return parent.url() + "/" + table;
}

// Whether a path, relative to the table, lies in the log of another table inside it.
bool is_log_of_inner_table(std::string_view path) {
  return !path.starts_with('_') && path.find("/_delta_log/") != std::string_view::npos;
}

// The order of removal: _last_checkpoint, the log oldest first, all else.
int turn_of(std::string_view path) {
  if (path == "_delta_log/_last_checkpoint") return 0;
  return path.starts_with(kLogFolder) ? 1 : 2;
}

Result<std::vector<std::string>> files_of(storage::ObjectStore& parent,
                                          const std::string& table) {
  const auto begin = table + "/";
  LAKEMILL_TRY(const auto listed, parent.list(begin, ""));
  std::vector<std::string> paths;
  paths.reserve(listed.size());
  for (const auto& object : listed) {
    auto path = object.path.substr(begin.size());
    if (path.starts_with("_lakemill/")) {
      return Error(ErrorCode::invalid, "the folder " + place_of(parent, table) +
                                           " also holds the state of a project (" +
                                           path + "); the table stays");
    }
    if (is_log_of_inner_table(path)) {
      return Error(ErrorCode::invalid, "the folder " + place_of(parent, table) +
                                           " also holds another table (" + path +
                                           "); drop that first");
    }
    paths.push_back(std::move(path));
  }
  // stable: inside a turn paths stay sorted, which is by version in the log
  std::stable_sort(paths.begin(), paths.end(), [](const auto& left, const auto& right) {
    return turn_of(left) < turn_of(right);
  });
  return paths;
}

Status remove_files(storage::ObjectStore& parent, const std::string& table) {
  for (int pass = 0; pass < kPassesMax; ++pass) {
    LAKEMILL_TRY(const auto paths, files_of(parent, table));
    if (paths.empty()) return parent.remove(mark_of(table));
    for (const auto& path : paths) {
      std::string object = table;
      object.append("/").append(path);
      LAKEMILL_TRY_OK(parent.remove(object));
    }
  }
  return Error(ErrorCode::unavailable, "drop " + place_of(parent, table) +
                                           ": somebody keeps writing there; stop it, "
                                           "then drop the table again");
}

Result<bool> is_marked(storage::ObjectStore& parent, const std::string& table) {
  auto mark = parent.head(mark_of(table));
  if (mark) return true;
  if (mark.error().code() == ErrorCode::not_found) return false;
  return std::move(mark).error();
}

Result<bool> has_log(storage::ObjectStore& parent, const std::string& table) {
  LAKEMILL_TRY(const auto folders, parent.list_folders(table));
  return std::binary_search(folders.begin(), folders.end(), std::string("_delta_log"));
}

}  // namespace

Status drop_table(storage::ObjectStore& parent, const std::string& table) {
  LAKEMILL_TRY(const bool begun, finish_drop(parent, table));
  if (begun) return {};
  LAKEMILL_TRY(const bool there, has_log(parent, table));
  if (!there) {
    return Error(ErrorCode::not_found, "no Delta table at " + place_of(parent, table));
  }
  LAKEMILL_TRY_OK(files_of(parent, table));  // refuses before anything is changed
  LAKEMILL_TRY_OK(parent.put(mark_of(table), ""));
  return remove_files(parent, table);
}

Result<bool> finish_drop(storage::ObjectStore& parent, const std::string& table) {
  LAKEMILL_TRY(const bool marked, is_marked(parent, table));
  if (!marked) return false;
  LAKEMILL_TRY_OK(remove_files(parent, table));
  return true;
}

Result<bool> holds_table(storage::ObjectStore& parent, const std::string& table) {
  LAKEMILL_TRY(const bool there, has_log(parent, table));
  if (!there) return false;
  LAKEMILL_TRY(const bool marked, is_marked(parent, table));
  return !marked;
}

}  // namespace lakemill::catalog
