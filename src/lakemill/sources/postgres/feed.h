#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "lakemill/base/clock.h"
#include "lakemill/sources/postgres/change_writer.h"
#include "lakemill/sources/postgres/feed_positions.h"
#include "lakemill/sources/postgres/postgres_source.h"
#include "lakemill/sources/postgres/replication_stream.h"
#include "lakemill/sources/postgres/server.h"
#include "lakemill/storage/object_store.h"

namespace lakemill::sources::postgres {

struct FeedReader {
  std::string id;  ///< of the node and its source: stable over runs
  TableId table;
  bool streams = true;        ///< false: only its snapshot is read
  bool every_commit = false;  ///< batches may have to end at any commit
};

struct FeedOptions {
  ConnectionInfo connection;
  std::string slot;
  std::string publication;
  bool create = true;
  std::vector<FeedReader> readers;  ///< all of the pipeline, whether they run or not
  std::shared_ptr<storage::ObjectStore> store;
  std::string folder;        ///< in the store: where positions are kept
  std::string spool_folder;  ///< local, of this feed alone; made and removed by it
  bool follows = false;      ///< gives what comes, rather than catching up
  bool looks_only = false;   ///< changes nothing, neither there nor here
  bool confirms_each_batch = false;               ///< rather than once a second
  std::function<void(const PostgresNews&)> hear;  ///< may be empty
  std::stop_token stop;
};

/// Where a stream begins for a reader.
struct FeedStart {
  Lsn from = 0;  ///< commits up to it are not wanted
  ServerIdentity server;
};

/// A snapshot that several connections can read.
struct SharedSnapshot {
  std::string reader;
  std::unique_ptr<Connection> connection;  ///< holds it
  std::string name;
  Visibility seen;
  FeedStart start;
  TableDescription table;
  TableLayout layout;
};

/// One replication slot as all nodes of a pipeline read it: one stream, decoded once,
/// spooled by reader in the order of commits.
///
/// The stream is read when a reader asks for what is new, by whoever asks first. The
/// server is told of a position only when every reader's tables hold what is before it
/// (or nothing was there for the reader), and after that was written down.
///
/// Thread-safety: all calls may come from several threads.
class PostgresFeed {
 public:
  explicit PostgresFeed(FeedOptions options);
  /// Tells the server what is acknowledged.
  ~PostgresFeed();
  PostgresFeed(const PostgresFeed&) = delete;
  PostgresFeed& operator=(const PostgresFeed&) = delete;

  const FeedOptions& options() const { return options_; }

  /// Tells whoever wants to hear, and what is said of the slot.
  void tell(PostgresNews news) const;

  /// A reader begins: publication and slot are made where they are missing and may be.
  /// Errors of all calls: those of the connection; not_found, invalid, denied, with
  /// what to do.
  Result<FeedStart> begin(const std::string& reader);

  /// The same with a snapshot: what it does not see is in the stream behind `start`.
  Result<SharedSnapshot> begin_with_snapshot(const std::string& reader,
                                             int parallelism);
  /// The same without a stream.
  Result<SharedSnapshot> only_snapshot(const std::string& reader, int parallelism);

  /// Whether the slot still has what comes after `from`. Fails if it has not.
  Status check(const std::string& reader, Lsn from, const ServerIdentity& server,
               const Visibility& seen);

  /// Everything up to `from` is in the reader's tables; reads on, and gives the commit
  /// at which the next batch ends: `from` if there is nothing new.
  Result<Lsn> advance(const std::string& reader, const FeedStart& from,
                      const std::optional<Visibility>& seen, const SpoolBounds& bounds);

  /// The rows of commits behind `from` up to `to`, and maybe some others.
  Result<std::vector<SpoolPart>> between(const std::string& reader,
                                         const FeedStart& from,
                                         const std::optional<Visibility>& seen, Lsn to);

  void acknowledge(const std::string& reader, Lsn lsn);

  /// The end of the server's log, and up to where nothing is left for the reader, by
  /// what was written down; nothing of the slot is touched.
  struct Ends {
    Lsn server = 0;
    Lsn released = 0;
  };
  Result<Ends> ends(const std::string& reader);

  /// The layout that the table has now.
  Result<TableLayout> layout_now(const std::string& reader);
  Result<std::unique_ptr<Connection>> connect(ConnectionPurpose purpose);

 private:
  struct Reader {
    FeedReader spec;
    SpoolReader part;
    std::unique_ptr<ChangeSpool> spool;
    bool begun = false;  // it has a position
    Oid publishing = 0;  // the entry of the publication that its table had; 0: none
    Lsn acknowledged = 0;
    Lsn released = 0;      // as last computed
    Lsn spooled_from = 0;  // the spool has all of its rows behind this
  };
  using Lock = std::unique_lock<std::mutex>;

  Result<Reader*> find(const std::string& id);
  Result<Connection*> control();
  void hang_up();
  Result<std::unique_ptr<Connection>> connect_for_snapshot();
  Status open(bool may_create);
  Status open_to_begin(Reader& reader);
  Status open_slot(bool may_create);
  Result<std::optional<SlotState>> claimed_slot(Connection& connection,
                                                bool may_create);
  Status check_slot(const std::optional<SlotState>& slot) const;
  Status take_slot(bool may_begin);
  Status check_server(const ServerIdentity& before, const ServerIdentity& server) const;
  Status check_known_server(bool may_begin);
  Status check_gap(const Reader& reader, Lsn from) const;
  Status publish();
  Status look_at_tables();
  Status check_table(Reader& reader, Lsn from);
  Status load();
  void start_stream();
  void give_spools();
  Status let_in();
  Status attach(Reader& reader, const FeedStart& from,
                const std::optional<Visibility>& seen);
  Status restart();
  Status pump(Lock& lock, Reader& reader, Lsn from, const SpoolBounds& bounds,
              std::optional<Lsn> until);
  Status recover(Lock& lock, const Error& error);
  Error told(PostgresNews::Kind kind, Error error, Json details) const;
  Error slot_in_use(Error error);
  Result<std::string> owner();
  Status lock_slot(Connection& connection);
  Status unlock_slot(Connection& connection);
  Status claim_slot(Connection& connection, bool was_there);
  void drop_large_spools();
  Lsn released(const Reader& reader) const;
  Status confirm(bool wants_answer);
  void keep_alive(const std::stop_token& stop);
  Result<Visibility> export_snapshot(Connection& connection, const Reader& reader,
                                     std::string& name);

  const FeedOptions options_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  ServerLookup lookup_;
  ChangeWriter writer_;
  std::map<std::string, Reader> readers_;
  std::vector<std::unique_ptr<ChangeSpool>> retired_;  // queries may still read them
  std::unique_ptr<Connection> control_;
  std::unique_ptr<ReplicationStream> stream_;
  ServerIdentity server_;
  FeedPositions known_;  // as on disk
  bool loaded_ = false;
  bool claimed_ = false;
  bool quiet_ = false;                       // whoever asks knows what to do
  std::map<TableId, TableIdentity> tables_;  // as they were when last looked at
  std::optional<std::chrono::steady_clock::time_point> looked_at_tables_;
  Lsn slot_confirmed_ = 0;
  Lsn processed_ = 0;  // commits before it are in the spools
  std::optional<Lsn> target_;
  int spools_made_ = 0;
  std::jthread keeper_;
};

}  // namespace lakemill::sources::postgres
