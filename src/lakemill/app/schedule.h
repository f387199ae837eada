#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lakemill/base/clock.h"
#include "lakemill/base/time_zone.h"
#include "lakemill/language/model.h"

namespace lakemill::app {

/// Which instants are asked for.
struct ScheduleRequest {
  Instant from;               ///< itself included
  std::optional<Instant> to;  ///< not included; nothing: no end
  std::size_t count = 10;     ///< of each trigger at most
};

/// A trigger that goes by the clock, and when it fires.
struct ScheduledTrigger {
  std::string kind;      ///< "cron" or "every"
  std::string schedule;  ///< "0 6 * * *", "5m"
  std::shared_ptr<const TimeZone> zone;
  language::Location location;
  std::vector<Instant> instants;  ///< of `every`: counted from the request's `from`
};

/// "90s", "5m", "1d": in the largest unit that needs no fraction.
std::string period_text(std::chrono::microseconds period);

/// The triggers `cron` and `every` of a pipeline in the order they are written.
/// Errors: invalid (a cron expression or a zone that is none, with its place),
/// unsupported (no time zone database).
Result<std::vector<ScheduledTrigger>> schedule(const language::Pipeline& pipeline,
                                               const ScheduleRequest& request);

}  // namespace lakemill::app
