#include <algorithm>

#include "lakemill/delta/table_scan.h"
#include "lakemill/delta/table_state.h"

namespace lakemill::delta {

Table::Table(std::shared_ptr<storage::ObjectStore> store, CheckpointFormat& format)
    : state_(std::make_unique<State>(std::move(store), format)) {}
Table::~Table() = default;

storage::ObjectStore& Table::store() const { return state_->store(); }
CheckpointFormat& Table::format() const { return state_->format(); }

namespace {

// Puts the table in front of what is wrong with it.
template <typename T>
Result<T> of_table(storage::ObjectStore& store, Result<T> result) {
  if (result) return result;
  return std::move(result).error().while_doing("Delta table " + store.url());
}

Result<std::shared_ptr<const Snapshot>> of_table(
    storage::ObjectStore& store, Result<std::shared_ptr<const TableSnapshot>> result) {
  if (!result) {
    return std::move(result).error().while_doing("Delta table " + store.url());
  }
  return std::shared_ptr<const Snapshot>(std::move(result).value());
}

}  // namespace

Result<std::shared_ptr<const Snapshot>> Table::latest() {
  return of_table(store(), state_->latest());
}

Result<std::shared_ptr<const Snapshot>> Table::at_version(Version version) {
  return of_table(store(), state_->at_version(version));
}

Result<std::shared_ptr<const Snapshot>> Table::at_time(Instant instant) {
  const Result<Version> version =
      of_table(store(), state_->version_at(to_epoch_ms(instant)));
  if (!version) return version.error();
  return at_version(*version);
}

Result<std::vector<HistoryEntry>> Table::history(std::size_t count_max) {
  return of_table(store(), state_->history(count_max));
}

Result<std::vector<CommitActions>> Table::commits(Version from, Version to) {
  return of_table(store(), state_->commits(from, to));
}

Result<std::shared_ptr<const data::TableScan>> Table::appended(Version from,
                                                               Version to) {
  return of_table(store(), state_->appended(from, to));
}

Result<std::shared_ptr<const data::TableScan>> Table::changes(Version from,
                                                              Version to) {
  return of_table(store(), state_->changes(from, to));
}

Result<bool> table_exists(storage::ObjectStore& store) {
  LAKEMILL_TRY(const LogListing listing, list_log(store, 0));
  return !listing.empty();
}

Result<LogListing> Table::State::full_listing() {
  LAKEMILL_TRY(LogListing listing, list_log(*store_, 0));
  if (listing.empty()) {
    return Error(ErrorCode::not_found,
                 "no Delta table here: its folder _delta_log holds no commit");
  }
  return listing;
}

Result<std::shared_ptr<const TableSnapshot>> Table::State::latest() {
  const std::lock_guard lock(mutex_);
  return latest_locked();
}

Result<std::shared_ptr<const TableSnapshot>> Table::State::latest_locked() {
  if (kept_) {
    LAKEMILL_TRY(auto moved, advance_kept());
    if (moved) return moved;
    kept_ = nullptr;
    held_.clear();
  }
  return reload();
}

// Two looks at single objects, where a long log makes a listing dear.
Result<bool> Table::State::kept_is_newest() {
  const Result<storage::ObjectInfo> next =
      store_->head(commit_path(kept_->version() + 1));
  if (next) return false;
  if (next.error().code() != ErrorCode::not_found) return next.error();
  const Result<storage::ObjectInfo> own = store_->head(commit_path(kept_->version()));
  if (own) return own->etag == kept_etag_;
  if (own.error().code() != ErrorCode::not_found) return own.error();
  return false;
}

Result<LogListing> Table::State::commits_from(Version version) {
  constexpr Version kLookUpsMax = 16;
  LogListing listing;
  for (Version next = version; next < version + kLookUpsMax; ++next) {
    Result<storage::ObjectInfo> info = store_->head(commit_path(next));
    if (!info && info.error().code() == ErrorCode::not_found) return listing;
    if (!info) return std::move(info).error();
    listing.commits.push_back({next, std::move(*info)});
  }
  return list_log(*store_, version);
}

Result<std::shared_ptr<const TableSnapshot>> Table::State::advance_kept() {
  const std::shared_ptr<const TableSnapshot> gone;
  const Version version = kept_->version();
  LAKEMILL_TRY(const bool unchanged, kept_is_newest());
  if (unchanged) return kept_;
  LAKEMILL_TRY(const LogListing listing, commits_from(version));
  // The commit that the kept snapshot ends with must still be the same: a table may
  // have been dropped and made anew.
  const CommitFile* own = listing.find_commit(version);
  if (own == nullptr || own->info.etag != kept_etag_) return gone;
  if (listing.newest() == version) return kept_;
  const std::vector<CommitFile> behind(listing.commits.begin() + 1,
                                       listing.commits.end());
  for (std::size_t i = 0; i < behind.size(); ++i) {
    if (behind[i].version != version + 1 + static_cast<Version>(i)) return gone;
  }
  if (behind.empty() || behind.back().version != listing.newest()) return gone;
  Result<TableState> state = reader_.advance(kept_->state(), behind);
  if (!state && state.error().code() == ErrorCode::not_found) return gone;
  if (!state) return std::move(state).error();
  LAKEMILL_TRY(auto snapshot, make_snapshot(listing, std::move(*state)));
  keep(listing, snapshot);
  return snapshot;
}

Result<std::shared_ptr<const TableSnapshot>> Table::State::reload() {
  LAKEMILL_TRY(auto hinted, reload_from_hint());
  if (hinted) return hinted;
  LAKEMILL_TRY(LogListing listing, full_listing());
  Result<TableState> state = reader_.build(listing, std::nullopt);
  if (!state && state.error().code() == ErrorCode::not_found) {
    // A clean-up of the log may have taken entries after they were listed.
    LAKEMILL_TRY(listing, full_listing());
    state = reader_.build(listing, std::nullopt);
  }
  if (!state) return std::move(state).error();
  LAKEMILL_TRY(auto snapshot, make_snapshot(listing, std::move(*state)));
  keep(listing, snapshot);
  return snapshot;
}

// Null if _last_checkpoint does not lead to a snapshot: then the whole log decides.
Result<std::shared_ptr<const TableSnapshot>> Table::State::reload_from_hint() {
  const std::shared_ptr<const TableSnapshot> none;
  LAKEMILL_TRY(const std::optional<Version> hint, last_checkpoint_hint(*store_));
  if (!hint) return none;
  LAKEMILL_TRY(const LogListing listing, list_log(*store_, *hint));
  if (listing.checkpoints.empty()) return none;
  Result<TableState> state = reader_.build(listing, std::nullopt);
  if (!state) {
    const ErrorCode code = state.error().code();
    if (code == ErrorCode::not_found || code == ErrorCode::corrupt ||
        code == ErrorCode::invalid) {
      return none;
    }
    return std::move(state).error();
  }
  LAKEMILL_TRY(auto snapshot, make_snapshot(listing, std::move(*state)));
  keep(listing, snapshot);
  return snapshot;
}

void Table::State::keep(const LogListing& listing,
                        std::shared_ptr<const TableSnapshot> snapshot) {
  const CommitFile* commit = listing.find_commit(snapshot->version());
  kept_etag_ = commit == nullptr ? "" : commit->info.etag;
  kept_ = std::move(snapshot);
}

Result<std::shared_ptr<const TableSnapshot>> Table::State::make_snapshot(
    const LogListing& listing, TableState state) {
  LAKEMILL_TRY(const std::int64_t timestamp_ms, commit_time(listing, state));
  std::shared_ptr<const TableSnapshot> snapshot =
      std::make_shared<TableSnapshot>(store_, std::move(state), timestamp_ms);
  std::erase_if(held_, [](const auto& entry) { return entry.second.expired(); });
  held_[snapshot->version()] = snapshot;
  return snapshot;
}

Result<std::int64_t> Table::State::commit_time(const LogListing& listing,
                                               const TableState& state) {
  const CommitFile* commit = listing.find_commit(state.version);
  const InCommitTimestamps own = in_commit_timestamps(*state.protocol, *state.metadata);
  if (own.cover(state.version)) {
    if (state.in_commit_timestamp_ms) return *state.in_commit_timestamp_ms;
    if (commit != nullptr) {
      LAKEMILL_TRY(const Json info, reader_.read_commit_info(state.version));
      const std::int64_t time = integer_member(info, "inCommitTimestamp", -1);
      if (time >= 0) return time;
    }
  }
  if (commit != nullptr) {
    const std::vector<std::int64_t> times = monotone_times(listing.commits);
    return times[static_cast<std::size_t>(commit - listing.commits.data())];
  }
  for (const CheckpointFiles& checkpoint : listing.checkpoints) {
    if (checkpoint.version == state.version) return checkpoint.parts[0].modified_ms;
  }
  return 0;
}

Result<std::shared_ptr<const TableSnapshot>> Table::State::at_version(Version version) {
  const std::lock_guard lock(mutex_);
  if (const auto held = held_.find(version); held != held_.end()) {
    if (auto snapshot = held->second.lock()) return snapshot;
  }
  if (!kept_ || version > kept_->version()) {
    // A newest version that cannot be built says nothing about older ones.
    auto newest = latest_locked();
    const bool broken = !newest && (newest.error().code() == ErrorCode::corrupt ||
                                    newest.error().code() == ErrorCode::unsupported);
    if (!newest && !broken) return newest;
    if (newest && (*newest)->version() == version) return newest;
  }
  LAKEMILL_TRY(const LogListing listing, full_listing());
  LAKEMILL_TRY(TableState state, reader_.build(listing, version));
  return make_snapshot(listing, std::move(state));
}

}  // namespace lakemill::delta
