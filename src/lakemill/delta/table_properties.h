#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "lakemill/base/result.h"
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

/// Whether properties that are to be set on a table are ones that Delta knows, with
/// values that they can have; names that do not begin with `delta.` are the user's own.
/// Errors: invalid, naming the property, what is wrong with it and what to write.
Status check_properties(const std::map<std::string, std::string>& properties);

}  // namespace lakemill::delta
