// Snapshots that a feed hands out: rows that its stream does not bring, and no others.
#include <algorithm>
#include <thread>

#include "lakemill/base/text.h"
#include "lakemill/sources/postgres/feed.h"

namespace lakemill::sources::postgres {

namespace {

constexpr auto kVisibleWait = std::chrono::milliseconds(20);

}  // namespace

Result<std::unique_ptr<Connection>> PostgresFeed::connect_for_snapshot() {
  auto opened =
      Connection::open(options_.connection, ConnectionPurpose::queries, options_.stop);
  if (opened || !opened.error().retryable()) return opened;
  hang_up();
  LAKEMILL_TRY(auto connection, connect(ConnectionPurpose::queries));
  LAKEMILL_TRY_OK(open(true));
  return connection;
}

Result<Visibility> PostgresFeed::export_snapshot(Connection& connection,
                                                 const Reader& reader,
                                                 std::string& name) {
  constexpr int kTriesMax = 100;
  const TableId& table = reader.spec.table;
  LAKEMILL_TRY(Connection * before, control());
  LAKEMILL_TRY_OK(check_readable(*before, table));
  for (int i = 0; i < kTriesMax; ++i) {
    LAKEMILL_TRY_OK(connection.execute(
        "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"));
    // A table that is rewritten by an ALTER looks empty to a snapshot of before: so
    // nobody may do that from here on.
    const auto locked = connection.execute("LOCK TABLE ONLY " + table.quoted() +
                                           " IN ACCESS SHARE MODE");
    if (!locked) {
      return Error(locked.error().code(),
                   locked.error().message() + "; type: GRANT SELECT ON " +
                       table.quoted() + " TO " +
                       quote_identifier(options_.connection.user()));
    }
    LAKEMILL_TRY(
        const TextTable told,
        connection.query("SELECT pg_export_snapshot(), pg_current_snapshot()"));
    name = told.at(0).at(0).value_or("");
    LAKEMILL_TRY(Visibility seen, parse_snapshot(told.at(0).at(1).value_or("")));
    LAKEMILL_TRY(Connection * other, control());
    LAKEMILL_TRY(const TextTable end,
                 other->query("SELECT pg_current_wal_insert_lsn()"));
    const auto horizon = parse_lsn(end.at(0).at(0).value_or(""));
    if (!horizon) return Error(ErrorCode::corrupt, "the server tells no position");
    seen.horizon = *horizon;
    // A commit is in the log a moment before it is seen: what was streamed already must
    // be in the snapshot.
    const bool has_all = !reader.spec.streams ||
                         std::none_of(seen.running.begin(), seen.running.end(),
                                      [this](std::uint64_t transaction) {
                                        return writer_.has_committed(transaction);
                                      });
    if (has_all) return seen;
    LAKEMILL_TRY_OK(connection.execute("ROLLBACK"));
    std::this_thread::sleep_for(kVisibleWait);
  }
  return Error(ErrorCode::unavailable,
               options_.connection.place() +
                   ": transactions that were committed do not become visible");
}

Result<SharedSnapshot> PostgresFeed::begin_with_snapshot(const std::string& id,
                                                         int parallelism) {
  const Lock lock(mutex_);
  LAKEMILL_TRY(Reader * reader, find(id));
  LAKEMILL_TRY_OK(open_to_begin(*reader));
  SharedSnapshot snapshot;
  snapshot.reader = id;
  LAKEMILL_TRY(snapshot.connection, connect_for_snapshot());
  LAKEMILL_TRY(snapshot.seen,
               export_snapshot(*snapshot.connection, *reader, snapshot.name));
  LAKEMILL_TRY(snapshot.table, describe_table(*snapshot.connection, reader->spec.table,
                                              options_.publication, parallelism));
  LAKEMILL_TRY(snapshot.layout, make_layout(snapshot.table.columns, lookup_));
  snapshot.start = {processed_ - 1, server_};
  reader->begun = true;
  reader->acknowledged = reader->part.from = snapshot.start.from;
  reader->released = processed_;
  reader->part.seen = snapshot.seen;
  if (reader->spool != nullptr) retired_.push_back(std::move(reader->spool));
  reader->spool = nullptr;
  LAKEMILL_TRY_OK(let_in());
  LAKEMILL_TRY_OK(confirm(false));
  return snapshot;
}

Result<SharedSnapshot> PostgresFeed::only_snapshot(const std::string& id,
                                                   int parallelism) {
  const Lock lock(mutex_);
  LAKEMILL_TRY(Reader * reader, find(id));
  SharedSnapshot snapshot;
  snapshot.reader = id;
  LAKEMILL_TRY(snapshot.connection, connect(ConnectionPurpose::queries));
  LAKEMILL_TRY(snapshot.seen,
               export_snapshot(*snapshot.connection, *reader, snapshot.name));
  LAKEMILL_TRY(snapshot.table, describe_table(*snapshot.connection, reader->spec.table,
                                              "", parallelism));
  LAKEMILL_TRY(snapshot.layout, make_layout(snapshot.table.columns, lookup_));
  snapshot.start.from = snapshot.seen.horizon;
  return snapshot;
}

}  // namespace lakemill::sources::postgres
