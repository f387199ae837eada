#pragma once

#include <cstddef>
#include <optional>

#include "lakemill/base/clock.h"
#include "lakemill/delta/snapshot.h"

namespace lakemill::delta {

struct LogCleanup {
  std::size_t removed = 0;        ///< log entries, checkpoints and sidecars
  std::optional<Version> oldest;  ///< that can still be read; nothing: all can
};

/// Removes what the log no longer needs: entries before the newest checkpoint that is
/// as old as `delta.logRetentionDuration` at the last midnight (UTC). Every version
/// from that checkpoint on can still be read. May stop anywhere and be begun again, by
/// several at a time.
///
/// Source: PROTOCOL.md, "Metadata Cleanup". Errors: those of the store; corrupt (the
/// checkpoint that would be the oldest entry cannot be read: nothing was removed).
Result<LogCleanup> clean_log(Table& table, Instant now);

}  // namespace lakemill::delta
