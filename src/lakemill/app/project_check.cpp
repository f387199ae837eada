#include <algorithm>

#include "lakemill/app/workbench.h"
#include "lakemill/delta/snapshot.h"
#include "lakemill/language/orchestration_check.h"
#include "lakemill/sources/file_listing.h"
#include "lakemill/storage/path.h"

// What only all pipelines of a project show, of those that a workbench opened.

namespace lakemill::app {

Status Workbench::check_project(const OpenRequest& request,
                                language::Diagnostics& diagnostics) {
  std::vector<language::Pipeline> others;
  language::ProjectScope scope;
  if (language::names_others(project_, pipelines_)) {
    scope.is_complete = read_others(request, others);
  }
  for (const language::Pipeline& pipeline : pipelines_) {
    scope.checked.push_back(&pipeline);
  }
  for (const language::Pipeline& pipeline : others) scope.others.push_back(&pipeline);
  scope.table_exists = [this](const language::TableReference& table,
                              const std::string& folder) {
    return may_exist(table, folder);
  };
  language::Diagnostics found;
  language::check_project(project_, scope, found);
  for (const language::Diagnostic& diagnostic : found.sorted()) {
    diagnostics.add(diagnostic);
  }
  if (!found.has_errors()) return {};
  return Error(ErrorCode::invalid, "the project has errors");
}

bool Workbench::read_others(const OpenRequest& request,
                            std::vector<language::Pipeline>& others) const {
  OpenRequest own = request;  // parameters and tests are of what is opened
  own.parameters.clear();
  own.allow_missing_parameters = true;
  own.with_test_files = false;
  bool all_read = true;
  for (const std::string& pattern : project_.pipelines) {
    const auto files = sources::list_files(
        *stores_,
        storage::normalize_path(storage::join_path(project_.folder, pattern)));
    all_read = all_read && files;
    if (!files) continue;
    for (const auto& file : *files) {
      const bool is_open =
          std::any_of(pipelines_.begin(), pipelines_.end(),
                      [&](const auto& pipeline) { return pipeline.file == file.path; });
      if (is_open) continue;
      language::Diagnostics of_other;  // told when that one is looked at
      language::LocalFileReader reader;
      auto pipeline = read_pipeline(file.path, own, reader, of_other);
      all_read = all_read && pipeline;
      if (pipeline) others.push_back(*std::move(pipeline));
    }
  }
  return all_read;
}

bool Workbench::may_exist(const language::TableReference& table,
                          const std::string& folder) const {
  if (table.path.empty()) {
    const auto name = catalog_->resolve(table.table.to_text());
    if (!name) return false;
    const auto found = catalog_->table_exists(*name);
    return !found || *found;
  }
  const auto store =
      stores_->open(storage::normalize_path(storage::join_path(folder, table.path)));
  if (!store) return true;
  const auto found = delta::table_exists(**store);
  return !found || *found;
}

}  // namespace lakemill::app
