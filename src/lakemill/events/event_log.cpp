#include "lakemill/events/event_log.h"

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <utility>

#include "lakemill/base/check.h"
#include "lakemill/delta/change_feed.h"
#include "lakemill/storage/path.h"

namespace lakemill::events {

namespace {

constexpr std::string_view kPlace = "_lakemill/events";
constexpr int kCommitAttemptsMax = 20;  // against other processes' commits
constexpr delta::Version kCheckpointInterval = 20;

delta::ColumnStatistics text_statistics(const EventGroup& group, const char* column,
                                        std::string Event::*member) {
  const std::string* least = nullptr;
  const std::string* greatest = nullptr;
  std::int64_t null_count = 0;
  for (const auto& event : group.events) {
    const std::string& value = event.*member;
    if (value.empty()) {
      ++null_count;
      continue;
    }
    if (least == nullptr || value < *least) least = &value;
    if (greatest == nullptr || *greatest < value) greatest = &value;
  }
  delta::ColumnStatistics found;
  found.path = {column};
  if (least != nullptr) found.minimum = *least;
  if (greatest != nullptr) found.maximum = *greatest;
  found.null_count = null_count;
  return found;
}

// Lets readers skip files by time, writer, run, pipeline and node.
std::vector<delta::ColumnStatistics> statistics_of(const EventGroup& group) {
  const auto [oldest, newest] = std::minmax_element(
      group.events.begin(), group.events.end(),
      [](const auto& left, const auto& right) { return left.time < right.time; });
  const auto micros = [](const Event& event) {
    return data::Timestamp{event.time.time_since_epoch().count()};
  };
  return {text_statistics(group, "writer", &Event::writer),
          {.path = {"sequence"},
           .minimum = group.events.front().sequence,
           .maximum = group.events.back().sequence,
           .null_count = 0},
          {.path = {"time"},
           .minimum = micros(*oldest),
           .maximum = micros(*newest),
           .null_count = 0},
          text_statistics(group, "run_id", &Event::run_id),
          text_statistics(group, "pipeline", &Event::pipeline),
          text_statistics(group, "node", &Event::node)};
}

delta::NewTable new_table() {
  return {.schema = event_schema(),
          .partition_columns = {},
          .configuration = {{"delta.appendOnly", "true"}},
          .name = "events",
          .description = "Everything that happened in this project"};
}

// The columns of `schema` and, behind them, those of event_schema() that it lacks.
data::Schema with_all_columns(data::Schema schema) {
  for (const data::Field& field : event_schema().fields) {
    if (schema.find(field.name) == nullptr) schema.fields.push_back(field);
  }
  return schema;
}

// A log from before there were all columns, as if it had them.
class WidenedScan final : public data::TableScan {
 public:
  explicit WidenedScan(std::shared_ptr<const data::TableScan> scan)
      : scan_(std::move(scan)), schema_(with_all_columns(scan_->schema())) {}

  const data::Schema& schema() const override { return schema_; }
  const std::string& column_mapping_mode() const override {
    return scan_->column_mapping_mode();
  }
  const std::vector<data::DataFile>& files() const override { return scan_->files(); }
  std::vector<std::size_t> may_match(
      const std::vector<data::Comparison>& conjuncts) const override {
    return scan_->may_match(conjuncts);
  }
  const std::string& table_url() const override { return scan_->table_url(); }
  std::int64_t version() const override { return scan_->version(); }

 private:
  const std::shared_ptr<const data::TableScan> scan_;
  const data::Schema schema_;
};

std::shared_ptr<const data::TableScan> widened(
    std::shared_ptr<const data::TableScan> scan) {
  if (with_all_columns(scan->schema()) == scan->schema()) return scan;
  return std::make_shared<const WidenedScan>(std::move(scan));
}

// Files that single versions of the log brought.
class AddedScan final : public data::TableScan {
 public:
  AddedScan(std::string url, delta::Version version)
      : url_(std::move(url)), version_(version), schema_(event_schema()) {
    schema_.fields.push_back({.name = std::string(delta::kCommitVersion),
                              .type = data::make_type(data::TypeKind::int64)});
  }

  void add(const delta::AddFile& file, delta::Version version) {
    data::DataFile added;
    added.path = file.path;
    added.url = storage::join_path(url_, file.path);
    added.size_bytes = file.size_bytes;
    added.modified_ms = file.modification_time_ms;
    added.constants[std::string(delta::kCommitVersion)] = std::int64_t{version};
    added.version = version;
    files_.push_back(std::move(added));
  }

  const data::Schema& schema() const override { return schema_; }
  const std::string& column_mapping_mode() const override { return mapping_; }
  const std::vector<data::DataFile>& files() const override { return files_; }
  std::vector<std::size_t> may_match(
      const std::vector<data::Comparison>& /*conjuncts*/) const override {
    std::vector<std::size_t> all(files_.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    return all;
  }
  const std::string& table_url() const override { return url_; }
  std::int64_t version() const override { return version_; }

 private:
  const std::string url_;
  const delta::Version version_;
  const std::string mapping_ = "none";
  data::Schema schema_;
  std::vector<data::DataFile> files_;
};

#ifndef NDEBUG
// What is told is as it is described; that it is not is a bug, which tests find.
void check_described(const EventGroup& group) {
  for (const Event& event : group.events) {
    const auto fault = fault_in_details(event);
    if (fault) std::fprintf(stderr, "events: %s\n", fault->c_str());
    LAKEMILL_CHECK(!fault);
  }
}
#endif

template <typename Files>
bool holds_path(const Files& files, const std::string& path) {  // sorted by path
  const auto found = std::lower_bound(
      files.begin(), files.end(), path,
      [](const auto& file, const std::string& sought) { return file.path < sought; });
  return found != files.end() && found->path == path;
}

bool holds_file(const delta::Snapshot& snapshot, const std::string& path) {
  return holds_path(snapshot.files(), path);
}

// Also one that has been written together with others since.
bool held_file(const delta::Snapshot& snapshot, const std::string& path) {
  return holds_file(snapshot, path) || holds_path(snapshot.tombstones(), path);
}

constexpr std::string_view kFileBegin = "events-";

// Which events a file of append() holds: its name and its statistics tell. Nothing:
// another program added it.
std::optional<AddedGroup> group_of(const delta::AddFile& file, delta::Version version) {
  const std::string_view name = file.path;
  const std::size_t end = name.rfind('-');
  const auto stats = parse_json(file.stats);
  const auto bound = [&stats](const char* which) -> std::int64_t {
    const Json* values = stats ? find_member(*stats, which) : nullptr;
    return values == nullptr ? -1 : integer_member(*values, "sequence", -1);
  };
  AddedGroup group{version, "", bound("minValues"), bound("maxValues")};
  if (!name.starts_with(kFileBegin) || end <= kFileBegin.size() || group.first < 0 ||
      group.last < group.first) {
    return std::nullopt;
  }
  group.writer = name.substr(kFileBegin.size(), end - kFileBegin.size());
  return group;
}

}  // namespace

Result<std::unique_ptr<EventLog>> EventLog::open(std::string_view root_url,
                                                 EventServices services) {
  LAKEMILL_TRY(auto store, services.stores.open(storage::join_path(root_url, kPlace)));
  std::string url = store->url();
  auto table = std::make_unique<delta::Table>(std::move(store), services.checkpoints);
  return std::unique_ptr<EventLog>(
      new EventLog(std::move(url), std::move(table), services));
}

EventLog::EventLog(std::string url, std::unique_ptr<delta::Table> table,
                   EventServices services)
    : url_(std::move(url)), table_(std::move(table)), services_(services) {}

Result<std::shared_ptr<const data::TableScan>> EventLog::scan() {
  LAKEMILL_TRY(const auto snapshot, table_->latest());
  LAKEMILL_TRY(auto scan, snapshot->scan());
  return widened(std::move(scan));
}

Result<delta::Version> EventLog::newest_version() {
  LAKEMILL_TRY(const auto snapshot, snapshot_or_null());
  return snapshot ? snapshot->version() : delta::Version{-1};
}

Result<AddedEvents> EventLog::added(delta::Version from, delta::Version to) {
  LAKEMILL_TRY(const auto commits, table_->commits(from, to));
  LAKEMILL_TRY(const auto snapshot, table_->latest());
  auto scan = std::make_shared<AddedScan>(url_, to);
  std::vector<AddedGroup> groups;
  bool is_rearranged = false;
  for (const delta::CommitActions& commit : commits) {
    for (const delta::Action& action : commit.actions) {
      const auto* file = std::get_if<delta::AddFile>(&action);
      if (file == nullptr || !file->data_change) continue;
      scan->add(*file, commit.version);
      is_rearranged = is_rearranged || !holds_file(*snapshot, file->path);
      if (auto group = group_of(*file, commit.version)) {
        groups.push_back(*std::move(group));
      }
    }
  }
  if (!is_rearranged || groups.size() < scan->files().size()) {
    return AddedEvents{std::move(scan), {}};
  }
  LAKEMILL_TRY(auto all, snapshot->scan());
  return AddedEvents{widened(std::move(all)), std::move(groups)};
}

void EventLog::follow(Follower follower) {
  const std::lock_guard lock(follower_mutex_);
  follower_ = std::move(follower);
}

Result<std::shared_ptr<const delta::Snapshot>> EventLog::snapshot_or_null() {
  auto latest = table_->latest();
  if (!latest && latest.error().code() == ErrorCode::not_found) {
    return std::shared_ptr<const delta::Snapshot>();
  }
  return latest;
}

Result<delta::CommitOutcome> EventLog::commit(
    const EventGroup& group, std::shared_ptr<const delta::Snapshot> base) {
  delta::Metadata metadata;
  if (base) metadata = base->metadata();
  const bool lacks_columns =
      base && with_all_columns(metadata.schema) != metadata.schema;
  metadata.schema = with_all_columns(std::move(metadata.schema));
  auto transaction = base ? delta::Transaction(*table_, std::move(base))
                          : delta::Transaction(*table_, new_table());
  if (lacks_columns) transaction.set_metadata(metadata);
  delta::AddFile file;
  file.path = group.file->path;
  file.size_bytes = group.file->size_bytes;
  file.modification_time_ms = to_epoch_ms(services_.clock.now());
  file.stats =
      delta::statistics_json(group.file->row_count, statistics_of(group), metadata);
  transaction.add(std::move(file));
  transaction.read(delta::ReadScope::none);
  const Json details{{"operationParameters", {{"mode", "Append"}}},
                     {"isBlindAppend", true}};
  return transaction.commit("WRITE", details, services_.clock, services_.random);
}

Status EventLog::append(EventGroup& group) {
  if (group.events.empty()) return {};
#ifndef NDEBUG
  check_described(group);
#endif
  if (!group.file) {
    LAKEMILL_TRY(group.file, services_.files.write(url_, group.file_name,
                                                   event_schema(), group.rows));
  }
  for (int attempt = 0; attempt < kCommitAttemptsMax; ++attempt) {
    LAKEMILL_TRY(auto base, snapshot_or_null());
    if (base && group.may_be_there && held_file(*base, group.file->path)) return {};
    const bool might = std::exchange(group.may_be_there, true);
    LAKEMILL_TRY(const auto outcome, commit(group, std::move(base)));
    if (const auto* committed = std::get_if<delta::Committed>(&outcome)) {
      {
        const std::lock_guard lock(follower_mutex_);
        if (follower_) follower_(committed->version, group);
      }
      return checkpoint_if_due(committed->version);
    }
    if (const auto* undecided = std::get_if<delta::Undecided>(&outcome)) {
      return Error(ErrorCode::unknown, "events: version " +
                                           std::to_string(undecided->version) + " of " +
                                           url_ + " may be there or not");
    }
    group.may_be_there = might;  // another writer won: this try is not
  }
  return Error(ErrorCode::unavailable,
               "events: other writers kept winning every commit to " + url_);
}

Status EventLog::checkpoint_if_due(delta::Version version) {
  if (version == 0 || version % kCheckpointInterval != 0) return {};
  LAKEMILL_TRY(const auto snapshot, table_->latest());
  // The group is safe. A checkpoint that fails only makes the next reader slower, and
  // the next one that is due makes up for it.
  (void)delta::write_checkpoint(*table_, *snapshot);
  return {};
}

}  // namespace lakemill::events
