#pragma once

#include <cstdint>
#include <optional>

#include "lakemill/base/clock.h"
#include "lakemill/base/random.h"
#include "lakemill/delta/snapshot.h"

namespace lakemill::delta {

/// To which state: one of both.
struct RestoreRequest {
  std::optional<Version> version;
  std::optional<Instant> timestamp;
};

struct RestoreResult {
  Version version = -1;   ///< of the restore itself; the newest if nothing differed
  Version restored = -1;  ///< the version whose rows the table has again
  std::int64_t files_added = 0;
  std::int64_t files_removed = 0;
};

/// Makes a table what it was, by a new commit: files that went come back, others go;
/// schema and properties too. What flows have committed (txn), the protocol and the
/// table's identity stay.
///
/// Errors: not_found (no such version; files that vacuum took, some by name), invalid
/// (neither or both of version and time; the table is append-only), unavailable (every
/// race was lost).
Result<RestoreResult> restore(Table& table, const RestoreRequest& request, Clock& clock,
                              Random& random);

}  // namespace lakemill::delta
