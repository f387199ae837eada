#include "lakemill/base/cron_in_zone.h"

#include <utility>

namespace lakemill {

CronInZone::CronInZone(const Cron& cron, std::shared_ptr<const TimeZone> zone)
    : cron_(cron), zone_(std::move(zone)) {
  LAKEMILL_CHECK(zone_ != nullptr);
}

Result<Instant> CronInZone::next_after(Instant instant) const {
  if (!cron_.has_fixed_time()) return next_in_real_time(instant);
  // A time of day fires when clocks reach it for the first time. What they have reached
  // or skipped so far has fired, so that nothing fires twice.
  LAKEMILL_TRY(const WallTime wall, cron_.next_after(zone_->latest_shown(instant)));
  return zone_->first_reaching(wall);
}

// While clocks do not change they are only ahead by so much: looks into one such time
// after the other.
Result<Instant> CronInZone::next_in_real_time(Instant instant) const {
  constexpr std::chrono::microseconds kInstant{1};
  const Instant latest = instant + kCronYearsMax;
  TimeZone::Span span = zone_->span_at(instant);
  while (span.begin <= latest) {
    LAKEMILL_TRY(const WallTime wall, cron_.next_after(span.wall_at(instant)));
    const Instant found(wall.time_since_epoch() - span.offset);
    if (found < span.end) return found;
    instant = span.end - kInstant;
    span = zone_->span_at(span.end);
  }
  return Error(ErrorCode::invalid, "no time ever fits the cron expression");
}

}  // namespace lakemill
