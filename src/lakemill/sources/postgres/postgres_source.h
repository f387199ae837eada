#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "lakemill/sources/source.h"
#include "lakemill/storage/object_store.h"

namespace lakemill::sources {

namespace postgres {
class PostgresFeed;
}

enum class PostgresSnapshot : std::uint8_t {
  initial,  ///< the rows that are there, then the changes
  never,    ///< the changes from now on
  only      ///< the rows that are there, and nothing more
};

/// A table that a pipeline reads, and by which of its sources.
struct PostgresTable {
  std::string reader;  ///< "<node>/<source>"
  std::string schema;
  std::string table;
  PostgresSnapshot snapshot = PostgresSnapshot::initial;
  bool has_row_bound = false;  ///< batches may have to end at any commit
};

/// A place of `connections:`. All sources that name it share one replication slot.
struct PostgresConnection {
  std::string name;  ///< of the connection: where its state is kept
  std::string uri;   ///< may hold ${secret.NAME}
  std::string slot;
  std::string publication;
  bool create = true;                 ///< publication and slot, where they are missing
  std::vector<PostgresTable> tables;  ///< all that the pipeline reads of it
};

struct PostgresSourceSpec {
  PostgresConnection connection;
  std::string reader;
  int snapshot_parallelism = 2;
  std::int64_t rows_max = 0;                    ///< per batch; 0: no bound
  std::int64_t bytes_max = 0;                   ///< likewise
  std::shared_ptr<storage::ObjectStore> state;  ///< of the flow
  std::string state_folder;                     ///< in it, for staged snapshots
};

/// What happens to a slot or a server, told when it happens.
struct PostgresNews {
  enum class Kind : std::uint8_t {
    slot_lost,       ///< it is gone, or its log is
    slot_moved,      ///< it was confirmed beyond what the tables have
    slot_in_use,     ///< somebody else reads it
    table_lost,      ///< it was made anew, or left the publication
    server_changed,  ///< another server, or one that failed over
    connection_lost,
    connection_restored,
    snapshot_started,
    snapshot_progressed,
    snapshot_finished,
  };
  Kind kind = Kind::slot_lost;
  std::string reader;  ///< "<node>/<source>"; empty: the whole connection
  std::string message;
  Json details = Json::object();  ///< slot, positions
};

/// The replication slots that a run of a pipeline reads: one feed for each connection,
/// made when the first of its sources is opened and closed with the last user of this
/// object, which tells the server up to where all is safe.
///
/// Thread-safety: concurrent calls are allowed.
class PostgresFeeds {
 public:
  using Resolve = std::function<Result<std::string>(const std::string& text)>;

  /// `folder` in `store`: state of the connections. `spool_folder`: a local folder for
  /// changes on their way. `resolve` puts secrets into a connection's uri.
  PostgresFeeds(std::shared_ptr<storage::ObjectStore> store, std::string folder,
                std::string spool_folder, Resolve resolve);
  ~PostgresFeeds();
  /// A spool folder for where the state is not on this machine, of this user alone.
  static std::string temporary_folder();
  PostgresFeeds(const PostgresFeeds&) = delete;
  PostgresFeeds& operator=(const PostgresFeeds&) = delete;

  // Before the first source is opened:

  /// Sources give what has come, and wait a moment when nothing has; else they catch up
  /// with what was there at the start.
  void follow() { follows_ = true; }
  /// Nothing is made or moved, neither at the server nor in the state; changes are
  /// looked at in a temporary folder.
  void look_only();
  /// The server is told of every batch before the next one, rather than once a second:
  /// so that a test can die around each telling.
  void confirm_each_batch() { confirms_each_batch_ = true; }
  /// Hears of news; may be called by several threads. Never waits for the feeds.
  void tell(std::function<void(const PostgresNews&)> hear) { hear_ = std::move(hear); }
  /// Whoever waits for a server stops.
  void stop_on(std::stop_token stop) { stop_ = std::move(stop); }

  /// The changes of one table. Its rows have the table's columns, then `_rescued`,
  /// `_op`, `_unchanged` and `_source_offset`. Errors: invalid (the uri), unsupported
  /// (no libpq), those of the secrets.
  Result<std::unique_ptr<Source>> open(PostgresSourceSpec spec);

 private:
  Result<std::shared_ptr<postgres::PostgresFeed>> feed_of(
      const PostgresConnection& connection);
  void remove_left_spools() const;

  std::shared_ptr<storage::ObjectStore> store_;
  const std::string folder_;
  std::string spool_folder_;
  const Resolve resolve_;
  bool follows_ = false;
  bool looks_only_ = false;
  bool confirms_each_batch_ = false;
  std::function<void(const PostgresNews&)> hear_;
  std::stop_token stop_;
  std::mutex mutex_;
  int lock_ = -1;           // of the spool folder, guarded by mutex_
  std::string own_folder_;  // likewise
  std::map<std::string, std::shared_ptr<postgres::PostgresFeed>> feeds_;  // likewise
};

}  // namespace lakemill::sources
