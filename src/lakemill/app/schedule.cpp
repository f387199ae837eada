#include "lakemill/app/schedule.h"

#include <array>

#include "lakemill/base/cron_in_zone.h"
#include "lakemill/language/quantity.h"
#include "lakemill/language/tree.h"

namespace lakemill::app {

namespace {

using std::chrono::microseconds;

/// What a file says of one trigger; without a period it is `cron`.
struct ClockTrigger {
  std::string cron;
  std::string time_zone = "UTC";
  std::optional<microseconds> period;
  language::Location location;
};

void add_clock_trigger(const language::Tree& tree, std::vector<ClockTrigger>& found) {
  ClockTrigger trigger;
  trigger.location = tree.location;
  if (const language::Tree* cron = tree.find("cron")) {
    trigger.cron = cron->text;
    const language::Tree* zone = tree.find("timezone");
    if (zone != nullptr && !zone->is_null()) trigger.time_zone = zone->text;
    found.push_back(std::move(trigger));
  } else if (const language::Tree* every = tree.find("every")) {
    const auto period = language::parse_duration(every->text);
    if (!period) return;  // told when the file was loaded
    trigger.period = *period;
    found.push_back(std::move(trigger));
  }
}

// The pipeline's own triggers, else those of its orchestrator.
std::vector<ClockTrigger> clock_triggers(const language::Pipeline& pipeline) {
  const language::Tree* list = &pipeline.triggers;
  if (list->is_null() && pipeline.orchestrator.is_mapping()) {
    list = pipeline.orchestrator.find("triggers");
  }
  std::vector<ClockTrigger> found;
  if (list == nullptr) return found;
  if (list->is_mapping()) add_clock_trigger(*list, found);
  for (const language::Tree& item : list->items) add_clock_trigger(item, found);
  return found;
}

// "90s", "5m", "1d": in the largest unit that needs no fraction.
std::string period_text(microseconds period) {
  struct Unit {
    microseconds length;
    const char* name;
  };
  constexpr std::array kUnits = {
      Unit{std::chrono::days(1), "d"}, Unit{std::chrono::hours(1), "h"},
      Unit{std::chrono::minutes(1), "m"}, Unit{std::chrono::seconds(1), "s"}};
  for (const Unit& unit : kUnits) {
    if (period % unit.length == microseconds(0)) {
      return std::to_string(period / unit.length) + unit.name;
    }
  }
  return std::to_string(period.count()) + "us";
}

bool is_wanted(const ScheduleRequest& request, std::size_t have, Instant next) {
  return have < request.count && (!request.to || next < *request.to);
}

Result<ScheduledTrigger> schedule_cron(const ClockTrigger& trigger,
                                       const ScheduleRequest& request) {
  LAKEMILL_TRY(auto zone, TimeZone::find(trigger.time_zone));
  LAKEMILL_TRY(const Cron cron, Cron::parse(trigger.cron));
  const CronInZone clock(cron, zone);
  ScheduledTrigger scheduled{"cron", trigger.cron, zone, trigger.location, {}};
  LAKEMILL_TRY(Instant next, clock.next_after(request.from - microseconds(1)));
  while (is_wanted(request, scheduled.instants.size(), next)) {
    scheduled.instants.push_back(next);
    LAKEMILL_TRY(next, clock.next_after(next));
  }
  return scheduled;
}

Result<ScheduledTrigger> schedule_every(const ClockTrigger& trigger,
                                        const ScheduleRequest& request) {
  const microseconds period = *trigger.period;
  if (period <= microseconds(0)) {
    return Error(ErrorCode::invalid, "every: a period is longer than nothing");
  }
  ScheduledTrigger scheduled{
      "every", period_text(period), TimeZone::utc(), trigger.location, {}};
  Instant next = request.from + period;
  while (is_wanted(request, scheduled.instants.size(), next)) {
    scheduled.instants.push_back(next);
    next += period;
  }
  return scheduled;
}

}  // namespace

Result<std::vector<ScheduledTrigger>> schedule(const language::Pipeline& pipeline,
                                               const ScheduleRequest& request) {
  std::vector<ScheduledTrigger> all;
  for (const ClockTrigger& trigger : clock_triggers(pipeline)) {
    auto scheduled = trigger.period ? schedule_every(trigger, request)
                                    : schedule_cron(trigger, request);
    if (!scheduled) {
      return std::move(scheduled).error().while_doing(to_text(trigger.location));
    }
    all.push_back(*std::move(scheduled));
  }
  return all;
}

}  // namespace lakemill::app
