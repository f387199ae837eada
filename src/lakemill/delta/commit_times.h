#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "lakemill/delta/log_segment.h"

namespace lakemill::delta {

/// Since when commits name their own time, if they do.
/// Source: PROTOCOL.md, "In-Commit Timestamps".
struct InCommitTimestamps {
  bool enabled = false;
  Version since = 0;  ///< older commits have the time of their file
  std::int64_t since_ms = std::numeric_limits<std::int64_t>::min();

  bool cover(Version version) const { return enabled && version >= since; }
};

InCommitTimestamps in_commit_timestamps(const Protocol& protocol,
                                        const Metadata& metadata);

/// The modification times of `commits`, each made later than the one before: clocks and
/// copies may set files back.
std::vector<std::int64_t> monotone_times(const std::vector<CommitFile>& commits);

}  // namespace lakemill::delta
