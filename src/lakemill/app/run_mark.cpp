#include "lakemill/app/run_mark.h"

#include <fstream>
#include <sstream>

#include <unistd.h>

#include "lakemill/base/json.h"

namespace lakemill::app {

namespace {

constexpr std::chrono::hours kForeignMax{24};  // a mark of elsewhere counts so long
constexpr std::string_view kSuffix = ".json";

std::string folder_of(const flow::Workspace& workspace) {
  return workspace.state_folder + "/_runs/";
}

std::string link_text(const char* path) {
  char text[256];
  const ::ssize_t size = ::readlink(path, text, sizeof text);
  return size < 0 ? std::string() : std::string(text, static_cast<std::size_t>(size));
}

std::string file_text(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Processes of one machine since one start of it, that see each other.
std::string machine() {
  return file_text("/proc/sys/kernel/random/boot_id") + link_text("/proc/self/ns/pid");
}

// When a process was started, in ticks of its machine; empty where there is none. What
// is between parentheses is its name, which may hold anything.
std::string start_of(const std::string& process) {
  const std::string text = file_text("/proc/" + process + "/stat");
  constexpr int kFieldsBetween = 20;
  std::istringstream fields(text.substr(std::min(text.size(), text.rfind(')') + 1)));
  std::string field;
  for (int i = 0; i < kFieldsBetween; ++i) fields >> field;
  return fields ? field : std::string();
}

}  // namespace

Result<std::unique_ptr<RunMark>> RunMark::put(const flow::Workspace& workspace,
                                              const std::string& run_id) {
  const std::string process = std::to_string(::getpid());
  const Json mark{{"machine", machine()},
                  {"process", process},
                  {"process_start", start_of(process)},
                  {"begun", format_instant(workspace.clock.now())}};
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
    const std::string process = string_member(mark, "process", "");
    const bool is_here = string_member(mark, "machine", "") == machine();
    const auto begun = parse_instant(string_member(mark, "begun", ""));
    const bool is_recent = begun && workspace.clock.now() - *begun < kForeignMax;
    const std::string start = string_member(mark, "process_start", "");
    const bool lives =
        is_here ? !start.empty() && start_of(process) == start : is_recent;
    if (!lives) {
      runs.dead.push_back(object.path);
      continue;
    }
    runs.alive.insert(run_id);
    if (!is_here) runs.foreign.insert(run_id);
  }
  return runs;
}

}  // namespace lakemill::app
