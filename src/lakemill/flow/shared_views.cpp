#include "lakemill/flow/shared_views.h"

#include "lakemill/flow/node_frames.h"

namespace lakemill::flow {

namespace {

// Files of runs that were killed go after a while.
constexpr std::int64_t kLeftOverAgeMs = std::int64_t{7} * 24 * 3600 * 1000;

std::string folder_of_views(const Workspace& workspace) {
  return workspace.state_folder + "/_views/";
}

// Counts the readers of each view, from a node on.
void count_readers(const language::Pipeline& pipeline, const language::Node& node,
                   std::map<std::string, int>& readers) {
  for (const std::string& name : nodes_read_by(node)) {
    const language::Node* read = pipeline.find_node(name);
    if (read == nullptr || !read->is_view()) continue;
    if (++readers[name] == 1) count_readers(pipeline, *read, readers);
  }
}

}  // namespace

SharedViews::SharedViews(const Workspace& workspace, std::string run_id,
                         std::set<std::string> views)
    : workspace_(workspace), run_id_(std::move(run_id)), views_(std::move(views)) {}

SharedViews::~SharedViews() {
  if (entries_.empty()) return;
  storage::ObjectStore& store = *workspace_.state_store;
  const auto files = store.list(folder_of_views(workspace_), "");
  if (!files) return;  // a later run sees to it
  const std::int64_t now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                                  workspace_.clock.now().time_since_epoch())
                                  .count();
  for (const storage::ObjectInfo& file : *files) {
    const bool ours = file.path.find("/" + run_id_ + "-") != std::string::npos;
    if (!ours && now_ms - file.modified_ms < kLeftOverAgeMs) continue;
    const auto removed = store.remove(file.path);
    (void)removed;  // likewise
  }
}

ViewMoment SharedViews::moment(const std::string& view, const ViewMoment& asked) {
  const std::lock_guard lock(mutex_);
  return moments_.emplace(view, asked).first->second;
}

std::string SharedViews::path_of(std::size_t number) const {
  return folder_of_views(workspace_) + run_id_ + "-" + std::to_string(number) +
         ".parquet";
}

Result<engine::FilesRelation> SharedViews::rows(const std::string& content,
                                                const Compute& compute) {
  std::shared_ptr<Entry> entry;
  {
    const std::lock_guard lock(mutex_);
    const std::size_t number = entries_.size();
    auto& known = entries_[content];
    if (known == nullptr) {
      known = std::make_shared<Entry>();
      known->number = number;
    }
    entry = known;
  }
  const std::lock_guard lock(entry->mutex);  // who comes second waits for the first
  if (entry->url.empty()) {
    engine::FileTarget target;
    target.url = workspace_.state_store->url() + "/" + path_of(entry->number);
    target.format = engine::FileFormat::parquet;
    LAKEMILL_TRY_OK(compute(target));
    entry->url = target.url;
  }
  engine::FilesRelation relation;
  relation.format = engine::FileFormat::parquet;
  relation.files = {{entry->url, 1, 0}};
  return relation;
}

std::set<std::string> views_of_several(const language::Pipeline& pipeline,
                                       const std::vector<std::string>& nodes) {
  std::map<std::string, int> readers;
  for (const std::string& name : nodes) {
    const language::Node* node = pipeline.find_node(name);
    if (node != nullptr && !node->is_view()) count_readers(pipeline, *node, readers);
  }
  std::set<std::string> shared;
  for (const auto& [view, count] : readers) {
    if (count > 1) shared.insert(view);
  }
  return shared;
}

}  // namespace lakemill::flow
