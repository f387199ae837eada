#pragma once

#include "lakemill/delta/log_segment.h"
#include "lakemill/delta/ports.h"
#include "lakemill/delta/replay.h"
#include "lakemill/storage/object_store.h"

namespace lakemill::delta {

/// Reads log entries and checkpoints of one table.
///
/// Thread-safety: concurrent calls are allowed. Borrows store and format.
class LogReader {
 public:
  LogReader(storage::ObjectStore& store, CheckpointFormat& format)
      : store_(store), format_(format) {}

  /// The newest version that `listing` gives, at most `wanted`: from the newest
  /// checkpoint that can be read and the commits behind it. Errors: corrupt,
  /// not_found (outside of the log, with the range there is), unsupported, unavailable.
  Result<TableState> build(const LogListing& listing, std::optional<Version> wanted);

  /// `base` and the commits behind it, which must be contiguous.
  Result<TableState> advance(const TableState& base,
                             const std::vector<CommitFile>& commits);

  /// All actions of one commit. Errors: not_found, corrupt.
  Result<std::vector<Action>> read_commit(Version version);

  /// The commitInfo of one commit, or an empty object if it has none.
  Result<Json> read_commit_info(Version version);

 private:
  /// The state that `replay` and the segment's commits make.
  Result<TableState> build_on(Replay replay, const LogSegment& segment);
  Status replay_commit(Version version, Result<std::string> text, Replay& replay);
  Status replay_checkpoint(const CheckpointFiles& checkpoint, Replay& replay);
  Status replay_part(std::string_view path, Replay& replay,
                     std::vector<std::string>* sidecars);

  storage::ObjectStore& store_;
  CheckpointFormat& format_;
};

}  // namespace lakemill::delta
