#include "lakemill/api/event_hub.h"

#include <algorithm>

#include "lakemill/api/shapes.h"

namespace lakemill::api {

using server::event_frame;
using server::EventStream;
using server::Frame;

namespace {

Frame frame(std::string_view id, std::string_view kind, const std::string& data) {
  return std::make_shared<const std::string>(event_frame(id, kind, data));
}

}  // namespace

std::shared_ptr<EventStream> EventHub::join(const std::string& last_id) {
  auto stream = std::make_shared<EventStream>(EventStream::kBufferMax);
  const std::lock_guard lock(mutex_);
  if (!last_id.empty()) {
    const auto seen = events::parse_feed_position(last_id);
    const auto last = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& kept) {
      return seen && kept.at == *seen;
    });
    if (last == kept_.end()) {
      stream->send(frame("", "pipelines", "{}"));
    } else {
      std::for_each(last + 1, kept_.end(),
                    [&](const Kept& kept) { stream->send(kept.frame); });
    }
  }
  viewers_.push_back(stream);
  return stream;
}

std::size_t EventHub::viewers() const {
  const std::lock_guard lock(mutex_);
  return viewers_.size();
}

void EventHub::tell(Kept kept) {
  const std::lock_guard lock(mutex_);
  std::erase_if(viewers_, [&](const auto& viewer) { return !viewer->send(kept.frame); });
  kept_.push_back(std::move(kept));
  if (kept_.size() > kKeptMax) kept_.pop_front();
}

void EventHub::on_run_changed(const std::string& pipeline,
                              const orchestrator::RunState& run) {
  tell({std::nullopt, frame("", "run", json_text(run_json({pipeline, run})))});
}

void EventHub::on_pipelines_changed() {
  tell({std::nullopt, frame("", "pipelines", "{}")});
}

void EventHub::on_event(const events::FedEvent& event) {
  const std::string id = to_text(event.at);
  tell({event.at, frame(id, "event", json_text(event_json(*event.event)))});
}

void EventHub::on_problem(const std::string& subject, const Error& error) {
  problem_(subject, error);
}

}  // namespace lakemill::api
