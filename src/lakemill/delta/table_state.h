#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "lakemill/delta/commit_times.h"
#include "lakemill/delta/log_reader.h"
#include "lakemill/delta/table_snapshot.h"

namespace lakemill::delta {

/// What a Table keeps: its newest snapshot, and the ones that others still hold.
///
/// Thread-safety: concurrent calls are allowed; loading is one at a time.
class Table::State {
 public:
  State(std::shared_ptr<storage::ObjectStore> store, CheckpointFormat& format)
      : store_(std::move(store)), format_(format), reader_(*store_, format) {}

  storage::ObjectStore& store() const { return *store_; }
  CheckpointFormat& format() const { return format_; }

  Result<std::shared_ptr<const TableSnapshot>> latest();
  Result<std::shared_ptr<const TableSnapshot>> at_version(Version version);
  /// The version that time travel to `wanted_ms` means.
  Result<Version> version_at(std::int64_t wanted_ms);
  Result<std::vector<HistoryEntry>> history(std::size_t count_max);
  Result<std::vector<CommitActions>> commits(Version from, Version to);
  Result<std::shared_ptr<const data::TableScan>> appended(Version from, Version to);
  Result<std::shared_ptr<const data::TableScan>> changes(Version from, Version to);

 private:
  class SchemaWatch;
  using SnapshotResult = Result<std::shared_ptr<const TableSnapshot>>;

  /// The whole log; not_found if there is none.
  Result<LogListing> full_listing();
  /// Fills in what other writers leave out of removals.
  Status complete_removals(Version version, std::vector<Action>& actions);
  /// The log from `from` on, which must be in it.
  Result<LogListing> changes_listing(Version from, Version to);
  SnapshotResult latest_locked();
  /// Whether nothing came after the kept snapshot.
  Result<bool> kept_is_newest();
  /// The kept snapshot moved forward; null if it no longer fits the log.
  SnapshotResult advance_kept();
  /// Commit `version` and those behind it. A few are looked up one by one: where a log
  /// is long, a listing costs more than all else.
  Result<LogListing> commits_from(Version version);
  SnapshotResult reload();
  SnapshotResult reload_from_hint();
  SnapshotResult make_snapshot(const LogListing& listing, TableState state);
  Result<std::int64_t> commit_time(const LogListing& listing, const TableState& state);
  void keep(const LogListing& listing, std::shared_ptr<const TableSnapshot> snapshot);
  Result<Version> version_by_commit_info(Version oldest, Version newest,
                                         std::int64_t wanted_ms);

  std::shared_ptr<storage::ObjectStore> store_;
  CheckpointFormat& format_;
  LogReader reader_;
  std::mutex mutex_;
  std::shared_ptr<const TableSnapshot> kept_;  // guarded by mutex_
  std::string kept_etag_;  // of its commit, "" if that is gone; guarded by mutex_
  std::map<Version, std::weak_ptr<const TableSnapshot>> held_;  // guarded by mutex_
};

}  // namespace lakemill::delta
