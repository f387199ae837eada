#include "lakemill/delta/replay.h"

#include <algorithm>
#include <limits>

#include "lakemill/delta/file_path.h"
#include "lakemill/delta/table_properties.h"

namespace lakemill::delta {

namespace {

std::string key_of(std::string_view path,
                   const std::optional<DeletionVectorDescriptor>& vector) {
  std::string key(path);
  if (vector) key.append(1, '\0').append(vector->unique_id());
  return key;
}

bool file_before(const std::shared_ptr<const LogicalFile>& left,
                 const std::shared_ptr<const LogicalFile>& right) {
  const int order = left->add.path.compare(right->add.path);
  return order != 0 ? order < 0 : left->key < right->key;
}

bool tombstone_before(const std::shared_ptr<const Tombstone>& left,
                      const std::shared_ptr<const Tombstone>& right) {
  return left->key < right->key;
}

// What is left of `base`, and `added`, both in order.
template <typename Item, typename Before, typename Keep>
std::shared_ptr<const std::vector<Item>> merged(const std::vector<Item>& base,
                                                std::vector<Item> added, Before before,
                                                Keep keep) {
  std::sort(added.begin(), added.end(), before);
  auto all = std::make_shared<std::vector<Item>>();
  all->reserve(base.size() + added.size());
  std::copy_if(base.begin(), base.end(), std::back_inserter(*all), keep);
  const auto middle = static_cast<std::ptrdiff_t>(all->size());
  std::move(added.begin(), added.end(), std::back_inserter(*all));
  std::inplace_merge(all->begin(), all->begin() + middle, all->end(), before);
  return all;
}

// Tombstones of that time and before had expired when the newest of `added` came: a
// checkpoint would not hold them either. Without it a process that follows a table
// would keep them for ever.
std::int64_t oldest_kept_ms(const std::vector<std::shared_ptr<const Tombstone>>& added,
                            const Metadata& metadata) {
  std::int64_t newest_ms = -1;
  for (const auto& tombstone : added) {
    newest_ms =
        std::max(newest_ms, tombstone->remove.deletion_timestamp_ms.value_or(-1));
  }
  if (newest_ms < 0) return std::numeric_limits<std::int64_t>::min();
  return newest_ms - deleted_file_retention_ms(metadata);
}

}  // namespace

std::shared_ptr<const LogicalFile> make_logical_file(AddFile add, Version version) {
  auto file = std::make_shared<LogicalFile>();
  file->path = decoded_path(add.path);
  file->key = key_of(file->path, add.deletion_vector);
  file->add = std::move(add);
  file->version = version;
  return file;
}

Replay::Replay() {
  state_.files = std::make_shared<LogicalFiles>();
  state_.tombstones = std::make_shared<Tombstones>();
  transactions_changed_ = true;
  domains_changed_ = true;
}

Replay::Replay(const TableState& base) : state_(base) {
  state_.in_commit_timestamp_ms.reset();
  transactions_ = *state_.transactions;
  domains_ = *state_.domains;
}

void Replay::apply(Action action, Version version) {
  if (auto* add = std::get_if<AddFile>(&action)) {
    auto file = make_logical_file(std::move(*add), version);
    changed_[file->key] = Entry{file, nullptr};
  } else if (auto* remove = std::get_if<RemoveFile>(&action)) {
    std::string key = key_of(decoded_path(remove->path), remove->deletion_vector);
    auto tombstone = std::make_shared<Tombstone>(Tombstone{std::move(*remove), key});
    changed_[std::move(key)] = Entry{nullptr, std::move(tombstone)};
  } else if (auto* transaction = std::get_if<SetTransaction>(&action)) {
    transactions_changed_ = true;
    transactions_[transaction->app_id] = *transaction;
  } else if (auto* domain = std::get_if<DomainMetadata>(&action)) {
    domains_changed_ = true;
    domains_.erase(domain->domain);
    if (!domain->removed) domains_.emplace(domain->domain, *domain);
  } else if (auto* protocol = std::get_if<Protocol>(&action)) {
    state_.protocol = std::move(*protocol);
  } else if (auto* metadata = std::get_if<Metadata>(&action)) {
    state_.metadata = std::move(*metadata);
  } else if (auto* info = std::get_if<CommitInfo>(&action)) {
    const std::int64_t timestamp =
        integer_member(info->content, "inCommitTimestamp", -1);
    state_.in_commit_timestamp_ms.reset();
    if (timestamp >= 0) state_.in_commit_timestamp_ms = timestamp;
  }
}

void Replay::merge_files() {
  if (changed_.empty()) return;
  const auto untouched = [&](const auto& item) {
    return !changed_.contains(item->key);
  };
  LogicalFiles files;
  Tombstones tombstones;
  for (auto& [key, entry] : changed_) {
    if (entry.file) files.push_back(std::move(entry.file));
    if (entry.tombstone) tombstones.push_back(std::move(entry.tombstone));
  }
  const bool any_comes_back = std::any_of(
      files.begin(), files.end(), [&](const std::shared_ptr<const LogicalFile>& file) {
        const auto found = std::lower_bound(
            state_.tombstones->begin(), state_.tombstones->end(), file->key,
            [](const auto& tombstone, const std::string& key) {
              return tombstone->key < key;
            });
        return found != state_.tombstones->end() && (*found)->key == file->key;
      });
  // Appends leave the tombstones of a week alone.
  if (!tombstones.empty() || any_comes_back) {
    const std::int64_t oldest_ms = oldest_kept_ms(tombstones, *state_.metadata);
    const auto kept = [&](const auto& item) {
      return untouched(item) &&
             item->remove.deletion_timestamp_ms.value_or(0) > oldest_ms;
    };
    state_.tombstones =
        merged(*state_.tombstones, std::move(tombstones), tombstone_before, kept);
  }
  state_.files = merged(*state_.files, std::move(files), file_before, untouched);
}

Result<TableState> Replay::finish(Version version) && {
  if (!state_.protocol || !state_.metadata) {
    return Error(ErrorCode::corrupt, std::string("the log holds no ") +
                                         (state_.protocol ? "metaData" : "protocol") +
                                         " action");
  }
  merge_files();
  state_.version = version;
  if (transactions_changed_) {
    state_.transactions =
        std::make_shared<std::map<std::string, SetTransaction, std::less<>>>(
            std::move(transactions_));
  }
  if (domains_changed_) {
    state_.domains =
        std::make_shared<std::map<std::string, DomainMetadata>>(std::move(domains_));
  }
  return std::move(state_);
}

}  // namespace lakemill::delta
