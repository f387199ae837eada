#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lakemill/data/value.h"
#include "lakemill/events/event.h"

namespace lakemill::events {

/// Checks that the events of a log are as their writers wrote them: every event of a
/// writer carries a hash over itself and the one before it. Finds events that were
/// altered, put in, given twice or taken out; not that the newest events of a writer
/// were taken out, which nothing that is left tells of.
///
/// Not thread-safe.
class ChainCheck {
 public:
  /// Rows with the columns of event_schema(), in the order of (writer, sequence), each
  /// call going on where the last one ended. Errors: corrupt, naming the writer and the
  /// sequence at which its chain breaks, and what that means.
  Status go_on(const data::Rows& rows);

  /// How many events were checked.
  std::int64_t events() const { return events_; }

 private:
  Status check(const Json& columns, const std::string& chain);

  std::string writer_;
  std::int64_t sequence_ = -1;
  std::string chain_{kChainBegin};  // of the event before
  std::int64_t events_ = 0;
};

/// SQL that gives `count_max` events of `relation` behind the first `skipped`, in the
/// order that ChainCheck takes them.
std::string select_chain(std::string_view relation, std::int64_t skipped,
                         std::int64_t count_max);

}  // namespace lakemill::events
