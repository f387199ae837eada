#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>

#include "lakemill/base/text.h"
#include "lakemill/delta/protocol.h"
#include "lakemill/delta/transaction.h"

namespace lakemill::delta {

namespace {

constexpr std::string_view kLastCheckpoint = "_delta_log/_last_checkpoint";
constexpr std::int64_t kIntervalDefault = 10;
constexpr std::int64_t kRetentionDefaultMs = 7LL * 24 * 60 * 60 * 1000;
constexpr std::int64_t kRetentionMaxMs = 1000LL * 365 * 24 * 60 * 60 * 1000;

std::string checkpoint_path(Version version) {
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "_delta_log/%020lld.checkpoint.parquet",
                static_cast<long long>(version));
  return path.data();
}

const std::string* find_property(const Metadata& metadata, const std::string& name) {
  const auto found = metadata.configuration.find(name);
  return found == metadata.configuration.end() ? nullptr : &found->second;
}

// "interval 1 week", "7 days", "interval 36 hours 30 minutes"; the default if it is
// something else: tombstones then stay longer than they must, or a week.
std::int64_t retention_ms(const Metadata& metadata) {
  const std::string* text =
      find_property(metadata, "delta.deletedFileRetentionDuration");
  if (text == nullptr) return kRetentionDefaultMs;
  struct Unit {
    std::string_view name;
    std::int64_t ms;
  };
  constexpr std::array kUnits = {
      Unit{"week", 604'800'000}, Unit{"day", 86'400'000}, Unit{"hour", 3'600'000},
      Unit{"minute", 60'000},    Unit{"second", 1'000},   Unit{"millisecond", 1},
      Unit{"microsecond", 0},
  };
  std::vector<std::string> words = split(to_lower(*text), ' ');
  std::erase_if(words,
                [](const auto& word) { return word.empty() || word == "interval"; });
  if (words.size() % 2 != 0) return kRetentionDefaultMs;
  std::int64_t total = 0;
  for (std::size_t i = 0; i < words.size(); i += 2) {
    std::int64_t count = 0;
    const std::string& number = words[i];
    const auto read =
        std::from_chars(number.data(), number.data() + number.size(), count);
    std::string_view name = words[i + 1];
    if (name.ends_with('s')) name.remove_suffix(1);
    const auto* unit = std::ranges::find(kUnits, name, &Unit::name);
    if (read.ec != std::errc() || count < 0 || unit == kUnits.end()) {
      return kRetentionDefaultMs;
    }
    total += std::min(count, kRetentionMaxMs / std::max<std::int64_t>(unit->ms, 1)) *
             unit->ms;
  }
  return total;
}

std::int64_t checkpoint_interval(const Metadata& metadata) {
  const std::string* text = find_property(metadata, "delta.checkpointInterval");
  std::int64_t interval = kIntervalDefault;
  if (text != nullptr) {
    const auto read =
        std::from_chars(text->data(), text->data() + text->size(), interval);
    if (read.ec != std::errc() || interval < 1) return kIntervalDefault;
  }
  return interval;
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
    append_tombstones(snapshot, snapshot.timestamp_ms() - retention_ms(metadata));
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
    const std::string* as_json =
        find_property(snapshot.metadata(), "delta.checkpoint.writeStatsAsJson");
    const bool with_stats = as_json == nullptr || to_lower(*as_json) != "false";
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

}  // namespace

Status write_checkpoint(Table& table, const Snapshot& snapshot) {
  LAKEMILL_TRY_OK(check_writable(snapshot.protocol(), snapshot.metadata()));
  if (property_is_true(snapshot.metadata(), "delta.checkpoint.writeStatsAsStruct")) {
    return Error(ErrorCode::unsupported,
                 "checkpoints with statistics as columns are not written "
                 "(delta.checkpoint.writeStatsAsStruct)");
  }
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
  if (just_committed == 0 ||
      just_committed % checkpoint_interval(snapshot->metadata()) != 0) {
    return {};
  }
  if (snapshot->version() != just_committed) {
    LAKEMILL_TRY(snapshot, table.at_version(just_committed));
  }
  return write_checkpoint(table, *snapshot);
}

}  // namespace lakemill::delta
