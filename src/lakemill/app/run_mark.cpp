#include "lakemill/app/run_mark.h"

#include "lakemill/base/process_identity.h"

namespace lakemill::app {

namespace {

constexpr std::chrono::hours kForeignMax{24};  // a mark of elsewhere counts so long
constexpr std::string_view kSuffix = ".json";

std::string folder_of(const flow::Workspace& workspace) {
  return workspace.state_folder + "/_runs/";
}

}  // namespace

Result<std::unique_ptr<RunMark>> RunMark::put(const flow::Workspace& workspace,
                                              const std::string& run_id) {
  Json mark = this_process();
  mark["begun"] = format_instant(workspace.clock.now());
  std::string path = folder_of(workspace) + run_id + std::string(kSuffix);
  LAKEMILL_TRY_OK(workspace.state_store->put(path, json_text(mark)));
  return std::unique_ptr<RunMark>(new RunMark(workspace.state_store, std::move(path)));
}

void RunMark::remove() { (void)store_->remove(path_); }

Result<MarkedRuns> marked_runs(const flow::Workspace& workspace) {
  const std::string folder = folder_of(workspace);
  LAKEMILL_TRY(const auto objects, workspace.state_store->list(folder, ""));
  MarkedRuns runs;
  for (const auto& object : objects) {
    if (!object.path.ends_with(kSuffix)) continue;
    const std::string run_id = object.path.substr(
        folder.size(), object.path.size() - folder.size() - kSuffix.size());
    const auto text = workspace.state_store->get(object.path);
    if (!text) continue;  // it has just ended
    const auto read = parse_json(*text);
    const Json mark = read ? *read : Json::object();
    const ProcessLife life = life_of(mark);
    const auto begun = parse_instant(string_member(mark, "begun", ""));
    const bool is_recent = begun && workspace.clock.now() - *begun < kForeignMax;
    const bool lives =
        life == ProcessLife::alive || (life == ProcessLife::elsewhere && is_recent);
    if (!lives) {
      runs.dead.push_back(object.path);
      continue;
    }
    runs.alive.insert(run_id);
    if (life == ProcessLife::elsewhere) runs.foreign.insert(run_id);
  }
  return runs;
}

}  // namespace lakemill::app
