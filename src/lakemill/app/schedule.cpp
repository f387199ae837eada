#include "lakemill/app/schedule.h"

#include <array>

#include "lakemill/base/cron_in_zone.h"

namespace lakemill::app {

namespace {

using std::chrono::microseconds;

bool is_wanted(const ScheduleRequest& request, std::size_t have, Instant next) {
  return have < request.count && (!request.to || next < *request.to);
}

Result<ScheduledTrigger> schedule_cron(const language::CronTrigger& trigger,
                                       const language::Location& location,
                                       const ScheduleRequest& request) {
  LAKEMILL_TRY(auto zone, TimeZone::find(trigger.time_zone));
  LAKEMILL_TRY(const Cron cron, Cron::parse(trigger.expression));
  const CronInZone clock(cron, zone);
  ScheduledTrigger scheduled{"cron", trigger.expression, zone, location, {}};
  LAKEMILL_TRY(Instant next, clock.next_after(request.from - microseconds(1)));
  while (is_wanted(request, scheduled.instants.size(), next)) {
    scheduled.instants.push_back(next);
    LAKEMILL_TRY(next, clock.next_after(next));
  }
  return scheduled;
}

ScheduledTrigger schedule_every(microseconds period, const language::Location& location,
                                const ScheduleRequest& request) {
  ScheduledTrigger scheduled{
      "every", period_text(period), TimeZone::utc(), location, {}};
  Instant next = request.from + period;
  while (is_wanted(request, scheduled.instants.size(), next)) {
    scheduled.instants.push_back(next);
    next += period;
  }
  return scheduled;
}

}  // namespace

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

Result<std::vector<ScheduledTrigger>> schedule(const language::Pipeline& pipeline,
                                               const ScheduleRequest& request) {
  std::vector<ScheduledTrigger> all;
  for (const language::Trigger& trigger : pipeline.orchestration.triggers) {
    if (const auto* cron = trigger.as<language::CronTrigger>()) {
      auto scheduled = schedule_cron(*cron, trigger.location, request);
      if (!scheduled) {
        return std::move(scheduled).error().while_doing(to_text(trigger.location));
      }
      all.push_back(*std::move(scheduled));
    } else if (const auto* every = trigger.as<language::IntervalTrigger>()) {
      all.push_back(schedule_every(every->period, trigger.location, request));
    }
  }
  return all;
}

}  // namespace lakemill::app
