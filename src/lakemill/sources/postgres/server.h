#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lakemill/sources/postgres/connection.h"
#include "lakemill/sources/postgres/row_builder.h"

namespace lakemill::sources::postgres {

// What is asked of a server, and made there, around a replication stream.

struct TableId {
  std::string schema;
  std::string table;

  std::string to_text() const { return schema + "." + table; }
  std::string quoted() const;
  auto operator<=>(const TableId&) const = default;
};

/// Which server it is: another one, or one that history was forked from, has other
/// positions.
struct ServerIdentity {
  std::string system;
  std::int64_t timeline = 0;
  Lsn flushed = 0;  ///< the end of its log when it was asked

  bool same_log(const ServerIdentity& other) const {
    return system == other.system && timeline == other.timeline;
  }
};
/// `connection`: one for replication.
Result<ServerIdentity> identify(Connection& connection);

/// Errors: invalid, with what to set, if the server's log has too little for decoding.
Status check_wal_level(Connection& connection, const std::string& place);

struct SlotState {
  std::string plugin;
  std::string database;
  std::string wal_status;  ///< "lost": its log is gone
  std::optional<Lsn> confirmed;
  std::optional<std::string> active_pid;
};
Result<std::optional<SlotState>> find_slot(Connection& connection,
                                           const std::string& slot);
/// Waits for the transactions that are running. Errors: denied, with what to grant.
Status create_slot(Connection& connection, const std::string& slot,
                   const std::string& user);

/// What publication `name` must have; true if it was changed here, so that changes of
/// before are not in the stream. Errors: not_found and denied, with the statement to
/// type; invalid (a table without a replica identity would be added, or changes would
/// come under another table's name: a partition's, or that of the table it is part of).
Result<bool> ensure_publication(Connection& connection, const std::string& name,
                                const std::vector<TableId>& tables, bool create);

/// Which table has a name, and by which entry it is published. A table that was dropped
/// and made anew, or taken out of a publication and put back, has another identity:
/// changes that were made between are in no stream.
struct TableIdentity {
  Oid relation = 0;  ///< 0: there is no such table
  Oid publishing =
      0;  ///< 0: it has no entry of its own (its schema has, or all tables)
  bool is_published = false;
};

/// The tables as they are now; those that are not there are not in it. Errors: invalid,
/// as ensure_publication().
Result<std::map<TableId, TableIdentity>> identify_tables(
    Connection& connection, const std::string& publication,
    const std::vector<TableId>& tables);

/// Whether this role can read all rows of the table, and of each of its partitions.
/// Errors: denied, with what to grant.
Status check_readable(Connection& connection, const TableId& table);

/// Waits until every transaction that is writing now has ended.
Status wait_for_writers(Connection& connection, const std::stop_token& stop);

/// A piece of a table's rows that can be read by itself.
struct TableRange {
  std::string table;  ///< quoted
  std::string where;  ///< SQL, or empty
};

struct TableDescription {
  std::vector<RelationColumn> columns;  ///< those that are published
  std::vector<TableRange> ranges;
};

/// `publication`: whose column list and row filter count; empty: none. Errors:
/// not_found, naming what is near; denied.
Result<TableDescription> describe_table(Connection& connection, const TableId& table,
                                        const std::string& publication,
                                        int parallelism);

/// Answers from a connection, which it borrows; remembers types.
class ServerLookup final : public TableLookup {
 public:
  explicit ServerLookup(std::function<Result<Connection*>()> connection)
      : connection_(std::move(connection)) {}

  Result<std::optional<TypeFacts>> type_facts(Oid type) override;
  Result<std::vector<std::string>> primary_key(
      const RelationMessage& relation) override;
  Result<std::optional<std::vector<std::optional<std::string>>>> row_now(
      const RelationMessage& relation,
      const std::vector<std::pair<std::string, std::string>>& keys,
      const std::vector<std::string>& columns) override;

 private:
  std::function<Result<Connection*>()> connection_;
  std::map<Oid, std::optional<TypeFacts>> types_;
};

}  // namespace lakemill::sources::postgres
