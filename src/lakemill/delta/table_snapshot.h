#pragma once

#include <memory>
#include <mutex>

#include "lakemill/delta/replay.h"
#include "lakemill/delta/snapshot.h"

namespace lakemill::delta {

/// A snapshot over a replayed state. The copies of files() and the scan are made when
/// they are first asked for, then kept.
///
/// Thread-safety: concurrent calls are allowed.
class TableSnapshot final : public Snapshot {
 public:
  TableSnapshot(std::shared_ptr<storage::ObjectStore> store, TableState state,
                std::int64_t timestamp_ms);

  Version version() const override { return state_.version; }
  std::int64_t timestamp_ms() const override { return timestamp_ms_; }
  const Protocol& protocol() const override { return *state_.protocol; }
  const Metadata& metadata() const override { return *state_.metadata; }
  const std::vector<AddFile>& files() const override;
  std::vector<RemoveFile> tombstones() const override;
  std::size_t action_count() const override;
  std::optional<std::int64_t> transaction(std::string_view app_id) const override;
  std::vector<SetTransaction> transactions() const override;
  std::vector<DomainMetadata> domains() const override;
  Result<std::shared_ptr<const data::TableScan>> scan() const override;

  const TableState& state() const { return state_; }

 private:
  std::shared_ptr<storage::ObjectStore> store_;
  TableState state_;
  std::int64_t timestamp_ms_;
  mutable std::once_flag files_once_;
  mutable std::vector<AddFile> files_;  // after files_once_
  mutable std::mutex scan_mutex_;
  mutable std::shared_ptr<const data::TableScan> scan_;  // guarded by scan_mutex_
};

}  // namespace lakemill::delta
