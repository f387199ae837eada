#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/events/event.h"
#include "lakemill/events/ports.h"

namespace lakemill::events {

/// Which events to show. What is empty does not restrict.
struct EventFilter {
  std::vector<EventType> types;
  std::optional<EventLevel> least_level;
  std::string run_id;
  std::string pipeline;
  std::string node;
  std::string table_name;
  std::optional<Instant> since;  ///< this instant and later
  std::optional<Instant> until;  ///< before this instant
};

/// SQL that gives the newest `count_max` events of `relation` (a quoted name, or a
/// table function call) that pass the filter, oldest first, with the columns of
/// event_schema(). Values are quoted: they may come from anywhere.
std::string select_events(std::string_view relation, const EventFilter& filter,
                          std::int64_t count_max);

/// SQL that gives the first `count_max` events of `relation` in the order of the feed:
/// by the version that brought them (`_commit_version`), writer and sequence. That
/// version is a column of `relation`, or, if there are `groups`, known of them, and
/// other events are left out.
std::string select_in_feed_order(std::string_view relation,
                                 const std::vector<AddedGroup>& groups,
                                 std::int64_t count_max);

}  // namespace lakemill::events
