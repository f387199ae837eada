#include "lakemill/sources/postgres/server.h"

#include <algorithm>
#include <charconv>
#include <thread>

#include "lakemill/base/quoted_list.h"
#include "lakemill/base/text.h"

namespace lakemill::sources::postgres {

namespace {

constexpr int kTidScanVersion = 140000;  // reads ranges of pages by themselves
constexpr int kColumnListVersion = 150000;
constexpr std::int64_t kRangePagesMin = 1024;
constexpr int kRangesPerReader = 8;

std::int64_t number(const std::optional<std::string>& text) {
  std::int64_t value = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

std::string cell(const TextTable& table, std::size_t row, std::size_t column) {
  return table.at(row).at(column).value_or("");
}

std::string table_list(const std::vector<TableId>& tables) {
  std::vector<std::string> names;
  for (const TableId& table : tables) names.push_back(table.quoted());
  return join(names, ", ");
}

Error with_hint(Error error, const std::string& hint) {
  return {error.code(), error.message() + "; " + hint};
}

Error missing_table(Connection& connection, const TableId& table) {
  std::vector<std::string> names;
  const auto found = connection.query(
      "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON "
      "n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN "
      "('pg_catalog', 'information_schema') LIMIT 10000");
  if (!found) return found.error();
  for (const auto& row : *found) names.push_back(row.at(0).value_or(""));
  const auto near = nearest(table.to_text(), names);
  return Error(ErrorCode::not_found, "there is no table " + table.to_text() +
                                         " in the database" +
                                         (near ? "; did you mean " + *near + "?" : ""));
}

Result<std::string> find_table(Connection& connection, const TableId& table) {
  LAKEMILL_TRY(const TextTable found,
               connection.query("SELECT c.oid, c.relkind FROM pg_class c JOIN "
                                "pg_namespace n ON n.oid = c.relnamespace WHERE "
                                "n.nspname = $1 AND c.relname = $2 AND c.relkind IN "
                                "('r', 'p', 'v', 'm', 'f')",
                                {table.schema, table.table}));
  if (found.empty()) return missing_table(connection, table);
  const std::string kind = cell(found, 0, 1);
  if (kind != "r" && kind != "p") {
    return Error(ErrorCode::invalid,
                 table.to_text() +
                     " is no table, so that its changes are not in the "
                     "log of the server; name the tables behind it");
  }
  return cell(found, 0, 0);
}

// Once published, the server refuses updates and deletes of a table whose rows it
// cannot name: that must not happen to somebody's application unasked.
Status check_identity(Connection& connection, const TableId& table) {
  LAKEMILL_TRY(const std::string oid, find_table(connection, table));
  LAKEMILL_TRY(
      const TextTable found,
      connection.query(
          "SELECT c.relreplident, EXISTS (SELECT FROM pg_index i WHERE i.indrelid = "
          "c.oid AND i.indisprimary) FROM pg_class c WHERE c.oid = $1::oid",
          {oid}));
  const std::string identity = cell(found, 0, 0);
  const bool has_key = cell(found, 0, 1) == "t";
  if (identity == "f" || identity == "i" || (identity == "d" && has_key)) return {};
  return Error(
      ErrorCode::invalid,
      "table " + table.to_text() +
          " has no primary key (its replica identity names no row): if it were "
          "published, the server would refuse every update and delete of it. Type "
          "ALTER TABLE " +
          table.quoted() +
          " REPLICA IDENTITY FULL, or give it a primary key; for a table that only "
          "grows, make the publication yourself WITH (publish = 'insert, truncate') "
          "and name it in the connection");
}

Result<std::vector<TableId>> tables_not_in(Connection& connection,
                                           const std::string& publication,
                                           const std::vector<TableId>& tables) {
  LAKEMILL_TRY(const TextTable found,
               connection.query("SELECT schemaname, tablename FROM "
                                "pg_publication_tables WHERE pubname = $1",
                                {publication}));
  std::vector<TableId> missing;
  for (const TableId& table : tables) {
    const bool published =
        std::any_of(found.begin(), found.end(), [&](const auto& row) {
          return row.at(0) == table.schema && row.at(1) == table.table;
        });
    if (!published) missing.push_back(table);
  }
  return missing;
}

Status change_publication(Connection& connection, const std::string& statement) {
  auto done = connection.execute(statement);
  if (done || done.error().code() != ErrorCode::denied) return done;
  return with_hint(std::move(done).error(),
                   "ask the owner of the tables to type: " + statement);
}

// For IN of a pair of names.
std::string name_pairs(const std::vector<TableId>& tables) {
  std::vector<std::string> pairs;
  for (const TableId& table : tables) {
    pairs.push_back("(" + quote_literal(table.schema) + ", " +
                    quote_literal(table.table) + ")");
  }
  return "(" + join(pairs, ", ") + ")";
}

// Changes of a partitioned table come under its own name only if the publication says
// so, and then those of its partitions come under that name too. Whoever reads the
// other name would get nothing, and the slot would go on.
Status check_names(Connection& connection, const std::string& publication,
                   const std::vector<TableId>& tables) {
  if (tables.empty()) return {};
  LAKEMILL_TRY(
      const TextTable found,
      connection.query(
          "SELECT n.nspname || '.' || c.relname, c.relkind, p.pubviaroot, (SELECT "
          "min(t.schemaname || '.' || t.tablename) FROM pg_partition_ancestors(c.oid) "
          "up JOIN pg_class a ON a.oid = up.relid AND a.oid <> c.oid JOIN pg_namespace "
          "m ON m.oid = a.relnamespace JOIN pg_publication_tables t ON t.pubname = "
          "p.pubname AND t.schemaname = m.nspname AND t.tablename = a.relname) FROM "
          "pg_publication p, pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
          "WHERE p.pubname = $1 AND (c.relkind = 'p' OR c.relispartition) AND "
          "(n.nspname, c.relname) IN " +
              name_pairs(tables) + " ORDER BY 1",
          {publication}));
  for (const auto& row : found) {
    const std::string table = row.at(0).value_or("");
    const bool via_root = row.at(2) == "t";
    if (!via_root && row.at(1) == "p") {
      return Error(ErrorCode::invalid,
                   "publication " + publication + " gives the changes of table " +
                       table + " under the names of its partitions; type: " +
                       "ALTER PUBLICATION " + quote_identifier(publication) +
                       " SET (publish_via_partition_root = true)");
    }
    if (via_root && row.at(3)) {
      return Error(ErrorCode::invalid,
                   "publication " + publication + " gives the changes of table " +
                       table + " under the name of " + *row.at(3) +
                       ", whose partition it is; read " + *row.at(3) +
                       ", or name a publication without it (publication: of the "
                       "connection)");
    }
  }
  return {};
}

// Inside a transaction, which is for nothing if the changes do not come by this.
Status add_to_publication(Connection& connection, const std::string& statement,
                          const std::string& name, const std::vector<TableId>& tables) {
  LAKEMILL_TRY_OK(change_publication(connection, statement));
  LAKEMILL_TRY_OK(check_names(connection, name, tables));
  LAKEMILL_TRY(const auto missing, tables_not_in(connection, name, tables));
  if (missing.empty()) return {};
  return Error(ErrorCode::invalid, "publication " + name +
                                       " does not give the changes of table " +
                                       missing.front().to_text() + ", even after " +
                                       statement + "; name another publication");
}

Result<std::vector<TableId>> leaves_of(Connection& connection, const TableId& table,
                                       const std::string& oid) {
  LAKEMILL_TRY(const TextTable found,
               connection.query(
                   "SELECT n.nspname, c.relname FROM "
                   "pg_partition_tree($1::oid::regclass) t JOIN pg_class c ON "
                   "c.oid = t.relid JOIN pg_namespace n ON n.oid = "
                   "c.relnamespace WHERE t.isleaf AND c.relkind = 'r' ORDER BY 1, 2",
                   {oid}));
  std::vector<TableId> leaves;
  for (const auto& row : found) {
    leaves.push_back({row.at(0).value_or(""), row.at(1).value_or("")});
  }
  if (leaves.empty()) leaves.push_back(table);
  return leaves;
}

Status add_ranges(Connection& connection, const TableId& leaf, int parallelism,
                  const std::string& filter, std::vector<TableRange>& ranges) {
  LAKEMILL_TRY(const TextTable found,
               connection.query("SELECT pg_relation_size($1::regclass) / "
                                "current_setting('block_size')::bigint",
                                {leaf.quoted()}));
  const std::int64_t pages = number(found.at(0).at(0));
  const std::int64_t step =
      std::max(kRangePagesMin, pages / (std::max(1, parallelism) * kRangesPerReader));
  const bool by_pages =
      connection.server_version() >= kTidScanVersion && parallelism > 1 && pages > step;
  const std::string also = filter.empty() ? "" : "(" + filter + ")";
  if (!by_pages) {
    ranges.push_back({leaf.quoted(), also});
    return {};
  }
  for (std::int64_t first = 0; first < pages; first += step) {
    std::string where = "ctid >= '(" + std::to_string(first) + ",0)'::tid";
    // The last range goes to the end, however much the table has grown since.
    if (first + step < pages) {
      where += " AND ctid < '(" + std::to_string(first + step) + ",0)'::tid";
    }
    if (!also.empty()) where += " AND " + also;
    ranges.push_back({leaf.quoted(), std::move(where)});
  }
  return {};
}

}  // namespace

std::string TableId::quoted() const {
  return quote_identifier(schema) + "." + quote_identifier(table);
}

Result<ServerIdentity> identify(Connection& connection) {
  LAKEMILL_TRY(const TextTable answer, connection.query("IDENTIFY_SYSTEM"));
  const auto flushed = parse_lsn(cell(answer, 0, 2));
  if (!flushed) return Error(ErrorCode::corrupt, "the server tells no position");
  return ServerIdentity{cell(answer, 0, 0), number(answer.at(0).at(1)), *flushed};
}

Status check_wal_level(Connection& connection, const std::string& place) {
  LAKEMILL_TRY(const TextTable answer, connection.query("SHOW wal_level"));
  const std::string level = cell(answer, 0, 0);
  if (level == "logical") return {};
  return Error(ErrorCode::invalid,
               place + ": wal_level is " + level +
                   ", too low to read changes; as a superuser type ALTER SYSTEM SET "
                   "wal_level = logical, and restart the server");
}

Result<std::optional<SlotState>> find_slot(Connection& connection,
                                           const std::string& slot) {
  LAKEMILL_TRY(const TextTable found,
               connection.query("SELECT plugin, database, wal_status, "
                                "confirmed_flush_lsn, active_pid FROM "
                                "pg_replication_slots WHERE slot_name = $1",
                                {slot}));
  if (found.empty()) return std::optional<SlotState>();
  SlotState state;
  state.plugin = cell(found, 0, 0);
  state.database = cell(found, 0, 1);
  state.wal_status = cell(found, 0, 2);
  if (found[0][3]) state.confirmed = parse_lsn(*found[0][3]);
  state.active_pid = found[0][4];
  return std::optional(std::move(state));
}

Status create_slot(Connection& connection, const std::string& slot,
                   const std::string& user) {
  auto made = connection.query(
      "SELECT pg_create_logical_replication_slot($1, 'pgoutput')", {slot});
  if (made) return {};
  if (made.error().code() == ErrorCode::denied) {
    return with_hint(std::move(made).error(),
                     "type: ALTER ROLE " + quote_identifier(user) + " REPLICATION");
  }
  const bool none_free =
      made.error().message().find("slots are in use") != std::string::npos;
  if (!none_free) return std::move(made).error().while_doing("create slot " + slot);
  return with_hint(std::move(made).error(),
                   "drop a slot that nobody reads (SELECT * FROM "
                   "pg_replication_slots), or raise max_replication_slots");
}

Status check_readable(Connection& connection, const TableId& table) {
  LAKEMILL_TRY(const std::string oid, find_table(connection, table));
  LAKEMILL_TRY(
      const TextTable found,
      connection.query(
          "SELECT n.nspname, c.relname, row_security_active(c.oid), "
          "has_any_column_privilege(c.oid, 'SELECT'), current_user FROM pg_class c "
          "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::oid OR "
          "(c.relkind = 'r' AND c.oid IN (SELECT relid FROM "
          "pg_partition_tree($1::oid::regclass))) ORDER BY 1, 2",
          {oid}));
  std::vector<TableId> forbidden;
  for (const auto& row : found) {
    const TableId part{row.at(0).value_or(""), row.at(1).value_or("")};
    const std::string role = row.at(4).value_or("");
    if (row.at(2) == "t") {
      return Error(ErrorCode::denied,
                   "row-level security of table " + part.to_text() +
                       " may hide rows from role " + role +
                       ": a snapshot would lack them, while the log has their "
                       "changes. As a superuser type: ALTER ROLE " +
                       quote_identifier(role) + " BYPASSRLS");
    }
    if (row.at(3) != "t") forbidden.push_back(part);
  }
  if (forbidden.empty()) return {};
  return Error(ErrorCode::denied,
               "permission denied for table " + forbidden.front().to_text() +
                   "; type: GRANT SELECT ON " + table_list(forbidden) + " TO " +
                   quote_identifier(cell(found, 0, 4)));
}

Result<bool> ensure_publication(Connection& connection, const std::string& name,
                                const std::vector<TableId>& tables, bool create) {
  LAKEMILL_TRY(
      const TextTable found,
      connection.query("SELECT 1 FROM pg_publication WHERE pubname = $1", {name}));
  std::vector<TableId> missing = tables;
  std::string statement = "CREATE PUBLICATION " + quote_identifier(name) +
                          " FOR TABLE " + table_list(tables) +
                          " WITH (publish_via_partition_root = true)";
  if (!found.empty()) {
    LAKEMILL_TRY_OK(check_names(connection, name, tables));
    LAKEMILL_TRY(missing, tables_not_in(connection, name, tables));
    if (missing.empty()) return false;
    statement = "ALTER PUBLICATION " + quote_identifier(name) + " ADD TABLE " +
                table_list(missing);
  }
  for (const TableId& table : missing) {
    LAKEMILL_TRY(const std::string oid, find_table(connection, table));
  }
  if (!create) {
    const std::string what = found.empty() ? "there is no publication " + name
                                           : "publication " + name + " lacks table " +
                                                 missing.front().to_text();
    return Error(ErrorCode::not_found, what + "; type: " + statement);
  }
  for (const TableId& table : missing) {
    LAKEMILL_TRY_OK(check_identity(connection, table));
  }
  LAKEMILL_TRY_OK(connection.execute("BEGIN"));
  const auto changed = add_to_publication(connection, statement, name, tables);
  const auto ended = connection.execute(changed ? "COMMIT" : "ROLLBACK");
  LAKEMILL_TRY_OK(changed);
  LAKEMILL_TRY_OK(ended);
  return true;
}

Result<std::map<TableId, TableIdentity>> identify_tables(
    Connection& connection, const std::string& publication,
    const std::vector<TableId>& tables) {
  LAKEMILL_TRY_OK(check_names(connection, publication, tables));
  std::map<TableId, TableIdentity> found;
  if (tables.empty()) return found;
  LAKEMILL_TRY(
      const TextTable rows,
      connection.query(
          "SELECT n.nspname, c.relname, c.oid, (SELECT r.oid FROM pg_publication_rel r "
          "JOIN pg_publication p ON p.oid = r.prpubid WHERE p.pubname = $1 AND "
          "r.prrelid = c.oid), EXISTS (SELECT FROM pg_publication_tables t WHERE "
          "t.pubname = $1 AND t.schemaname = n.nspname AND t.tablename = c.relname) "
          "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE "
          "c.relkind IN ('r', 'p') AND (n.nspname, c.relname) IN " +
              name_pairs(tables),
          {publication}));
  for (const auto& row : rows) {
    found[{row.at(0).value_or(""), row.at(1).value_or("")}] = {
        static_cast<Oid>(number(row.at(2))), static_cast<Oid>(number(row.at(3))),
        row.at(4) == "t"};
  }
  return found;
}

Status wait_for_writers(Connection& connection, const std::stop_token& stop) {
  constexpr auto kInterval = std::chrono::milliseconds(50);
  LAKEMILL_TRY(const TextTable now,
               connection.query("SELECT pg_snapshot_xmax(pg_current_snapshot())"));
  const std::string end = cell(now, 0, 0);
  while (!stop.stop_requested()) {
    LAKEMILL_TRY(const TextTable done,
                 connection.query("SELECT pg_snapshot_xmin(pg_current_snapshot()) >= "
                                  "$1::xid8",
                                  {end}));
    if (cell(done, 0, 0) == "t") return {};
    std::this_thread::sleep_for(kInterval);
  }
  return Error(ErrorCode::cancelled, "stopped");
}

Result<TableDescription> describe_table(Connection& connection, const TableId& table,
                                        const std::string& publication,
                                        int parallelism) {
  LAKEMILL_TRY(const std::string oid, find_table(connection, table));
  TableDescription description;
  std::string filter;
  std::string only = "true";
  if (!publication.empty() && connection.server_version() >= kColumnListVersion) {
    LAKEMILL_TRY(const TextTable published,
                 connection.query("SELECT rowfilter FROM pg_publication_tables WHERE "
                                  "pubname = $1 AND schemaname = $2 AND tablename = $3",
                                  {publication, table.schema, table.table}));
    if (!published.empty()) {
      filter = cell(published, 0, 0);
      only =
          "a.attname = ANY ((SELECT attnames FROM pg_publication_tables WHERE "
          "pubname = " +
          quote_literal(publication) +
          " AND schemaname = " + quote_literal(table.schema) +
          " AND tablename = " + quote_literal(table.table) + ")::name[])";
    }
  }
  LAKEMILL_TRY(
      const TextTable columns,
      connection.query("SELECT a.attname, a.atttypid, a.atttypmod FROM "
                       "pg_attribute a WHERE a.attrelid = $1::oid AND a.attnum "
                       "> 0 AND NOT a.attisdropped AND a.attgenerated = '' AND " +
                           only + " ORDER BY a.attnum",
                       {oid}));
  for (const auto& row : columns) {
    description.columns.push_back(
        {row.at(0).value_or(""), static_cast<Oid>(number(row.at(1))),
         static_cast<std::int32_t>(number(row.at(2))), false});
  }
  LAKEMILL_TRY(const auto leaves, leaves_of(connection, table, oid));
  for (const TableId& leaf : leaves) {
    LAKEMILL_TRY_OK(
        add_ranges(connection, leaf, parallelism, filter, description.ranges));
  }
  return description;
}

Result<std::optional<TypeFacts>> ServerLookup::type_facts(Oid type) {
  const auto known = types_.find(type);
  if (known != types_.end()) return known->second;
  LAKEMILL_TRY(Connection * connection, connection_());
  LAKEMILL_TRY(
      const TextTable found,
      connection->query("SELECT t.typtype, t.typbasetype, t.typtypmod, CASE WHEN "
                        "t.typcategory = 'A' AND t.typlen = -1 THEN t.typelem ELSE 0 "
                        "END, coalesce(e.typdelim, ',') FROM pg_type t LEFT JOIN "
                        "pg_type e ON e.oid = t.typelem WHERE t.oid = $1::oid",
                        {std::to_string(type)}));
  std::optional<TypeFacts> facts;
  if (!found.empty()) {
    const auto& row = found.front();
    facts =
        TypeFacts{row.at(0).value_or("b").front(), static_cast<Oid>(number(row.at(1))),
                  static_cast<std::int32_t>(number(row.at(2))),
                  static_cast<Oid>(number(row.at(3))), row.at(4).value_or(",").front()};
  }
  types_[type] = facts;
  return facts;
}

Result<std::vector<std::string>> ServerLookup::primary_key(
    const RelationMessage& relation) {
  LAKEMILL_TRY(Connection * connection, connection_());
  LAKEMILL_TRY(const TextTable found,
               connection->query("SELECT a.attname FROM pg_index i JOIN pg_attribute a "
                                 "ON a.attrelid = i.indrelid AND a.attnum = ANY "
                                 "(i.indkey) WHERE i.indrelid = $1::oid AND "
                                 "i.indisprimary",
                                 {std::to_string(relation.relation)}));
  std::vector<std::string> names;
  for (const auto& row : found) names.push_back(row.at(0).value_or(""));
  return names;
}

Result<std::optional<std::vector<std::optional<std::string>>>> ServerLookup::row_now(
    const RelationMessage& relation,
    const std::vector<std::pair<std::string, std::string>>& keys,
    const std::vector<std::string>& columns) {
  using Row = std::vector<std::optional<std::string>>;
  LAKEMILL_TRY(Connection * connection, connection_());
  std::vector<std::string> conditions;
  std::vector<std::optional<std::string>> values;
  for (const auto& [column, value] : keys) {
    values.emplace_back(value);
    conditions.push_back(quote_identifier(column) + " = $" +
                         std::to_string(values.size()));
  }
  const TableId table{relation.schema, relation.table};
  auto found =
      connection->query("SELECT " + quoted_list(columns) + " FROM " + table.quoted() +
                            " WHERE " + join(conditions, " AND "),
                        values);
  if (!found && found.error().code() == ErrorCode::denied) {
    LAKEMILL_TRY_OK(check_readable(*connection, table));
  }
  // A table or column that is gone by now has no value to give.
  if (!found && (found.error().code() == ErrorCode::unavailable ||
                 found.error().code() == ErrorCode::denied)) {
    return std::move(found).error();
  }
  if (!found || found->size() != 1) return std::optional<Row>();
  return std::optional<Row>(std::move(found->front()));
}

}  // namespace lakemill::sources::postgres
