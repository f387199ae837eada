#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "lakemill/data/table_scan.h"
#include "lakemill/delta/action.h"

namespace lakemill::delta {

/// A data file together with its deletion vector, as the log identifies it; shared by
/// every snapshot that holds it.
///
/// Thread-safety: immutable but for `deleted`, which its mutex guards.
struct LogicalFile {
  AddFile add;
  std::string path;      ///< decoded
  std::string key;       ///< path and vector: what identifies it
  Version version = -1;  ///< the commit that added it; -1: known from a checkpoint

  mutable std::mutex deleted_mutex;
  mutable std::shared_ptr<const data::DeletedRows> deleted;  ///< once it was loaded
};
using LogicalFiles = std::vector<std::shared_ptr<const LogicalFile>>;

/// A removed file that readers of older versions may still need.
struct Tombstone {
  RemoveFile remove;
  std::string key;
};
using Tombstones = std::vector<std::shared_ptr<const Tombstone>>;

std::shared_ptr<const LogicalFile> make_logical_file(AddFile add, Version version);

/// What one version of a table is. Parts that a commit left alone are shared with the
/// version before.
struct TableState {
  Version version = -1;
  std::optional<Protocol> protocol;
  std::optional<Metadata> metadata;
  std::shared_ptr<const LogicalFiles> files;  ///< sorted by path
  std::shared_ptr<const Tombstones> tombstones;
  std::shared_ptr<const std::map<std::string, SetTransaction, std::less<>>>
      transactions;
  std::shared_ptr<const std::map<std::string, DomainMetadata>> domains;
  /// Of the last commit that was replayed, if it names one.
  std::optional<std::int64_t> in_commit_timestamp_ms;
};

/// Applies actions, oldest first, to a state: the last word on each file, transaction
/// and domain stands.
///
/// Not thread-safe. Source: PROTOCOL.md, "Action Reconciliation".
class Replay {
 public:
  /// On top of nothing.
  Replay();
  /// On top of `base`.
  explicit Replay(const TableState& base);

  /// `version` is that of the commit, or -1 for a checkpoint. Sidecars and checkpoint
  /// metadata are not for here.
  void apply(Action action, Version version);

  /// Errors: corrupt, if there is no protocol or no metadata by now.
  Result<TableState> finish(Version version) &&;

 private:
  struct Entry {  // one of both is set
    std::shared_ptr<const LogicalFile> file;
    std::shared_ptr<const Tombstone> tombstone;
  };

  void merge_files();

  TableState state_;
  std::unordered_map<std::string, Entry> changed_;  // by key
  std::map<std::string, SetTransaction, std::less<>> transactions_;
  std::map<std::string, DomainMetadata> domains_;
  bool transactions_changed_ = false;
  bool domains_changed_ = false;
};

}  // namespace lakemill::delta
