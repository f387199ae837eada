#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "lakemill/base/clock.h"
#include "lakemill/base/random.h"
#include "lakemill/data/table_scan.h"
#include "lakemill/delta/snapshot.h"
#include "lakemill/delta/transaction.h"
#include "lakemill/events/event.h"
#include "lakemill/events/ports.h"
#include "lakemill/storage/object_store.h"

namespace lakemill::events {

/// What the log borrows; all must outlive it.
struct EventServices {
  storage::StoreProvider& stores;
  delta::CheckpointFormat& checkpoints;
  EventFiles& files;
  Clock& clock;
  Random& random;
};

/// Rows that are to be appended together: the events of one group commit.
struct EventGroup {
  std::string file_name;  ///< the same each time the group is tried
  std::string rows;       ///< row_of() of each event, a newline behind each
  std::vector<Event> events;
  std::optional<EventFile> file;  ///< once it is written
  /// It was tried before, or elsewhere: it may be in the log already.
  bool may_be_there = false;
};

/// The event log of a project: the Delta table at `<root>/_lakemill/events`, append
/// only, which comes with its first event.
///
/// Thread-safety: concurrent calls are allowed.
class EventLog {
 public:
  static Result<std::unique_ptr<EventLog>> open(std::string_view root_url,
                                                EventServices services);

  const std::string& url() const { return url_; }
  Clock& clock() const { return services_.clock; }
  Random& random() const { return services_.random; }

  /// Every event, as files to read with SQL (event_query.h). Errors: not_found (nothing
  /// has happened yet), and those of the table.
  Result<std::shared_ptr<const data::TableScan>> scan();

  /// The newest version of the log's table; -1 where there is none yet. Errors: those
  /// of the table.
  Result<delta::Version> newest_version();

  /// The events that versions `from`..`to` brought, without what was only rearranged.
  /// Errors: not_found (a version was cleaned away), corrupt, unavailable.
  Result<AddedEvents> added(delta::Version from, delta::Version to);

  /// Hears of each group that append() knows to be committed, on its thread; null: no
  /// longer, and no call is under way. There is one follower at most.
  using Follower = std::function<void(delta::Version, const EventGroup&)>;
  void follow(Follower follower);

  /// Writes a group's file, unless that is done, and commits it. After an error the
  /// same group may be tried again: a file's name is in the table once, so no event is
  /// there twice. Errors: denied, unavailable, unknown (it may be there).
  Status append(EventGroup& group);

 private:
  EventLog(std::string url, std::unique_ptr<delta::Table> table,
           EventServices services);
  Result<std::shared_ptr<const delta::Snapshot>> snapshot_or_null();
  Result<delta::CommitOutcome> commit(const EventGroup& group,
                                      std::shared_ptr<const delta::Snapshot> base);
  Status checkpoint_if_due(delta::Version version);

  const std::string url_;
  const std::unique_ptr<delta::Table> table_;
  EventServices services_;
  std::mutex follower_mutex_;
  Follower follower_;  // guarded by follower_mutex_
};

}  // namespace lakemill::events
