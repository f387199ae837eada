// What commits changed, as one scan: change files, files that came and went, and rows
// that deletion vectors differ in. A file tells the columns of the feed as constants.
#include "lakemill/delta/change_feed.h"

#include <algorithm>
#include <map>

#include "lakemill/base/text.h"
#include "lakemill/delta/commit_times.h"
#include "lakemill/delta/deletion_vector.h"
#include "lakemill/delta/file_path.h"
#include "lakemill/delta/file_skipping.h"
#include "lakemill/delta/only_rows.h"
#include "lakemill/delta/protocol.h"
#include "lakemill/delta/schema_fit.h"
#include "lakemill/delta/table_scan.h"
#include "lakemill/delta/table_state.h"

namespace lakemill::delta {

namespace {

std::string version_text(Version version) {
  return "version " + std::to_string(version);
}

class ChangesScan final : public data::TableScan {
 public:
  ChangesScan(const data::TableScan& files, std::vector<data::DataFile> changed)
      : schema_(files.schema()),
        mode_(files.column_mapping_mode()),
        table_url_(files.table_url()),
        version_(files.version()),
        files_(std::move(changed)) {
    const auto add = [&](std::string_view name, data::TypeKind kind) {
      schema_.fields.push_back({std::string(name), data::make_type(kind)});
    };
    add(kChangeType, data::TypeKind::string);
    add(kCommitVersion, data::TypeKind::int64);
    add(kCommitTimestamp, data::TypeKind::timestamp);
  }

  const data::Schema& schema() const override { return schema_; }
  const std::string& column_mapping_mode() const override { return mode_; }
  const std::vector<data::DataFile>& files() const override { return files_; }
  const std::string& table_url() const override { return table_url_; }
  std::int64_t version() const override { return version_; }

  std::vector<std::size_t> may_match(
      const std::vector<data::Comparison>& conjuncts) const override {
    std::vector<std::size_t> kept;
    for (std::size_t i = 0; i < files_.size(); ++i) {
      if (file_may_match(files_[i], conjuncts)) kept.push_back(i);
    }
    return kept;
  }

 private:
  static bool file_may_match(const data::DataFile& file,
                             const std::vector<data::Comparison>& conjuncts) {
    return std::ranges::all_of(conjuncts, [&](const data::Comparison& comparison) {
      // "a.b" may be a field of a struct as well.
      if (comparison.column.find('.') != std::string::npos) return true;
      const auto constant =
          std::ranges::find_if(file.constants, [&](const auto& entry) {
            return equals_ignoring_case(entry.first, comparison.column);
          });
      return constant == file.constants.end() ||
             constant_may_match(comparison, constant->second);
    });
  }

  data::Schema schema_;
  std::string mode_;
  std::string table_url_;
  std::int64_t version_;
  std::vector<data::DataFile> files_;
};

/// Where rows of one change are.
struct ChangedFile {
  AddFile file;
  std::string_view change_type;        ///< empty: the file has the column
  std::optional<DeletionVector> only;  ///< rows that changed; nothing: all that count
  Version version = 0;
  std::int64_t timestamp_ms = 0;
};

AddFile to_add(const RemoveFile& remove) {
  AddFile add;
  add.path = remove.path;
  add.partition_values = remove.partition_values;
  add.size_bytes = remove.size_bytes.value_or(0);
  add.deletion_vector = remove.deletion_vector;
  return add;
}

/// One commit's actions, sorted out.
struct CommitChanges {
  std::vector<const AddCdcFile*> cdc;
  std::map<std::string, const AddFile*> added;  // that change data, by decoded path
  std::map<std::string, const RemoveFile*> removed;
  const Metadata* metadata = nullptr;
  std::string operation;
  std::optional<std::int64_t> in_commit_timestamp_ms;
};

CommitChanges sort_out(const std::vector<Action>& actions) {
  CommitChanges changes;
  for (const Action& action : actions) {
    if (const auto* cdc = std::get_if<AddCdcFile>(&action)) {
      changes.cdc.push_back(cdc);
    } else if (const auto* add = std::get_if<AddFile>(&action)) {
      if (add->data_change) changes.added[decoded_path(add->path)] = add;
    } else if (const auto* remove = std::get_if<RemoveFile>(&action)) {
      if (remove->data_change) changes.removed[decoded_path(remove->path)] = remove;
    } else if (const auto* metadata = std::get_if<Metadata>(&action)) {
      changes.metadata = metadata;
    } else if (const auto* info = std::get_if<CommitInfo>(&action)) {
      changes.operation = string_member(info->content, "operation", "");
      const auto time_ms = integer_member(info->content, "inCommitTimestamp", -1);
      if (time_ms >= 0) changes.in_commit_timestamp_ms = time_ms;
    }
  }
  return changes;
}

Result<DeletionVector> vector_of(
    storage::ObjectStore& store,
    const std::optional<DeletionVectorDescriptor>& descriptor) {
  if (!descriptor) return DeletionVector();
  return read_deletion_vector(store, *descriptor);
}

/// Collects the changed files of commits.
class ChangeCollector {
 public:
  ChangeCollector(storage::ObjectStore& store, const Snapshot& end)
      : store_(store), end_(end) {}

  Status add(const CommitChanges& commit, Version version, std::int64_t timestamp_ms) {
    version_ = version;
    timestamp_ms_ = timestamp_ms;
    if (!commit.cdc.empty()) {
      for (const AddCdcFile* cdc : commit.cdc) add_cdc(*cdc);
      return {};
    }
    LAKEMILL_TRY_OK(check_derivable(commit));
    for (const auto& [path, remove] : commit.removed) {
      const auto pair = commit.added.find(path);
      if (pair == commit.added.end()) {
        push(to_add(*remove), kDelete, std::nullopt);
      } else {
        LAKEMILL_TRY_OK(add_difference(*remove, *pair->second));
      }
    }
    for (const auto& [path, add] : commit.added) {
      if (!commit.removed.contains(path)) push(*add, kInsert, std::nullopt);
    }
    return {};
  }

  std::vector<ChangedFile> take() { return std::move(files_); }

 private:
  void push(AddFile file, std::string_view type, std::optional<DeletionVector> only) {
    files_.push_back({std::move(file), type, std::move(only), version_, timestamp_ms_});
  }

  void add_cdc(const AddCdcFile& cdc) {
    AddFile file;
    file.path = cdc.path;
    file.partition_values = cdc.partition_values;
    file.size_bytes = cdc.size_bytes;
    push(std::move(file), "", std::nullopt);
  }

  // The same file with another vector: rows that went, and rows that came back.
  Status add_difference(const RemoveFile& remove, const AddFile& add) {
    const std::string before_id =
        remove.deletion_vector ? remove.deletion_vector->unique_id() : "";
    const std::string after_id =
        add.deletion_vector ? add.deletion_vector->unique_id() : "";
    if (before_id == after_id) return {};
    LAKEMILL_TRY(const DeletionVector before,
                 vector_of(store_, remove.deletion_vector));
    LAKEMILL_TRY(const DeletionVector after, vector_of(store_, add.deletion_vector));
    AddFile whole = add;
    whole.deletion_vector.reset();
    DeletionVector gone = after.without(before);
    DeletionVector back = before.without(after);
    if (gone.count() > 0) push(whole, kDelete, std::move(gone));
    if (back.count() > 0) push(whole, kInsert, std::move(back));
    return {};
  }

  // Files that were rewritten hold rows that did not change, too.
  Status check_derivable(const CommitChanges& commit) const {
    const bool changes_rows = commit.operation == "MERGE" ||
                              commit.operation == "UPDATE" ||
                              commit.operation == "DELETE";
    if (!changes_rows || deletion_vectors_enabled(end_.protocol(), end_.metadata())) {
      return {};
    }
    const auto lacks = [](const auto& files, const auto& others) {
      return std::ranges::any_of(
          files, [&](const auto& entry) { return !others.contains(entry.first); });
    };
    if (!lacks(commit.removed, commit.added) || !lacks(commit.added, commit.removed)) {
      return {};
    }
    return Error(
        ErrorCode::invalid,
        version_text(version_) + " (" + commit.operation +
            ") rewrote files and kept no changes: the table had no change data feed "
            "then (delta.enableChangeDataFeed). Read changes from version " +
            std::to_string(version_ + 1) + " on");
  }

  storage::ObjectStore& store_;
  const Snapshot& end_;
  std::vector<ChangedFile> files_;
  Version version_ = 0;
  std::int64_t timestamp_ms_ = 0;
};

Status check_names(const data::Schema& schema) {
  for (const std::string_view name : {kChangeType, kCommitVersion, kCommitTimestamp}) {
    if (schema.find(name) != nullptr) {
      return Error(ErrorCode::invalid, "the table has a column named " +
                                           std::string(name) +
                                           ", which the change feed needs: rename it");
    }
  }
  return {};
}

Result<std::shared_ptr<const data::TableScan>> make_changes_scan(
    const std::shared_ptr<storage::ObjectStore>& store, const Snapshot& end,
    const std::vector<ChangedFile>& changed) {
  LAKEMILL_TRY_OK(check_names(end.metadata().schema));
  auto logical = std::make_shared<LogicalFiles>();
  for (const ChangedFile& change : changed) {
    logical->push_back(make_logical_file(change.file, change.version));
  }
  LAKEMILL_TRY(const auto scan, make_table_scan(store, end.protocol(), end.metadata(),
                                                end.version(), logical));
  std::vector<data::DataFile> files = scan->files();
  for (std::size_t i = 0; i < files.size(); ++i) {
    const ChangedFile& change = changed[i];
    auto& constants = files[i].constants;
    if (!change.change_type.empty()) {
      constants[std::string(kChangeType)] = std::string(change.change_type);
    }
    constants[std::string(kCommitVersion)] = std::int64_t{change.version};
    constants[std::string(kCommitTimestamp)] =
        data::Timestamp{change.timestamp_ms * 1000};
    if (change.only) {
      files[i].deleted = std::make_shared<OnlyRows>(
          std::make_shared<DeletionVector>(*change.only), files[i].row_count);
    }
  }
  return std::shared_ptr<const data::TableScan>(
      std::make_shared<ChangesScan>(*scan, std::move(files)));
}

}  // namespace

Result<std::shared_ptr<const data::TableScan>> rows_as_changes(
    const Snapshot& snapshot) {
  LAKEMILL_TRY_OK(check_names(snapshot.metadata().schema));
  LAKEMILL_TRY(const auto scan, snapshot.scan());
  std::vector<data::DataFile> files = scan->files();
  for (data::DataFile& file : files) {
    file.constants[std::string(kChangeType)] = std::string(kInsert);
    file.constants[std::string(kCommitVersion)] = std::int64_t{snapshot.version()};
    file.constants[std::string(kCommitTimestamp)] =
        data::Timestamp{snapshot.timestamp_ms() * 1000};
  }
  return std::shared_ptr<const data::TableScan>(
      std::make_shared<ChangesScan>(*scan, std::move(files)));
}

/// Holds the schemas that a range of versions had to the one at its end.
class Table::State::SchemaWatch {
 public:
  SchemaWatch(State& state, const Snapshot& end, Version from)
      : state_(state), end_(end), from_(from) {}

  Status see(Version version, const CommitChanges& commit) {
    if (commit.metadata == nullptr) return {};
    const bool first_of_range = version == from_ && commit.removed.empty();
    if (!before_ && version > 0 && !first_of_range) {
      const auto snapshot = state_.at_version(version - 1);
      // What is gone from the log cannot be compared; its files tell their columns.
      if (snapshot) before_ = (*snapshot)->metadata();
    }
    if (before_) {
      if (const auto reason = why_unfit(*before_, end_.metadata())) {
        return Error(ErrorCode::invalid,
                     "the schema changed in " + version_text(version) + " so that " +
                         "earlier rows have no place in it: " + *reason +
                         "; read changes up to version " + std::to_string(version - 1) +
                         ", or from version " + std::to_string(version + 1) + " on");
      }
    }
    before_ = *commit.metadata;
    return {};
  }

 private:
  State& state_;
  const Snapshot& end_;
  Version from_;
  std::optional<Metadata> before_;
};

Result<LogListing> Table::State::changes_listing(Version from, Version to) {
  if (from < 0 || from > to) {
    return Error(ErrorCode::invalid,
                 "changes are read from a version to the same or a "
                 "later one, not from " +
                     std::to_string(from) + " to " + std::to_string(to));
  }
  LAKEMILL_TRY(LogListing listing, list_log(*store_, from));
  if (listing.find_commit(from) != nullptr) return listing;
  LAKEMILL_TRY(const LogListing all, full_listing());
  if (from > all.newest()) {
    return Error(ErrorCode::not_found, "there is no " + version_text(from) +
                                           "; the newest is version " +
                                           std::to_string(all.newest()));
  }
  const Version oldest =
      all.commits.empty() ? all.newest() + 1 : all.commits.front().version;
  return Error(
      ErrorCode::not_found,
      version_text(from) +
          " was cleaned away from the log, so its changes cannot be read: the "
          "oldest that can is version " +
          std::to_string(oldest) +
          "; begin with the rows of a version, then read changes from the next "
          "on");
}

Status Table::State::complete_removals(Version version, std::vector<Action>& actions) {
  std::map<std::string, RemoveFile*> bare;
  for (Action& action : actions) {
    auto* remove = std::get_if<RemoveFile>(&action);
    if (remove == nullptr || !remove->data_change ||
        !remove->partition_values.empty()) {
      continue;
    }
    bare[decoded_path(remove->path)] = remove;
  }
  if (bare.empty() || version == 0) return {};
  LAKEMILL_TRY(const auto before, at_version(version - 1));
  for (const AddFile& file : before->files()) {
    const auto found = bare.find(decoded_path(file.path));
    if (found != bare.end()) found->second->partition_values = file.partition_values;
  }
  return {};
}

Result<std::shared_ptr<const data::TableScan>> Table::State::changes(Version from,
                                                                     Version to) {
  LAKEMILL_TRY(const LogListing listing, changes_listing(from, to));
  LAKEMILL_TRY(const auto end, at_version(to));
  const InCommitTimestamps own = in_commit_timestamps(end->protocol(), end->metadata());
  const std::vector<std::int64_t> times = monotone_times(listing.commits);
  ChangeCollector collector(*store_, *end);
  SchemaWatch schemas(*this, *end, from);
  for (Version version = from; version <= to; ++version) {
    LAKEMILL_TRY(std::vector<Action> actions, reader_.read_commit(version));
    if (!end->metadata().partition_columns.empty()) {
      LAKEMILL_TRY_OK(complete_removals(version, actions));
    }
    const CommitChanges commit = sort_out(actions);
    LAKEMILL_TRY_OK(schemas.see(version, commit));
    const CommitFile* file = listing.find_commit(version);
    std::int64_t time_ms =
        file == nullptr
            ? end->timestamp_ms()
            : times[static_cast<std::size_t>(file - listing.commits.data())];
    if (own.cover(version)) time_ms = commit.in_commit_timestamp_ms.value_or(time_ms);
    LAKEMILL_TRY_OK(collector.add(commit, version, time_ms));
  }
  return make_changes_scan(store_, *end, collector.take());
}

}  // namespace lakemill::delta
