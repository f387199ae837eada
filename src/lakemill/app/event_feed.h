#pragma once

#include <chrono>
#include <memory>

#include "lakemill/app/workbench.h"
#include "lakemill/events/event_feed.h"

namespace lakemill::app {

/// A project's events as they come, whichever process tells them. In local folders the
/// log is watched; of other stores it is looked at each `look_period`.
///
/// The workbench must outlive it; one per workbench at a time.
class ProjectFeed {
 public:
  /// Problems are told on standard error. Errors: those of the log.
  static Result<std::unique_ptr<ProjectFeed>> open(
      Workbench& workbench, std::chrono::milliseconds look_period);
  virtual ~ProjectFeed() = default;

  virtual events::EventFeed& feed() = 0;
};

}  // namespace lakemill::app
