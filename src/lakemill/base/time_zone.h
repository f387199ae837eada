#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/base/clock.h"
#include "lakemill/base/time_zone_rule.h"
#include "lakemill/base/wall_time.h"

namespace lakemill {

/// What clocks show somewhere at each instant: a zone of the IANA time zone database,
/// as the system's `tzdata` has it. Immutable, so any number of threads may use one.
///
/// Source: RFC 8536 (TZif), of version 2 and later.
class TimeZone {
 public:
  /// The time zone called `name`, such as "Europe/Berlin", from the folder $TZDIR, else
  /// /usr/share/zoneinfo. "UTC" needs no file.
  ///
  /// Errors: invalid (no such zone: with the one that was meant), unsupported (no time
  /// zone database is installed; a zone with leap seconds), corrupt.
  static Result<std::shared_ptr<const TimeZone>> find(std::string_view name);

  /// The zone that the bytes of a TZif file tell of. Errors: corrupt, unsupported.
  static Result<std::shared_ptr<const TimeZone>> parse(std::string name,
                                                       std::string_view file);

  static std::shared_ptr<const TimeZone> utc();

  const std::string& name() const { return name_; }

  /// A time in which clocks do not change. Two spans side by side may have one offset.
  struct Span {
    Instant begin;  ///< Instant::min(): since ever
    Instant end;    ///< the first instant after it; Instant::max(): for ever
    std::chrono::seconds offset;

    WallTime wall_at(Instant instant) const {
      return WallTime(instant.time_since_epoch() + offset);
    }
  };

  Span span_at(Instant instant) const;

  /// How far clocks are ahead of UTC.
  std::chrono::seconds offset_at(Instant instant) const {
    return span_at(instant).offset;
  }

  WallTime wall_at(Instant instant) const { return span_at(instant).wall_at(instant); }

  /// The first instant at which clocks show `wall` or a later time: the only one for
  /// most, the earlier one where they show it twice, and where they skip it the end of
  /// what they skip.
  Instant first_reaching(WallTime wall) const;

  /// The latest time that clocks have shown up to `instant`: what they show, or what
  /// they showed before they were set back.
  WallTime latest_shown(Instant instant) const;

 private:
  explicit TimeZone(std::string name) : name_(std::move(name)) {}
  Status read(std::string_view file);
  Status read_changes(std::string_view block, std::size_t change_count,
                      std::size_t type_count);
  Span span_by_rule(Instant instant) const;

  std::string name_;
  std::chrono::seconds first_offset_{0};  // before the first change
  std::vector<OffsetChange> changes_;     // in order of time
  std::optional<TimeZoneRule> rule_;      // from the last change on
};

}  // namespace lakemill
