#include "lakemill/delta/vacuum.h"

#include <algorithm>
#include <set>

#include "lakemill/base/text.h"
#include "lakemill/delta/change_feed.h"
#include "lakemill/delta/commit_times.h"
#include "lakemill/delta/deletion_vector.h"
#include "lakemill/delta/file_path.h"
#include "lakemill/delta/file_place.h"
#include "lakemill/delta/log_reader.h"
#include "lakemill/delta/protocol.h"
#include "lakemill/delta/table_properties.h"
#include "lakemill/delta/transaction.h"

namespace lakemill::delta {

namespace {

constexpr std::int64_t kHourMs = 60LL * 60 * 1000;
constexpr int kCommitAttemptsMax = 10;

std::string hours_text(std::int64_t time_ms) {
  return std::to_string((time_ms + kHourMs - 1) / kHourMs) + " hours";
}

/// Paths that versions of the retention name, relative to the root.
class NamedFiles {
 public:
  explicit NamedFiles(storage::ObjectStore& store)
      : store_(store), places_(store.url()) {}

  Status add(const std::string& log_path,
             const std::optional<DeletionVectorDescriptor>& vector) {
    LAKEMILL_TRY_OK(add_path(decoded_path(log_path)));
    if (!vector || vector->storage_type == "i") return {};
    auto file = deletion_vector_path(store_, *vector);
    if (file) LAKEMILL_TRY_OK(add_path(std::move(*file)));
    if (vector->storage_type == "p") {
      return add_path(decoded_path(vector->path_or_inline));
    }
    return file ? Status() : Status(std::move(file).error());
  }

  Status add_snapshot(const Snapshot& snapshot, std::int64_t since_ms) {
    for (const AddFile& file : snapshot.files()) {
      LAKEMILL_TRY_OK(add(file.path, file.deletion_vector));
    }
    for (const RemoveFile& file : snapshot.tombstones()) {
      if (file.deletion_timestamp_ms.value_or(0) < since_ms) continue;
      LAKEMILL_TRY_OK(add(file.path, file.deletion_vector));
    }
    return {};
  }

  /// Checkpoints forget removed files and change files; commits name them.
  Status add_commits(Table& table, std::int64_t since_ms) {
    LAKEMILL_TRY(const LogListing listing, list_log(table.store(), 0));
    const std::vector<std::int64_t> times = monotone_times(listing.commits);
    LogReader reader(table.store(), table.format());
    for (std::size_t i = times.size(); i > 0 && times[i - 1] >= since_ms; --i) {
      auto actions = reader.read_commit(listing.commits[i - 1].version);
      if (!actions && actions.error().code() == ErrorCode::not_found) break;
      if (!actions) return std::move(actions).error();
      for (const Action& action : *actions) LAKEMILL_TRY_OK(add_action(action));
    }
    return {};
  }

  bool contains(const std::string& path) const { return paths_.contains(path); }

 private:
  Status add_action(const Action& action) {
    if (const auto* file = std::get_if<AddFile>(&action)) {
      return add(file->path, file->deletion_vector);
    }
    if (const auto* removed = std::get_if<RemoveFile>(&action)) {
      return add(removed->path, removed->deletion_vector);
    }
    if (const auto* cdc = std::get_if<AddCdcFile>(&action)) {
      return add(cdc->path, std::nullopt);
    }
    return {};
  }

  Status add_path(std::string path) {
    LAKEMILL_TRY(std::optional<std::string> place, places_.find(path));
    if (place) paths_.insert(std::move(*place));
    paths_.insert(std::move(path));
    return {};
  }

  storage::ObjectStore& store_;
  FilePlaces places_;
  std::set<std::string> paths_;
};

// Whether vacuum passes over a file or folder of that name.
bool is_hidden(std::string_view name, const std::vector<std::string>& partitions) {
  if (!name.starts_with('_') && !name.starts_with('.')) return false;
  if (name == kChangeFolder) return false;
  return std::ranges::none_of(partitions, [&](const std::string& column) {
    return name.starts_with(column + "=");
  });
}

bool is_hidden_path(std::string_view path, const std::vector<std::string>& partitions) {
  for (const std::string& part : split(path, '/')) {
    if (is_hidden(part, partitions)) return true;
  }
  return false;
}

std::vector<std::string> partition_names(const Metadata& metadata) {
  std::vector<std::string> names = metadata.partition_columns;
  for (const std::string& column : metadata.partition_columns) {
    const data::Field* field = metadata.schema.find(column);
    if (field == nullptr) continue;
    names.push_back(
        string_member(field->metadata, "delta.columnMapping.physicalName", column));
  }
  return names;
}

// Folders below the root that are tables of their own, each with '/' at the end.
std::vector<std::string> inner_tables(const std::vector<storage::ObjectInfo>& objects) {
  constexpr std::string_view kLog = "/_delta_log/";
  std::vector<std::string> folders;
  for (const storage::ObjectInfo& info : objects) {
    const std::size_t log = info.path.find(kLog);
    if (log == std::string::npos) continue;
    std::string folder = info.path.substr(0, log + 1);
    if (folders.empty() || folders.back() != folder) {
      folders.push_back(std::move(folder));
    }
  }
  return folders;
}

struct Candidates {
  std::vector<storage::ObjectInfo> files;
  std::int64_t folders = 0;
};

Result<Candidates> old_files(Table& table, const Metadata& metadata,
                             std::int64_t before_ms) {
  LAKEMILL_TRY(auto objects, table.store().list("", ""));
  const std::vector<std::string> partitions = partition_names(metadata);
  const std::vector<std::string> inner = inner_tables(objects);
  Candidates candidates;
  std::set<std::string> folders;
  for (storage::ObjectInfo& info : objects) {
    if (is_hidden_path(info.path, partitions)) continue;
    const bool is_inner = std::ranges::any_of(inner, [&](const std::string& folder) {
      return info.path.starts_with(folder);
    });
    if (is_inner) continue;
    const std::size_t slash = info.path.rfind('/');
    folders.insert(slash == std::string::npos ? "" : info.path.substr(0, slash));
    if (info.modified_ms < before_ms) candidates.files.push_back(std::move(info));
  }
  candidates.folders = static_cast<std::int64_t>(folders.size());
  return candidates;
}

// A commit without any change of the table, put behind whatever comes between.
Status commit_note(Table& table, std::string_view operation, const Json& details,
                   Clock& clock, Random& random) {
  std::string lost_to;
  for (int attempt = 0; attempt < kCommitAttemptsMax; ++attempt) {
    LAKEMILL_TRY(const auto base, table.latest());
    Transaction transaction(table, base);
    LAKEMILL_TRY(const CommitOutcome outcome,
                 transaction.commit(operation, details, clock, random));
    if (const auto* lost = std::get_if<Conflicted>(&outcome)) {
      lost_to = lost->reason;
      continue;
    }
    if (const auto* committed = std::get_if<Committed>(&outcome)) {
      (void)maintain_log(table, committed->version);  // the next one tries again
    }
    return {};
  }
  return Error(ErrorCode::unavailable, "lost every race to commit " +
                                           std::string(operation) + ", the last to " +
                                           lost_to);
}

Result<std::int64_t> retention_of(const Metadata& metadata,
                                  const VacuumRequest& request) {
  const std::int64_t table_ms = deleted_file_retention_ms(metadata);
  const std::int64_t retain_ms = request.retain_ms.value_or(table_ms);
  if (retain_ms >= table_ms || request.force) return retain_ms;
  return Error(ErrorCode::invalid,
               "vacuum would keep files for " + hours_text(retain_ms) +
                   ", the table says " + hours_text(table_ms) +
                   " (delta.deletedFileRetentionDuration): readers of older versions "
                   "and commits under way could lose files; say --force if there are "
                   "none");
}

// operationParameters of the first of both commits.
Json start_details(const VacuumRequest& request, const Metadata& metadata,
                   const VacuumResult& result) {
  Json parameters = {{"retentionCheckEnabled", !request.force},
                     {"defaultRetentionMillis", deleted_file_retention_ms(metadata)}};
  if (request.retain_ms) parameters["specifiedRetentionMillis"] = *request.retain_ms;
  return {{"operationParameters", parameters},
          {"operationMetrics",
           {{"numFilesToDelete", std::to_string(result.paths.size())},
            {"sizeOfDataToDelete", std::to_string(result.size_bytes)}}}};
}

Result<VacuumResult> find_unnamed(Table& table, const Snapshot& snapshot,
                                  std::int64_t cutoff_ms) {
  VacuumResult result;
  LAKEMILL_TRY(const Candidates candidates,
               old_files(table, snapshot.metadata(), cutoff_ms));
  result.folders = candidates.folders;
  if (candidates.files.empty()) return result;
  NamedFiles named(table.store());
  Status added = named.add_snapshot(snapshot, cutoff_ms);
  if (added) added = named.add_commits(table, cutoff_ms);
  if (!added) return std::move(added).error().while_doing("vacuum");
  for (const storage::ObjectInfo& info : candidates.files) {
    if (named.contains(info.path)) continue;
    result.paths.push_back(info.path);
    result.size_bytes += info.size_bytes;
  }
  return result;
}

}  // namespace

Result<VacuumResult> vacuum(Table& table, const VacuumRequest& request, Clock& clock,
                            Random& random) {
  const std::int64_t now_ms = to_epoch_ms(clock.now());
  LAKEMILL_TRY(const auto snapshot, table.latest());
  LAKEMILL_TRY_OK(check_writable(snapshot->protocol(), snapshot->metadata()));
  LAKEMILL_TRY(const std::int64_t retain_ms,
               retention_of(snapshot->metadata(), request));
  LAKEMILL_TRY(const VacuumResult result,
               find_unnamed(table, *snapshot, now_ms - retain_ms));
  if (request.dry_run) return result;

  LAKEMILL_TRY_OK(commit_note(table, "VACUUM START",
                              start_details(request, snapshot->metadata(), result),
                              clock, random));
  Status removed;
  std::size_t count = 0;
  for (; count < result.paths.size() && removed; ++count) {
    removed = table.store().remove(result.paths[count]);
  }
  const Json end_details = {
      {"operationParameters", {{"status", removed ? "COMPLETED" : "FAILED"}}},
      {"operationMetrics",
       {{"numDeletedFiles", std::to_string(count)},
        {"numVacuumedDirectories", std::to_string(result.folders)}}}};
  Status told = commit_note(table, "VACUUM END", end_details, clock, random);
  if (!removed) return std::move(removed).error().while_doing("vacuum");
  if (!told) return std::move(told).error();
  return result;
}

}  // namespace lakemill::delta
