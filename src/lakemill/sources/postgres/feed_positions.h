#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "lakemill/sources/postgres/server.h"
#include "lakemill/sources/postgres/visibility.h"
#include "lakemill/storage/object_store.h"

namespace lakemill::sources::postgres {

/// Up to where one reader of a slot has come.
struct ReaderPosition {
  Lsn acknowledged = 0;  ///< commits up to it are in its tables
  /// The slot may forget what is committed before it: either it is in the tables, or
  /// there was nothing for this reader.
  Lsn released = 0;
  std::optional<Visibility> seen;  ///< of its snapshot, while that matters
  TableIdentity table;             ///< that it follows; relation 0: not known
};

/// What a pipeline remembers of a slot, so that a slot that was moved or lost by
/// somebody else is noticed. Written before the slot is told: what is here may be
/// behind the slot's own position by a crash, never ahead of what the tables hold.
struct FeedPositions {
  std::string slot;
  std::string system;
  std::int64_t timeline = 0;
  std::map<std::string, ReaderPosition> readers;

  /// Whether both have the same readers, and those follow the same tables.
  bool same_readers(const FeedPositions& other) const;
};

/// Errors: corrupt, those of the store. Nothing: the slot was never read here.
Result<std::optional<FeedPositions>> load_positions(storage::ObjectStore& store,
                                                    const std::string& path);
Status save_positions(storage::ObjectStore& store, const std::string& path,
                      const FeedPositions& positions);

}  // namespace lakemill::sources::postgres
