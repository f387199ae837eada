// What a feed knows from before, and whether server and slot still fit it.
#include <filesystem>

#include "lakemill/base/text.h"
#include "lakemill/sources/postgres/feed.h"

namespace lakemill::sources::postgres {

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
  }
  loaded_ = true;
  std::error_code failed;
  std::filesystem::create_directories(options_.spool_folder, failed);
  if (!failed) return {};
  return Error(ErrorCode::denied, "cannot make the folder " + options_.spool_folder +
                                      " for changes on their way: " + failed.message() +
                                      "; let lakemill write there");
}

Status PostgresFeed::check_server(const ServerIdentity& before,
                                  const ServerIdentity& server) const {
  if (before.system.empty()) return {};
  if (before.system != server.system) {
    return Error(ErrorCode::invalid,
                 options_.connection.place() +
                     " is another server than the one that was read before (system "
                     "identifier " +
                     server.system + ", before " + before.system +
                     "): its positions mean nothing there; correct the connection, or "
                     "drop the bronze tables to begin anew with a snapshot");
  }
  if (before.timeline != server.timeline) {
    return Error(
        ErrorCode::invalid,
        options_.connection.place() + " has failed over: its log went from timeline " +
            std::to_string(before.timeline) + " to " + std::to_string(server.timeline) +
            ", and changes that were read may not be in it; drop the bronze tables to "
            "begin anew with a snapshot, or go back to the server of before");
  }
  return {};
}

// Whether the slot is there, and one that can be read.
Status PostgresFeed::check_slot(const std::optional<SlotState>& slot) const {
  const std::string name = "replication slot " + options_.slot;
  if (!slot) {
    const std::string where = " does not exist at " + options_.connection.place();
    if (!options_.create && known_.system.empty()) {
      return Error(ErrorCode::not_found,
                   name + where + "; type: SELECT pg_create_logical_replication_slot(" +
                       quote_literal(options_.slot) + ", 'pgoutput')");
    }
    std::string came;
    for (const auto& [id, reader] : readers_) {
      if (reader.begun) came = to_text(reader.acknowledged);
    }
    return Error(ErrorCode::not_found,
                 name + where + (came.empty() ? "" : ": it was lost") +
                     (came.empty() ? ""
                                   : "; what was committed after " + came +
                                         " cannot be read any more, and nothing was "
                                         "skipped; drop the bronze tables to begin "
                                         "anew with a snapshot"));
  }
  if (slot->plugin != "pgoutput") {
    return Error(ErrorCode::invalid, name + " belongs to the plugin " + slot->plugin +
                                         "; name one of pgoutput, or none");
  }
  if (slot->database != options_.connection.database()) {
    return Error(ErrorCode::invalid, name + " is one of database " + slot->database +
                                         ", not of " + options_.connection.database() +
                                         "; name another slot");
  }
  if (slot->wal_status == "lost") {
    return Error(ErrorCode::invalid,
                 name +
                     " was lost: the server has removed log that it needed "
                     "(max_slot_wal_keep_size); what was committed after " +
                     to_text(slot->confirmed.value_or(0)) +
                     " cannot be read any more; drop the slot (SELECT "
                     "pg_drop_replication_slot(" +
                     quote_literal(options_.slot) +
                     ")) and the bronze tables to begin anew with a snapshot");
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
  return Error(
      ErrorCode::invalid,
      "replication slot " + options_.slot + " at " + options_.connection.place() +
          " stands at " + to_text(slot_confirmed_) + ", but the table of " +
          reader.spec.table.to_text() + " has the changes up to " + to_text(from) +
          ": those between were confirmed by somebody else and cannot be read "
          "any more; nothing was skipped. Restore the table and the state "
          "folder of one time, or drop the table to begin anew with a "
          "snapshot");
}

}  // namespace lakemill::sources::postgres
