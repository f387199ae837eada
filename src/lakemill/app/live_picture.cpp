#include "lakemill/app/live_picture.h"

#include <algorithm>

namespace lakemill::app {

namespace {

using events::EventType;

// How a node's run ended; empty: the event tells of no end.
std::string end_of(EventType type) {
  switch (type) {
    case EventType::node_succeeded:
      return "succeeded";
    case EventType::node_skipped:
      return "skipped";
    case EventType::node_failed:
      return "failed";
    case EventType::node_cancelled:
      return "cancelled";
    default:
      return "";
  }
}

NodePicture& node_in(RunPicture& picture, const std::string& node) {
  const auto found = std::find_if(picture.begin(), picture.end(),
                                  [&](const auto& item) { return item.node == node; });
  if (found != picture.end()) return *found;
  picture.push_back({node, "", "", std::nullopt, std::nullopt, std::nullopt, ""});
  return picture.back();
}

}  // namespace

void add_event(RunPicture& picture, const events::Event& event) {
  const std::string end = end_of(event.type);
  if (event.type != EventType::node_started && end.empty()) return;
  NodePicture& node = node_in(picture, event.node);
  if (event.type == EventType::node_started) {
    node = {event.node, "running",    event.run_id, event.time,
            std::nullopt, std::nullopt, ""};
    return;
  }
  node.status = string_member(event.details, "status", "") == "blocked" ? "blocked" : end;
  node.run_id = event.run_id;
  node.ended_at = event.time;
  if (end == "failed") node.message = message_of(event);
  const Json* written = find_member(event.details, "written");
  if (written != nullptr && written->is_number_integer()) {
    node.rows_written = written->get<std::int64_t>();
  }
}

void LivePicture::add(const events::Event& event) {
  if (event.type != EventType::node_started && end_of(event.type).empty()) return;
  const std::lock_guard lock(mutex_);
  const auto [run, is_new] = runs_.try_emplace(event.run_id);
  if (is_new) run_order_.push_back(event.run_id);
  add_event(run->second, event);
  newest_[event.pipeline][event.node] = node_in(run->second, event.node);
  if (run_order_.size() > kRunsMax) {
    runs_.erase(run_order_.front());
    run_order_.pop_front();
  }
}

std::optional<RunPicture> LivePicture::run(const std::string& run_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = runs_.find(run_id);
  return found == runs_.end() ? std::nullopt : std::optional(found->second);
}

std::map<std::string, NodePicture> LivePicture::nodes_of(
    const std::string& pipeline) const {
  const std::lock_guard lock(mutex_);
  const auto found = newest_.find(pipeline);
  return found == newest_.end() ? std::map<std::string, NodePicture>() : found->second;
}

void LivePicture::add_past(const std::string& pipeline, const RunPicture& picture) {
  const std::lock_guard lock(mutex_);
  for (const NodePicture& node : picture) newest_[pipeline].emplace(node.node, node);
}

}  // namespace lakemill::app
