#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "lakemill/app/operation.h"
#include "lakemill/server/event_stream.h"

namespace lakemill::api {

/// Passes on to viewers what happens, as server-sent events: "event" (with the event's
/// place in the order of all as its id), "run" and "pipelines". A viewer that comes back with the id that it had last
/// gets what it missed, or, where that is not known any more, "pipelines": fetch all
/// again.
///
/// Thread-safe.
class EventHub final : public app::OperationObserver {
 public:
  static constexpr std::size_t kKeptMax = 2'000;

  /// `problem` is told of what keeps the process from its work.
  explicit EventHub(std::function<void(const std::string&, const Error&)> problem)
      : problem_(std::move(problem)) {}

  /// A viewer that has seen all events up to `last_id` (empty: nothing before counts).
  std::shared_ptr<server::EventStream> join(const std::string& last_id);
  std::size_t viewers() const;

  void on_run_changed(const std::string& pipeline,
                      const orchestrator::RunState& run) override;
  void on_pipelines_changed() override;
  void on_event(const events::FedEvent& event) override;
  void on_problem(const std::string& subject, const Error& error) override;

 private:
  struct Kept {
    std::optional<events::FeedPosition> at;  // nothing: it is no event
    server::Frame frame;
  };
  void tell(Kept kept);

  const std::function<void(const std::string&, const Error&)> problem_;
  mutable std::mutex mutex_;
  std::deque<Kept> kept_;                                      // guarded by mutex_
  std::vector<std::shared_ptr<server::EventStream>> viewers_;  // guarded by mutex_
};

}  // namespace lakemill::api
