// What a table's log tells beyond its newest state: times, operations, single commits.
#include <algorithm>

#include "lakemill/delta/table_scan.h"
#include "lakemill/delta/table_state.h"

namespace lakemill::delta {

namespace {

std::string time_text(std::int64_t time_ms) {
  return format_instant(Instant(std::chrono::milliseconds(time_ms)));
}

Error too_early(std::int64_t wanted_ms, Version oldest, std::int64_t oldest_ms) {
  return {ErrorCode::not_found, "there is no version at or before " +
                                    time_text(wanted_ms) + "; the oldest is version " +
                                    std::to_string(oldest) + " of " +
                                    time_text(oldest_ms)};
}

// "version 5 (MERGE) removed rows (…): …"; `actions`: of that commit.
Error not_an_append(Version version, const std::vector<Action>& actions,
                    const std::string& what) {
  std::string operation;
  for (const Action& action : actions) {
    if (const auto* info = std::get_if<CommitInfo>(&action)) {
      operation = string_member(info->content, "operation", "");
    }
  }
  return {ErrorCode::invalid, "version " + std::to_string(version) + " " +
                                  (operation.empty() ? "" : "(" + operation + ") ") +
                                  what + ": it is not an append, so the rows that it " +
                                  "added cannot be read by themselves"};
}

// The files that one commit appended.
Status collect_appended(CommitActions commit, LogicalFiles& files) {
  LogicalFiles added;
  for (Action& action : commit.actions) {
    if (const auto* remove = std::get_if<RemoveFile>(&action)) {
      if (remove->data_change) {
        return not_an_append(commit.version, commit.actions,
                             "removed rows (" + remove->path + ")");
      }
    } else if (auto* add = std::get_if<AddFile>(&action)) {
      if (!add->data_change) continue;
      added.push_back(make_logical_file(std::move(*add), commit.version));
    }
  }
  std::move(added.begin(), added.end(), std::back_inserter(files));
  return {};
}

}  // namespace

Result<Version> Table::State::version_at(std::int64_t wanted_ms) {
  LAKEMILL_TRY(const auto newest, latest());
  LAKEMILL_TRY(LogListing listing, full_listing());
  const Version oldest = listing.oldest().value_or(0);
  const InCommitTimestamps own =
      in_commit_timestamps(newest->protocol(), newest->metadata());
  if (own.enabled && (own.since <= oldest || wanted_ms >= own.since_ms)) {
    return version_by_commit_info(std::max(oldest, own.since), newest->version(),
                                  wanted_ms);
  }
  const std::vector<std::int64_t> times = monotone_times(listing.commits);
  std::optional<Version> found;
  std::optional<std::size_t> first;
  for (std::size_t i = 0; i < times.size(); ++i) {
    const Version version = listing.commits[i].version;
    if (version < oldest || version > newest->version() || own.cover(version)) continue;
    if (!first) first = i;
    if (times[i] <= wanted_ms) found = version;
  }
  if (found) return *found;
  if (!first) return too_early(wanted_ms, newest->version(), newest->timestamp_ms());
  return too_early(wanted_ms, listing.commits[*first].version, times[*first]);
}

// Commits name ever later times, so the last one in time is found by halving.
Result<Version> Table::State::version_by_commit_info(Version oldest, Version newest,
                                                     std::int64_t wanted_ms) {
  const auto time_of = [&](Version version) -> Result<std::int64_t> {
    LAKEMILL_TRY(const Json info, reader_.read_commit_info(version));
    const std::int64_t time = integer_member(info, "inCommitTimestamp", -1);
    if (time >= 0) return time;
    return Error(ErrorCode::corrupt, "version " + std::to_string(version) +
                                         " lacks commitInfo.inCommitTimestamp");
  };
  LAKEMILL_TRY(const std::int64_t oldest_ms, time_of(oldest));
  if (oldest_ms > wanted_ms) return too_early(wanted_ms, oldest, oldest_ms);
  Version low = oldest;       // in time
  Version high = newest + 1;  // too late
  while (high - low > 1) {
    const Version middle = low + (high - low) / 2;
    LAKEMILL_TRY(const std::int64_t time_ms, time_of(middle));
    (time_ms <= wanted_ms ? low : high) = middle;
  }
  return low;
}

Result<std::vector<HistoryEntry>> Table::State::history(std::size_t count_max) {
  LAKEMILL_TRY(const auto newest, latest());
  LAKEMILL_TRY(const LogListing listing, full_listing());
  const InCommitTimestamps own =
      in_commit_timestamps(newest->protocol(), newest->metadata());
  const std::vector<std::int64_t> times = monotone_times(listing.commits);
  std::vector<HistoryEntry> entries;
  for (std::size_t i = times.size(); i > 0 && entries.size() < count_max; --i) {
    const Version version = listing.commits[i - 1].version;
    HistoryEntry entry{version, times[i - 1], "", Json::object()};
    LAKEMILL_TRY(entry.commit_info, reader_.read_commit_info(version));
    entry.operation = string_member(entry.commit_info, "operation", "");
    if (own.cover(version)) {
      entry.timestamp_ms =
          integer_member(entry.commit_info, "inCommitTimestamp", entry.timestamp_ms);
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

Result<std::vector<CommitActions>> Table::State::commits(Version from, Version to) {
  std::vector<CommitActions> all;
  for (Version version = from; version <= to; ++version) {
    LAKEMILL_TRY(std::vector<Action> actions, reader_.read_commit(version));
    all.push_back({version, std::move(actions)});
  }
  return all;
}

Result<std::shared_ptr<const data::TableScan>> Table::State::appended(Version from,
                                                                      Version to) {
  LAKEMILL_TRY(const auto snapshot, at_version(to));
  auto files = std::make_shared<LogicalFiles>();
  for (Version version = from; version <= to; ++version) {
    LAKEMILL_TRY(std::vector<Action> actions, reader_.read_commit(version));
    LAKEMILL_TRY_OK(collect_appended({version, std::move(actions)}, *files));
  }
  return make_table_scan(store_, snapshot->protocol(), snapshot->metadata(), to,
                         std::move(files));
}

}  // namespace lakemill::delta
