#include <array>
#include <chrono>
#include <cstdio>

#include "lakemill/base/text.h"
#include "lakemill/delta/log_cleanup.h"
#include "lakemill/delta/protocol.h"
#include "lakemill/delta/table_properties.h"
#include "lakemill/delta/transaction.h"

namespace lakemill::delta {

namespace {

constexpr std::string_view kLastCheckpoint = "_delta_log/_last_checkpoint";
// A checkpoint holds everything: where a table has much, more commits go by from one to
// the next, so that they cost each commit no more than writing so many actions.
constexpr std::int64_t kActionsPerCommitMax = 200;
constexpr std::int64_t kIntervalStretchMax = 64;

std::string checkpoint_path(Version version) {
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "_delta_log/%020lld.checkpoint.parquet",
                static_cast<long long>(version));
  return path.data();
}

/// The lines of a checkpoint, and what _last_checkpoint says of them.
class CheckpointLines {
 public:
  explicit CheckpointLines(const Snapshot& snapshot) {
    const Metadata& metadata = snapshot.metadata();
    append(snapshot.protocol());
    append(metadata);
    for (const SetTransaction& transaction : snapshot.transactions()) {
      append(transaction);
    }
    for (const DomainMetadata& domain : snapshot.domains()) {
      if (!domain.removed) append(domain);
    }
    append_files(snapshot);
    append_tombstones(snapshot,
                      snapshot.timestamp_ms() - deleted_file_retention_ms(metadata));
  }

  const std::string& text() const { return text_; }
  std::int64_t size() const { return size_; }

 private:
  void append(const Action& action) {
    text_ += to_line(action);
    text_ += '\n';
    ++size_;
  }

  void append_files(const Snapshot& snapshot) {
    const auto& properties = snapshot.metadata().configuration;
    const auto as_json = properties.find("delta.checkpoint.writeStatsAsJson");
    // The format makes typed statistics of these, too.
    const bool with_stats =
        as_json == properties.end() ||
        !equals_ignoring_case(as_json->second, "false") ||
        property_is_true(snapshot.metadata(), "delta.checkpoint.writeStatsAsStruct");
    for (AddFile file : snapshot.files()) {
      file.data_change = false;
      if (!with_stats) file.stats.clear();
      append(std::move(file));
    }
  }

  // A removal without a time counts as one at the beginning of time.
  void append_tombstones(const Snapshot& snapshot, std::int64_t oldest_ms) {
    for (RemoveFile file : snapshot.tombstones()) {
      if (file.deletion_timestamp_ms.value_or(0) <= oldest_ms) continue;
      file.data_change = false;
      append(std::move(file));
    }
  }

  std::string text_;
  std::int64_t size_ = 0;
};

// False if a newer checkpoint is named already, by a writer that overtook this one.
bool should_point_to(storage::ObjectStore& store, Version version) {
  const auto found = store.get(kLastCheckpoint);
  if (!found) return true;
  const auto json = parse_json(*found);
  return !json || integer_member(*json, "version", -1) <= version;
}

// A property that is set is kept to.
std::int64_t interval_of(const Snapshot& snapshot) {
  const std::int64_t interval = checkpoint_interval(snapshot.metadata());
  if (snapshot.metadata().configuration.contains("delta.checkpointInterval")) {
    return interval;
  }
  const auto actions = static_cast<std::int64_t>(snapshot.action_count());
  std::int64_t stretch = 1;  // doubled, so that wide intervals end where narrow ones do
  while (stretch < kIntervalStretchMax &&
         actions > kActionsPerCommitMax * interval * stretch) {
    stretch *= 2;
  }
  return interval * stretch;
}

}  // namespace

Status write_checkpoint(Table& table, const Snapshot& snapshot) {
  LAKEMILL_TRY_OK(check_writable(snapshot.protocol(), snapshot.metadata()));
  storage::ObjectStore& store = table.store();
  const CheckpointLines lines(snapshot);
  LAKEMILL_TRY(
      const std::int64_t size_bytes,
      table.format().write(store.url() + "/" + checkpoint_path(snapshot.version()),
                           lines.text()));
  if (!should_point_to(store, snapshot.version())) return {};
  const OrderedJson pointer = {{"version", snapshot.version()},
                               {"size", lines.size()},
                               {"sizeInBytes", size_bytes},
                               {"numOfAddFiles", snapshot.files().size()}};
  return store.put(kLastCheckpoint, json_text(pointer));
}

Status maintain_log(Table& table, Version just_committed) {
  LAKEMILL_TRY(std::shared_ptr<const Snapshot> snapshot, table.latest());
  if (just_committed == 0 || just_committed % interval_of(*snapshot) != 0) return {};
  if (snapshot->version() != just_committed) {
    LAKEMILL_TRY(snapshot, table.at_version(just_committed));
  }
  LAKEMILL_TRY_OK(write_checkpoint(table, *snapshot));
  if (!log_cleanup_enabled(snapshot->metadata())) return {};
  const Instant now{std::chrono::milliseconds(snapshot->timestamp_ms())};
  const auto cleaned = clean_log(table, now);
  return cleaned ? Status() : Status(cleaned.error());
}

}  // namespace lakemill::delta
