#include "lakemill/delta/log_cleanup.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "lakemill/delta/commit_times.h"
#include "lakemill/delta/file_path.h"
#include "lakemill/delta/log_reader.h"
#include "lakemill/delta/protocol.h"
#include "lakemill/delta/table_properties.h"

namespace lakemill::delta {

namespace {

constexpr std::int64_t kDayMs = 24LL * 60 * 60 * 1000;
constexpr std::string_view kLogFolder = "_delta_log/";
constexpr std::string_view kSidecarFolder = "_delta_log/_sidecars/";
constexpr std::size_t kVersionDigits = 20;

std::int64_t midnight_before(std::int64_t time_ms) {
  return time_ms - (time_ms % kDayMs + kDayMs) % kDayMs;
}

// The newest checkpoint that is no newer than the newest commit of `cutoff_ms` or
// before.
const CheckpointFiles* cutoff_checkpoint(const LogListing& listing,
                                         std::int64_t cutoff_ms) {
  const std::vector<std::int64_t> times = monotone_times(listing.commits);
  std::optional<Version> cutoff;
  for (std::size_t i = 0; i < times.size() && times[i] <= cutoff_ms; ++i) {
    cutoff = listing.commits[i].version;
  }
  if (!cutoff) return nullptr;
  const auto behind = std::find_if(
      listing.checkpoints.begin(), listing.checkpoints.end(),
      [&](const CheckpointFiles& checkpoint) { return checkpoint.version > *cutoff; });
  return behind == listing.checkpoints.begin() ? nullptr : &*std::prev(behind);
}

struct ExpiredEntries {
  std::vector<std::string> others;   // checkpoints, checksums, compacted entries
  std::vector<std::string> commits;  // ascending
};

// Everything of a version before `oldest`, and compacted entries that begin there.
ExpiredEntries expired_entries(const std::vector<storage::ObjectInfo>& objects,
                               Version oldest) {
  ExpiredEntries expired;
  for (const storage::ObjectInfo& info : objects) {
    const std::string_view name = std::string_view(info.path).substr(kLogFolder.size());
    if (name.size() <= kVersionDigits || name[kVersionDigits] != '.') continue;
    Version version = 0;
    const char* end = name.data() + kVersionDigits;
    const auto read = std::from_chars(name.data(), end, version);
    if (read.ec != std::errc() || read.ptr != end || version > oldest) continue;
    if (name.ends_with(".compacted.json")) {
      expired.others.push_back(info.path);
    } else if (version < oldest) {
      const bool is_commit = info.path == commit_path(version);
      (is_commit ? expired.commits : expired.others).push_back(info.path);
    }
  }
  return expired;
}

std::string_view file_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

// Sidecars that no checkpoint of `kept` names, from the day before yesterday or older.
Result<std::vector<std::string>> expired_sidecars(
    Table& table, const std::vector<CheckpointFiles>& kept, std::int64_t now_ms) {
  LAKEMILL_TRY(const auto sidecars, table.store().list(kSidecarFolder, ""));
  std::vector<std::string> expired;
  if (sidecars.empty()) return expired;
  std::set<std::string, std::less<>> named;
  for (const CheckpointFiles& checkpoint : kept) {
    for (const storage::ObjectInfo& part : checkpoint.parts) {
      LAKEMILL_TRY(const std::string text,
                   part.path.ends_with(".json")
                       ? table.store().get(part.path)
                       : table.format().read(file_url(table.store().url(), part.path)));
      LAKEMILL_TRY_OK(for_each_action(text, [&](const Action& action) {
        const auto* sidecar = std::get_if<Sidecar>(&action);
        if (sidecar == nullptr) return;
        named.emplace(file_name(decoded_path(sidecar->path)));
      }));
    }
  }
  const std::int64_t before_ms = midnight_before(now_ms) - kDayMs;
  for (const storage::ObjectInfo& info : sidecars) {
    if (info.modified_ms < before_ms && !named.contains(file_name(info.path))) {
      expired.push_back(info.path);
    }
  }
  return expired;
}

}  // namespace

Result<LogCleanup> clean_log(Table& table, Instant now) {
  LogCleanup done;
  LAKEMILL_TRY(const auto snapshot, table.latest());
  LAKEMILL_TRY_OK(check_writable(snapshot->protocol(), snapshot->metadata()));
  storage::ObjectStore& store = table.store();
  LAKEMILL_TRY(const auto objects, store.list(std::string(kLogFolder) + "0", ""));
  const LogListing listing = to_listing(objects);
  const std::int64_t cutoff_ms =
      midnight_before(to_epoch_ms(now) - log_retention_ms(snapshot->metadata()));
  const CheckpointFiles* oldest = cutoff_checkpoint(listing, cutoff_ms);
  if (oldest == nullptr) return done;
  done.oldest = oldest->version;
  const ExpiredEntries expired = expired_entries(objects, oldest->version);
  if (expired.commits.empty() && expired.others.empty()) return done;

  LogListing rest;
  rest.checkpoints.push_back(*oldest);
  Result<TableState> oldest_state =
      LogReader(store, table.format()).build(rest, oldest->version);
  if (!oldest_state) {
    return std::move(oldest_state)
        .error()
        .while_doing("clean the log of " + store.url());
  }
  std::vector<CheckpointFiles> kept;
  for (const CheckpointFiles& checkpoint : listing.checkpoints) {
    if (checkpoint.version >= oldest->version) kept.push_back(checkpoint);
  }
  // Commits go in their order: what is left never begins in the middle of the log and
  // ends before the checkpoint.
  for (const auto& paths : {expired.others, expired.commits}) {
    for (const std::string& path : paths) {
      LAKEMILL_TRY_OK(store.remove(path));
      ++done.removed;
    }
  }
  LAKEMILL_TRY(const auto sidecars, expired_sidecars(table, kept, to_epoch_ms(now)));
  for (const std::string& path : sidecars) {
    LAKEMILL_TRY_OK(store.remove(path));
    ++done.removed;
  }
  return done;
}

}  // namespace lakemill::delta
