#pragma once

#include <cstdint>

#include "lakemill/delta/action.h"

namespace lakemill::delta {

// What a table's properties say about its upkeep; the protocol's defaults where they
// say nothing, or nothing that makes sense.

/// `delta.deletedFileRetentionDuration` (a week): how long files that were removed may
/// still be read by older versions.
std::int64_t deleted_file_retention_ms(const Metadata& metadata);

/// `delta.logRetentionDuration` (30 days): how long versions can be read at all.
std::int64_t log_retention_ms(const Metadata& metadata);

/// `delta.enableExpiredLogCleanup` (true).
bool log_cleanup_enabled(const Metadata& metadata);

/// `delta.checkpointInterval` (10): commits from one checkpoint to the next.
std::int64_t checkpoint_interval(const Metadata& metadata);

/// `delta.targetFileSize` ("128mb", "1073741824"); `fallback` where it is not set.
std::int64_t target_file_bytes(const Metadata& metadata, std::int64_t fallback);

}  // namespace lakemill::delta
