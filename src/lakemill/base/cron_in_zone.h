#pragma once

#include <memory>

#include "lakemill/base/cron.h"
#include "lakemill/base/time_zone.h"

namespace lakemill {

/// A cron expression that is meant by the clocks of a time zone, with the rules of
/// Debian's cron for days on which clocks change:
///
/// - Minute and hour are both fixed (neither begins with a star): the expression means
///   times of day. One that clocks skip is taken where they go on, one that they show
///   twice only the first time. Times that fall on one instant fire once.
/// - Else it means an interval, and real time counts: it fires whenever clocks show a
///   time that fits.
class CronInZone {
 public:
  /// `zone` is not null.
  CronInZone(const Cron& cron, std::shared_ptr<const TimeZone> zone);

  const TimeZone& zone() const { return *zone_; }

  /// The first instant after `instant` at which it fires. Errors: invalid (it never
  /// does).
  Result<Instant> next_after(Instant instant) const;

 private:
  Result<Instant> next_in_real_time(Instant instant) const;

  Cron cron_;
  std::shared_ptr<const TimeZone> zone_;
};

}  // namespace lakemill
