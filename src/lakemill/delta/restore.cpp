#include "lakemill/delta/restore.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "lakemill/base/text.h"
#include "lakemill/delta/clustering.h"
#include "lakemill/delta/deletion_vector.h"
#include "lakemill/delta/file_path.h"
#include "lakemill/delta/transaction.h"

namespace lakemill::delta {

namespace {

constexpr int kAttemptsMax = 10;
constexpr std::size_t kMissingShownMax = 5;

// What says how the log is to be read, and whose the table is: it stays as it is.
constexpr std::array kKeptProperties = {
    "delta.enableInCommitTimestamps",
    "delta.inCommitTimestampEnablementVersion",
    "delta.inCommitTimestampEnablementTimestamp",
    "delta.columnMapping.maxColumnId",
    "lakemill.flow",
};

std::string key_of(const AddFile& file) {
  std::string key = decoded_path(file.path);
  if (file.deletion_vector) {
    key.append(1, '\0').append(file.deletion_vector->unique_id());
  }
  return key;
}

struct Difference {
  std::vector<AddFile> back;
  std::vector<AddFile> gone;
};

Difference difference(const Snapshot& now, const Snapshot& then) {
  std::map<std::string, const AddFile*> held;
  for (const AddFile& file : now.files()) held[key_of(file)] = &file;
  Difference found;
  for (const AddFile& file : then.files()) {
    if (held.erase(key_of(file)) == 0) found.back.push_back(file);
  }
  for (const auto& [key, file] : held) found.gone.push_back(*file);
  return found;
}

Metadata restored_metadata(const Snapshot& now, const Snapshot& then) {
  Metadata metadata = then.metadata();
  metadata.id = now.metadata().id;
  metadata.created_time_ms = now.metadata().created_time_ms;
  for (const char* key : kKeptProperties) {
    metadata.configuration.erase(key);
    const auto held = now.metadata().configuration.find(key);
    if (held != now.metadata().configuration.end()) {
      metadata.configuration[key] = held->second;
    }
  }
  return metadata;
}

// Looks for every file that shall come back: vacuum may have taken some.
Status check_files(Table& table, const Snapshot& then,
                   const std::vector<AddFile>& files) {
  std::set<std::string> wanted;
  for (const AddFile& file : files) {
    const std::string path = decoded_path(file.path);
    const bool is_elsewhere = file_url("", path) == path;
    if (!is_elsewhere) wanted.insert(path);
    if (!file.deletion_vector || file.deletion_vector->storage_type == "i") continue;
    auto vector = deletion_vector_path(table.store(), *file.deletion_vector);
    if (vector) wanted.insert(std::move(*vector));
  }
  std::vector<std::string> missing;
  for (const std::string& path : wanted) {
    const auto info = table.store().head(path);
    if (info) continue;
    if (info.error().code() != ErrorCode::not_found) return info.error();
    missing.push_back(path);
  }
  if (missing.empty()) return {};
  const std::size_t shown = std::min(missing.size(), kMissingShownMax);
  const std::vector<std::string> names(missing.begin(),
                                       missing.begin() + std::ptrdiff_t(shown));
  const std::size_t others = missing.size() - shown;
  return Error(ErrorCode::not_found,
               "version " + std::to_string(then.version()) +
                   " cannot be restored: files of it were removed (by vacuum): " +
                   join(names, ", ") +
                   (others > 0 ? " and " + std::to_string(others) + " more" : "") +
                   "; choose a later version");
}

Json details_of(const RestoreRequest& request, const Snapshot& then,
                const Difference& found) {
  std::int64_t size = 0;
  for (const AddFile& file : then.files()) size += file.size_bytes;
  std::int64_t restored = 0;
  for (const AddFile& file : found.back) restored += file.size_bytes;
  std::int64_t removed = 0;
  for (const AddFile& file : found.gone) removed += file.size_bytes;
  Json parameters = Json::object();
  if (request.version) parameters["version"] = *request.version;
  if (request.timestamp) parameters["timestamp"] = format_instant(*request.timestamp);
  return {{"operationParameters", parameters},
          {"operationMetrics",
           {{"tableSizeAfterRestore", std::to_string(size)},
            {"numOfFilesAfterRestore", std::to_string(then.files().size())},
            {"numRestoredFiles", std::to_string(found.back.size())},
            {"numRemovedFiles", std::to_string(found.gone.size())},
            {"restoredFilesSize", std::to_string(restored)},
            {"removedFilesSize", std::to_string(removed)}}}};
}

}  // namespace

Result<RestoreResult> restore(Table& table, const RestoreRequest& request, Clock& clock,
                              Random& random) {
  if (request.version.has_value() == request.timestamp.has_value()) {
    return Error(ErrorCode::invalid,
                 "say to which version, or to which time, a table is restored");
  }
  LAKEMILL_TRY(const auto then, request.version ? table.at_version(*request.version)
                                                : table.at_time(*request.timestamp));
  std::string lost_to;
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    LAKEMILL_TRY(const auto now, table.latest());
    const Difference found = difference(*now, *then);
    Metadata metadata = restored_metadata(*now, *then);
    RestoreResult result{now->version(), then->version(), std::ssize(found.back),
                         std::ssize(found.gone)};
    LAKEMILL_TRY(const ClusteringColumns clustering, clustering_columns(*then));
    LAKEMILL_TRY(const ClusteringColumns clustered_now, clustering_columns(*now));
    if (found.back.empty() && found.gone.empty() && metadata == now->metadata() &&
        clustering == clustered_now) {
      return result;
    }
    LAKEMILL_TRY_OK(check_files(table, *then, found.back));
    Transaction transaction(table, now);
    if (metadata.partition_columns != now->metadata().partition_columns) {
      transaction.remove_all();  // no file is of both
    } else {
      for (const AddFile& file : found.gone) transaction.remove(removal_of(file));
    }
    for (AddFile file : found.back) {
      file.data_change = true;
      transaction.add(std::move(file));
    }
    if (clustering != clustered_now) {
      transaction.set_domain(clustering_domain(clustering));
    }
    if (metadata != now->metadata()) transaction.set_metadata(std::move(metadata));
    transaction.changes_follow_from_files();
    transaction.read(ReadScope::table);
    LAKEMILL_TRY(const CommitOutcome outcome,
                 transaction.commit("RESTORE", details_of(request, *then, found), clock,
                                    random));
    if (const auto* committed = std::get_if<Committed>(&outcome)) {
      result.version = committed->version;
      (void)maintain_log(table, committed->version);  // the next commit tries again
      return result;
    }
    if (const auto* undecided = std::get_if<Undecided>(&outcome)) {
      return Error(ErrorCode::unavailable,
                   "version " + std::to_string(undecided->version) + " of " +
                       table.store().url() +
                       " was sent and not answered: restore again");
    }
    lost_to = std::get<Conflicted>(outcome).reason;
  }
  return Error(ErrorCode::unavailable, "restore of " + table.store().url() +
                                           " lost every race, the last to " + lost_to);
}

}  // namespace lakemill::delta
