#include "lakemill/app/pipeline_set.h"

#include <sys/stat.h>

#include <algorithm>

#include "lakemill/language/orchestration_check.h"
#include "lakemill/storage/path.h"

namespace lakemill::app {

PipelineSet::Mark PipelineSet::mark_of(const std::string& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) return {};
  constexpr std::int64_t kSecond = 1'000'000'000;
  return {found.st_size, found.st_mtim.tv_sec * kSecond + found.st_mtim.tv_nsec,
          found.st_ino};
}

bool PipelineSet::is_as_before(const Loaded& loaded) {
  return !loaded.parts.empty() &&
         std::all_of(loaded.parts.begin(), loaded.parts.end(),
                     [](const auto& part) { return mark_of(part.first) == part.second; });
}

// "pipelines/orders.yaml".
std::string PipelineSet::shown(const std::string& file) const {
  const std::string folder = workbench_.project().folder + "/";
  return file.starts_with(folder) ? file.substr(folder.size()) : file;
}

void PipelineSet::load(const std::string& file, Loaded& loaded) {
  // Marks of before the load: what changes amid it is loaded again.
  const Mark before = mark_of(file);
  std::set<std::string> parts;
  language::Diagnostics diagnostics;
  auto pipeline = workbench_.read(file, parts, diagnostics);
  loaded.parts.clear();
  for (const std::string& part : parts) {
    loaded.parts[part] = part == file ? before : mark_of(part);
  }
  loaded.newest = nullptr;
  loaded.own_fault.clear();
  if (pipeline) {
    loaded.newest = std::make_shared<const language::Pipeline>(*std::move(pipeline));
  } else {
    loaded.own_fault = diagnostics.has_errors() ? diagnostics.to_text()
                                                : pipeline.error().message();
  }
}

// What only all pipelines show, by file.
std::map<std::string, std::string> PipelineSet::faults_of_project() const {
  std::map<std::string, std::string> faults;
  std::map<std::string, std::string> files_by_name;
  language::ProjectScope scope;
  for (const std::string& file : order_) {
    const auto& pipeline = loaded_.at(file).newest;
    scope.is_complete = scope.is_complete && pipeline != nullptr;
    if (pipeline == nullptr) continue;
    const auto [first, is_new] = files_by_name.emplace(pipeline->name, file);
    if (!is_new) {
      faults[file] = "two pipelines of the project are called '" + pipeline->name +
                     "'; the other is " + shown(first->second);
      continue;
    }
    scope.checked.push_back(pipeline.get());
  }
  scope.table_exists = [](const auto&, const auto&) { return true; };  // it may come
  language::Diagnostics found;
  language::check_project(workbench_.project(), scope, found);
  for (const language::Diagnostic& diagnostic : found.sorted()) {
    if (diagnostic.severity != language::Severity::error) continue;
    std::string& fault = faults[diagnostic.location.file];
    if (!fault.empty()) fault += "\n";
    fault += to_text(diagnostic.location) + ": " + diagnostic.message;
  }
  return faults;
}

Result<bool> PipelineSet::refresh() {
  LAKEMILL_TRY(auto order, workbench_.pipeline_files());
  bool is_other = order != order_;
  order_ = std::move(order);
  std::erase_if(loaded_, [this](const auto& item) {
    return std::find(order_.begin(), order_.end(), item.first) == order_.end();
  });
  for (const std::string& file : order_) {
    Loaded& loaded = loaded_[file];
    if (is_as_before(loaded)) continue;
    load(file, loaded);
    is_other = true;
  }
  if (!is_other) return false;
  const auto faults = faults_of_project();
  std::vector<ServedFile> files;
  for (const std::string& file : order_) {
    Loaded& loaded = loaded_.at(file);
    const auto fault = faults.find(file);
    loaded.served.file = shown(file);
    loaded.served.fault = fault == faults.end() ? loaded.own_fault : fault->second;
    if (loaded.served.fault.empty()) loaded.served.pipeline = loaded.newest;
    files.push_back(loaded.served);
  }
  const std::lock_guard lock(mutex_);
  files_ = std::move(files);
  return true;
}

std::vector<ServedFile> PipelineSet::files() const {
  const std::lock_guard lock(mutex_);
  return files_;
}

std::shared_ptr<const language::Pipeline> PipelineSet::find(
    const std::string& pipeline) const {
  const std::lock_guard lock(mutex_);
  for (const ServedFile& file : files_) {
    if (file.pipeline != nullptr && file.pipeline->name == pipeline) {
      return file.pipeline;
    }
  }
  return nullptr;
}

}  // namespace lakemill::app
