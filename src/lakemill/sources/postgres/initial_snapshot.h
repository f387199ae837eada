#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "lakemill/sources/postgres/feed.h"
#include "lakemill/storage/object_store.h"

namespace lakemill::sources::postgres {

/// Rows of a snapshot in one object, as formats/text_rows.h.
struct SnapshotFile {
  std::string path;  ///< in the store
  std::int64_t rows = 0;
  std::vector<std::int64_t> blocks;  ///< sizes
  std::int64_t size_bytes() const;
};

/// A table's rows at one moment, staged in the flow's state so that a batch over them
/// can be made again.
struct StagedSnapshot {
  std::int64_t number = 0;
  FeedStart start;
  Visibility seen;
  TableLayout layout;
  std::vector<SnapshotFile> files;
};

/// Reads the snapshot by several connections at once, and stages it in `folder` of
/// `store`: files, then the manifest `<number>.json` with put-if-absent.
/// Errors: those of connections and store; cancelled.
Result<StagedSnapshot> stage_snapshot(PostgresFeed& feed, SharedSnapshot snapshot,
                                      storage::ObjectStore& store,
                                      const std::string& folder, int parallelism);

/// `files`: how many it must have. Errors: corrupt, those of the store; not_found.
Result<StagedSnapshot> load_snapshot(storage::ObjectStore& store,
                                     const std::string& folder, std::int64_t number,
                                     std::int64_t files);

/// The newest snapshot that was staged whole and not yet taken.
Result<std::optional<StagedSnapshot>> find_snapshot(storage::ObjectStore& store,
                                                    const std::string& folder);

/// The rows of snapshot `number` are in the table, or are not wanted: its files are
/// removed, as are those that an earlier call was kept from removing. Nothing happens
/// where that was done.
Status forget_rows(storage::ObjectStore& store, const std::string& folder,
                   std::int64_t number);

}  // namespace lakemill::sources::postgres
