#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/events/event_feed.h"

namespace lakemill::notify {

/// Which events; what is empty lets all pass.
struct Selector {
  std::vector<events::EventType> types;
  std::vector<std::string> subjects;  ///< globs (fits_pattern()); one must fit
  std::string where;                  ///< SQL condition, for EventPredicates

  /// By all but `where`.
  bool may_pass(const events::Event& event) const;
};

/// Who judges SQL conditions over the columns of events.
///
/// Thread-safety: implementations allow concurrent calls.
class EventPredicates {
 public:
  virtual ~EventPredicates() = default;

  /// For each event, whether `where` is true of it. At most 64 at a time. Errors:
  /// invalid (it cannot be judged for one of them, and never will), unavailable.
  virtual Result<std::vector<bool>> hold(std::string_view where,
                                         std::span<const events::FedEvent> events) = 0;
};

}  // namespace lakemill::notify
