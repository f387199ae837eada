// What a feed knows from before, and whether server and slot still fit it.
#include <algorithm>
#include <filesystem>
#include <thread>

#include "lakemill/base/random.h"
#include "lakemill/base/text.h"
#include "lakemill/sources/postgres/feed.h"

namespace lakemill::sources::postgres {

namespace {

constexpr auto kLockTimeMax = std::chrono::seconds(12);
constexpr auto kLockInterval = std::chrono::milliseconds(50);
constexpr int kLockClass = 1818979692;  // "lkml": apart from locks of others

}  // namespace

Status PostgresFeed::load() {
  if (loaded_) return {};
  LAKEMILL_TRY(auto positions, load_positions(*options_.store, options_.folder));
  if (positions) known_ = *std::move(positions);
  if (known_.slot != options_.slot) known_.readers.clear();
  for (auto& [id, position] : known_.readers) {
    const auto found = readers_.find(id);
    if (found == readers_.end() || !found->second.spec.streams) continue;
    Reader& reader = found->second;
    reader.begun = true;
    reader.acknowledged = reader.part.from = position.acknowledged;
    reader.released = position.released;
    reader.part.seen = position.seen;
    reader.part.relation = position.table.relation;
    reader.publishing = position.table.publishing;
  }
  loaded_ = true;
  std::error_code failed;
  std::filesystem::create_directories(options_.spool_folder, failed);
  if (!failed) return {};
  return Error(ErrorCode::denied, "cannot make the folder " + options_.spool_folder +
                                      " for changes on their way: " + failed.message() +
                                      "; let lakemill write there");
}

void PostgresFeed::tell(PostgresNews news) const {
  if (!options_.hear || quiet_ || options_.looks_only) return;
  news.details["slot"] = options_.slot;
  news.details["server"] = options_.connection.place();
  options_.hear(news);
}

Error PostgresFeed::told(PostgresNews::Kind kind, Error error, Json details) const {
  tell({kind, "", error.message(), std::move(details)});
  return error;
}

// Who holds the slot, as the server sees it.
Error PostgresFeed::slot_in_use(Error error) {
  const auto connection = control();
  if (!connection) return error;
  const auto held = (*connection)
                        ->query(
                            "SELECT a.pid, a.usename, a.application_name, "
                            "coalesce(host(a.client_addr), 'this machine'), "
                            "a.backend_start FROM pg_replication_slots AS s JOIN "
                            "pg_stat_activity AS a ON a.pid = s.active_pid WHERE "
                            "s.slot_name = $1",
                            {options_.slot});
  if (!held || held->empty()) return error;
  const auto cell = [&](std::size_t i) { return held->front().at(i).value_or("?"); };
  Error named(error.code(),
              "replication slot " + options_.slot + " at " +
                  options_.connection.place() +
                  " is read by somebody else: server process " + cell(0) + " of user " +
                  cell(1) + (cell(2).empty() ? "" : " (" + cell(2) + ")") + " from " +
                  cell(3) + ", since " + cell(4) +
                  "; stop that one, or give this pipeline a slot of its own (slot: of "
                  "the connection)");
  return told(PostgresNews::Kind::slot_in_use, std::move(named),
              {{"process", cell(0)}, {"user", cell(1)}, {"client", cell(3)}});
}

// Who this pipeline is to others that read the same database: a name that lives with
// its state.
Result<std::string> PostgresFeed::owner() {
  const std::string path = options_.folder + ".owner";
  SystemRandom random;
  const auto put = options_.store->put_if_absent(path, make_uuid(random));
  if (!put && put.error().code() != ErrorCode::exists) return put.error();
  return options_.store->get(path);
}

// Two pipelines that begin at one moment would both find the slot free. It cannot be
// made in a transaction that has written, so a lock of the session keeps others out
// while one looks, claims and makes.
Status PostgresFeed::lock_slot(Connection& connection) {
  const auto end = std::chrono::steady_clock::now() + kLockTimeMax;
  while (true) {
    LAKEMILL_TRY(const TextTable locked,
                 connection.query("SELECT pg_try_advisory_lock(" +
                                      std::to_string(kLockClass) + ", hashtext($1))",
                                  {options_.slot}));
    if (locked.at(0).at(0) == "t") return {};
    if (std::chrono::steady_clock::now() > end) break;
    std::this_thread::sleep_for(kLockInterval);
  }
  LAKEMILL_TRY(
      const TextTable held,
      connection.query(
          std::string("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND "
                      "granted AND classid = ") +
              std::to_string(kLockClass) +
              " AND objid = (hashtext($1)::bigint & 4294967295)::oid AND "
              "database = (SELECT oid FROM pg_database WHERE datname = "
              "current_database())",
          {options_.slot}));
  return Error(
      ErrorCode::unavailable,
      "replication slot " + options_.slot + " at " + options_.connection.place() +
          " is being made by somebody else" +
          (held.empty() ? ""
                        : " (server process " + held.at(0).at(0).value_or("?") + ")") +
          ": that waits for the transactions that are open there; end them, "
          "or that process, and run again");
}

Status PostgresFeed::unlock_slot(Connection& connection) {
  LAKEMILL_TRY(const TextTable unlocked,
               connection.query("SELECT pg_advisory_unlock(" +
                                    std::to_string(kLockClass) + ", hashtext($1))",
                                {options_.slot}));
  (void)unlocked;
  return {};
}

// A slot holds no note of whose it is, so the publication has a line for it in its
// comment. Without that two pipelines that take turns would move it under each other.
Status PostgresFeed::claim_slot(Connection& connection, bool was_there) {
  if (claimed_ || options_.looks_only) return {};
  LAKEMILL_TRY(const TextTable found,
               connection.query("SELECT obj_description(oid, 'pg_publication') FROM "
                                "pg_publication WHERE pubname = $1",
                                {options_.publication}));
  LAKEMILL_TRY(const std::string own, owner());
  const std::string begin = "lakemill: slot " + options_.slot + " is of ";
  const std::string ours = begin + own + ", ";
  std::string comment;
  for (const std::string& line :
       split(found.empty() ? "" : found[0][0].value_or(""), '\n')) {
    if (line.starts_with(ours)) {
      claimed_ = true;
      return {};
    }
    if (was_there && line.starts_with(begin)) {
      return told(
          PostgresNews::Kind::slot_in_use,
          Error(ErrorCode::invalid,
                "replication slot " + options_.slot + " at " +
                    options_.connection.place() + " belongs to another pipeline (" +
                    line.substr(std::min(line.size(), ours.size())) +
                    "): each would take the other's changes; give this one a slot of "
                    "its own (slot: of the connection), or, if that pipeline is no "
                    "more, type: COMMENT ON PUBLICATION " +
                    quote_identifier(options_.publication) + " IS NULL"),
          {{"holder", line.substr(begin.size())}});
    }
    if (!line.empty() && !line.starts_with(begin)) comment += line + "\n";
  }
  claimed_ = true;
  if (!options_.create || found.empty()) return {};
  // Who may not do that is found out by the other one's gap.
  (void)connection.execute(
      "COMMENT ON PUBLICATION " + quote_identifier(options_.publication) + " IS " +
      quote_literal(comment + ours + options_.store->url() + "/" + options_.folder));
  return {};
}

Status PostgresFeed::check_server(const ServerIdentity& before,
                                  const ServerIdentity& server) const {
  if (before.system.empty()) return {};
  if (before.system != server.system) {
    return told(
        PostgresNews::Kind::server_changed,
        Error(ErrorCode::invalid,
              options_.connection.place() +
                  " is another server than the one that was read before (system "
                  "identifier " +
                  server.system + ", before " + before.system +
                  "): its positions mean nothing there; correct the connection, or "
                  "drop the bronze tables to begin anew with a snapshot"),
        {{"system", server.system}, {"system_before", before.system}});
  }
  if (before.timeline != server.timeline) {
    return told(
        PostgresNews::Kind::server_changed,
        Error(ErrorCode::invalid,
              options_.connection.place() +
                  " has failed over: its log went from timeline " +
                  std::to_string(before.timeline) + " to " +
                  std::to_string(server.timeline) +
                  ", and changes that were read may not be in it; drop the bronze "
                  "tables to begin anew with a snapshot, or go back to the server of "
                  "before"),
        {{"timeline", server.timeline}, {"timeline_before", before.timeline}});
  }
  return {};
}

// Whether the server is that of the positions that were written down. A reader that
// begins anew has none of its own: where nobody here goes on from one, they are
// forgotten, and other readers are told by their own positions.
Status PostgresFeed::check_known_server(bool may_begin) {
  const ServerIdentity known{known_.system, known_.timeline, 0};
  const bool goes_on =
      std::any_of(readers_.begin(), readers_.end(),
                  [](const auto& item) { return item.second.spool != nullptr; });
  if (known.system.empty() || known.same_log(server_) || !may_begin || goes_on) {
    return check_server(known, server_);
  }
  known_ = {};
  for (auto& [id, reader] : readers_) {
    reader.begun = false;
    reader.part.seen.reset();
    reader.part.relation = 0;
    reader.acknowledged = reader.released = reader.part.from = 0;
  }
  processed_ = 0;
  return {};
}

// Whether the slot is there, and one that can be read.
Status PostgresFeed::check_slot(const std::optional<SlotState>& slot) const {
  const std::string name = "replication slot " + options_.slot;
  if (!slot) {
    const std::string gone = name + " does not exist at " + options_.connection.place();
    std::string came;
    for (const auto& [id, reader] : readers_) {
      if (reader.begun) came = to_text(reader.acknowledged);
    }
    if (came.empty()) {
      return Error(ErrorCode::not_found,
                   gone + "; type: SELECT pg_create_logical_replication_slot(" +
                       quote_literal(options_.slot) + ", 'pgoutput')");
    }
    return told(
        PostgresNews::Kind::slot_lost,
        Error(ErrorCode::invalid,
              gone + ": it was lost; what was committed after " + came +
                  " cannot be read any more, and nothing was skipped; drop the bronze "
                  "tables to begin anew with a snapshot"),
        {{"from", came}});
  }
  if (slot->plugin != "pgoutput") {
    return Error(ErrorCode::invalid, name + " belongs to the plugin " + slot->plugin +
                                         "; name one of pgoutput, or none");
  }
  if (slot->database != options_.connection.database()) {
    return Error(ErrorCode::invalid,
                 name + " is one of database " + slot->database + ", not of " +
                     options_.connection.hide(options_.connection.database()) +
                     "; name another slot");
  }
  if (slot->wal_status == "lost") {
    const std::string from = to_text(slot->confirmed.value_or(0));
    return told(PostgresNews::Kind::slot_lost,
                Error(ErrorCode::invalid,
                      name +
                          " was lost: the server has removed log that it needed "
                          "(max_slot_wal_keep_size); what was committed after " +
                          from + " cannot be read any more; drop the slot (SELECT " +
                          "pg_drop_replication_slot(" + quote_literal(options_.slot) +
                          ")) and the bronze tables to begin anew with a snapshot"),
                {{"from", from}});
  }
  return {};
}

Status PostgresFeed::check_gap(const Reader& reader, Lsn from) const {
  if (slot_confirmed_ <= from + 1) return {};
  const auto known = known_.readers.find(reader.spec.id);
  const bool was_idle = known != known_.readers.end() &&
                        from >= known->second.acknowledged &&
                        slot_confirmed_ <= known->second.released;
  if (was_idle) return {};
  Error gap(ErrorCode::invalid,
            "replication slot " + options_.slot + " at " + options_.connection.place() +
                " stands at " + to_text(slot_confirmed_) + ", but the table of " +
                reader.spec.table.to_text() + " has the changes up to " +
                to_text(from) +
                ": those between were confirmed by somebody else and cannot be read "
                "any more; nothing was skipped. Restore the table and the state "
                "folder of one time, or drop the table to begin anew with a "
                "snapshot");
  tell({PostgresNews::Kind::slot_moved,
        reader.spec.id,
        gap.message(),
        {{"table", reader.spec.table.to_text()},
         {"from", to_text(from)},
         {"to", to_text(slot_confirmed_)}}});
  return gap;
}

}  // namespace lakemill::sources::postgres
