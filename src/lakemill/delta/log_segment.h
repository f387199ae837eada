#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lakemill/delta/action.h"
#include "lakemill/storage/object_store.h"

namespace lakemill::delta {

/// "_delta_log/00000000000000000007.json".
std::string commit_path(Version version);

/// One commit, as the listing shows it.
struct CommitFile {
  Version version = 0;
  storage::ObjectInfo info;
};

/// One complete checkpoint: a file, or all parts of a multi-part one, in order.
struct CheckpointFiles {
  Version version = 0;
  std::vector<storage::ObjectInfo> parts;
};

/// What a table's log folder holds, from some version on. Version checksums, log
/// compactions and incomplete checkpoints are left out.
struct LogListing {
  std::vector<CommitFile> commits;           ///< ascending
  std::vector<CheckpointFiles> checkpoints;  ///< ascending; a version may have several

  bool empty() const { return commits.empty() && checkpoints.empty(); }
  /// The newest version there is; not for an empty listing.
  Version newest() const;
  /// The oldest version that can be built: 0, or that of the oldest checkpoint; nothing
  /// if there is neither.
  std::optional<Version> oldest() const;
  /// The commit of that version, or null.
  const CommitFile* find_commit(Version version) const;
};

/// Lists the log from `from` on (0: all of it). Errors: those of the store.
Result<LogListing> list_log(storage::ObjectStore& store, Version from);

/// The listing that these objects (sorted by path) make.
LogListing to_listing(const std::vector<storage::ObjectInfo>& objects);

/// The version that _last_checkpoint names. A hint only: nothing if it is absent or
/// makes no sense. Errors: denied, unavailable.
Result<std::optional<Version>> last_checkpoint_hint(storage::ObjectStore& store);

/// What must be read to build one version: a checkpoint, if any, and the commits behind
/// it.
struct LogSegment {
  Version version = 0;
  const CheckpointFiles* checkpoint = nullptr;  ///< borrowed from the listing
  std::vector<CommitFile> commits;              ///< contiguous, ascending
};

/// Errors: corrupt, naming the first commit that is missing.
Result<LogSegment> make_segment(const LogListing& listing, Version version,
                                const CheckpointFiles* checkpoint);

}  // namespace lakemill::delta
