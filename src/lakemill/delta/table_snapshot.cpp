#include "lakemill/delta/table_snapshot.h"

#include "lakemill/delta/table_scan.h"

namespace lakemill::delta {

TableSnapshot::TableSnapshot(std::shared_ptr<storage::ObjectStore> store,
                             TableState state, std::int64_t timestamp_ms)
    : store_(std::move(store)), state_(std::move(state)), timestamp_ms_(timestamp_ms) {}

const std::vector<AddFile>& TableSnapshot::files() const {
  std::call_once(files_once_, [this] {
    files_.reserve(state_.files->size());
    for (const auto& file : *state_.files) files_.push_back(file->add);
  });
  return files_;
}

std::vector<RemoveFile> TableSnapshot::tombstones() const {
  std::vector<RemoveFile> removed;
  removed.reserve(state_.tombstones->size());
  for (const auto& tombstone : *state_.tombstones) removed.push_back(tombstone->remove);
  return removed;
}

std::size_t TableSnapshot::action_count() const {
  return 2 + state_.files->size() + state_.tombstones->size() +
         state_.transactions->size() + state_.domains->size();
}

std::optional<std::int64_t> TableSnapshot::transaction(std::string_view app_id) const {
  const auto found = state_.transactions->find(app_id);
  if (found == state_.transactions->end()) return std::nullopt;
  return found->second.version;
}

std::vector<SetTransaction> TableSnapshot::transactions() const {
  std::vector<SetTransaction> all;
  for (const auto& [app_id, transaction] : *state_.transactions) {
    all.push_back(transaction);
  }
  return all;
}

std::vector<DomainMetadata> TableSnapshot::domains() const {
  std::vector<DomainMetadata> all;
  for (const auto& [name, domain] : *state_.domains) all.push_back(domain);
  return all;
}

Result<std::shared_ptr<const data::TableScan>> TableSnapshot::scan() const {
  const std::lock_guard lock(scan_mutex_);
  if (!scan_) {
    LAKEMILL_TRY(scan_, make_table_scan(store_, *state_.protocol, *state_.metadata,
                                        state_.version, state_.files));
  }
  return scan_;
}

}  // namespace lakemill::delta
