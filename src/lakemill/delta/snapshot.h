#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lakemill/base/clock.h"
#include "lakemill/data/table_scan.h"
#include "lakemill/delta/action.h"
#include "lakemill/delta/ports.h"
#include "lakemill/storage/object_store.h"

namespace lakemill::delta {

/// The state of a table at one version: what is left of the log after reconciliation.
///
/// Thread-safety: immutable.
/// Source: PROTOCOL.md, "Action Reconciliation".
class Snapshot {
 public:
  virtual ~Snapshot() = default;

  virtual Version version() const = 0;
  virtual std::int64_t timestamp_ms()
      const = 0;  ///< of the commit, as time travel counts it
  virtual const Protocol& protocol() const = 0;
  virtual const Metadata& metadata() const = 0;
  virtual const std::vector<AddFile>& files() const = 0;  ///< sorted by path
  /// Files that were removed and that the log still names, sorted by path: checkpoints
  /// keep those that have not expired.
  virtual std::vector<RemoveFile> tombstones() const = 0;
  /// How many actions a checkpoint of this version would hold at most.
  virtual std::size_t action_count() const = 0;
  /// The version that `app_id` last committed here, or nothing.
  virtual std::optional<std::int64_t> transaction(std::string_view app_id) const = 0;
  virtual std::vector<SetTransaction> transactions() const = 0;
  virtual std::vector<DomainMetadata> domains() const = 0;

  /// The rows of the table as files to read. Errors: unsupported (a reader feature that
  /// is not implemented, by name), corrupt (a deletion vector that cannot be read).
  virtual Result<std::shared_ptr<const data::TableScan>> scan() const = 0;
};

/// One entry of a table's history, as `commitInfo` tells it.
struct HistoryEntry {
  Version version = 0;
  std::int64_t timestamp_ms = 0;
  std::string operation;
  Json commit_info;

  /// True if the commit names another engine than Lakemill as the one that made it.
  bool is_foreign() const;
};

/// What one commit did, for those who follow a table.
struct CommitActions {
  Version version = 0;
  std::vector<Action> actions;
};

/// One Delta table in a store whose root is the table's root.
///
/// Keeps the newest snapshot and moves it forward by new log entries; nothing is read
/// twice. Borrows store and format, which must outlive it.
/// Thread-safety: concurrent calls are allowed.
class Table {
 public:
  Table(std::shared_ptr<storage::ObjectStore> store, CheckpointFormat& format);
  ~Table();

  storage::ObjectStore& store() const;
  CheckpointFormat& format() const;

  /// The newest snapshot. Errors: not_found (no table here), corrupt (naming the
  /// version and what is wrong: a gap, a missing protocol, a bad line), unsupported,
  /// unavailable.
  Result<std::shared_ptr<const Snapshot>> latest();
  /// The snapshot at `version`. Errors: as above; not_found if it lies outside the log,
  /// with the range there is.
  Result<std::shared_ptr<const Snapshot>> at_version(Version version);
  /// The newest snapshot committed at or before `instant`.
  Result<std::shared_ptr<const Snapshot>> at_time(Instant instant);

  /// Entries newest first, at most `count_max`.
  Result<std::vector<HistoryEntry>> history(std::size_t count_max);

  /// The actions of commits `from`..`to`, both included. Errors: not_found naming the
  /// version that is gone.
  Result<std::vector<CommitActions>> commits(Version from, Version to);

  /// The rows that commits `from`..`to` appended, as files to read (schema of `to`).
  /// Errors: invalid, naming the version, if one of them removed rows or replaced the
  /// table (commits that only rearrange rows, dataChange false, are passed over).
  Result<std::shared_ptr<const data::TableScan>> appended(Version from, Version to);

  /// The rows that commits `from`..`to` changed, as files to read: the columns of
  /// version `to`, then `_change_type` ("insert", "delete", "update_preimage",
  /// "update_postimage"), `_commit_version` and `_commit_timestamp`. From change files
  /// where a commit has some; else from the files that it added and removed, and from
  /// what their deletion vectors differ in. Commits that only rearrange rows give none.
  /// Applied to version `from` - 1 in the order of versions, deletions first, they make
  /// version `to`.
  /// Errors: not_found (a version that was cleaned away, with the oldest there is),
  /// invalid, naming the version: one that rewrote files without keeping changes, one
  /// that changed the schema so that older rows have no place in it; a table that has a
  /// column of those names.
  Result<std::shared_ptr<const data::TableScan>> changes(Version from, Version to);

 private:
  class State;
  std::unique_ptr<State> state_;
};

/// True if a folder holds a Delta log. Errors: unavailable.
Result<bool> table_exists(storage::ObjectStore& store);

}  // namespace lakemill::delta
