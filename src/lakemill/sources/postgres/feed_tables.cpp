// Whether the tables that a feed's readers follow are those of before, and their
// changes come.
#include <algorithm>

#include "lakemill/sources/postgres/feed.h"

namespace lakemill::sources::postgres {

namespace {

constexpr auto kLookInterval = std::chrono::seconds(1);

}  // namespace

// Puts the tables of readers that have not begun into the publication. Of one that has,
// changes would be missing: check_table() tells.
Status PostgresFeed::publish() {
  LAKEMILL_TRY(Connection * connection, control());
  LAKEMILL_TRY_OK(check_wal_level(*connection, options_.connection.place()));
  std::vector<TableId> tables;
  for (const auto& [id, reader] : readers_) {
    if (reader.spec.streams && !reader.begun) tables.push_back(reader.spec.table);
  }
  std::sort(tables.begin(), tables.end());
  tables.erase(std::unique(tables.begin(), tables.end()), tables.end());
  const bool create = options_.create && !options_.looks_only;
  LAKEMILL_TRY(const bool changed,
               ensure_publication(*connection, options_.publication, tables, create));
  if (!changed) return {};
  return wait_for_writers(*connection, options_.stop);
}

Status PostgresFeed::look_at_tables() {
  LAKEMILL_TRY(Connection * connection, control());
  std::vector<TableId> tables;
  for (const auto& [id, reader] : readers_) {
    if (reader.spec.streams) tables.push_back(reader.spec.table);
  }
  LAKEMILL_TRY(tables_, identify_tables(*connection, options_.publication, tables));
  looked_at_tables_ = std::chrono::steady_clock::now();
  return {};
}

// Whether the changes of a reader's table behind `from` are in the stream, all of them.
Status PostgresFeed::check_table(Reader& reader, Lsn from) {
  const auto now = std::chrono::steady_clock::now();
  const bool is_known = looked_at_tables_ && now - *looked_at_tables_ < kLookInterval &&
                        !reader.part.has_met_other;
  if (!is_known) LAKEMILL_TRY_OK(look_at_tables());
  reader.part.has_met_other = false;
  const TableIdentity& table = tables_[reader.spec.table];
  const Oid known = reader.part.relation;
  std::string what;
  if (table.relation == 0) {
    what = "is gone";
  } else if (known != 0 && table.relation != known) {
    what =
        "is another one than the table that was read under this name: it was "
        "dropped and made anew, or swapped";
  } else if (!table.is_published) {
    what = "was taken out of publication " + options_.publication;
  } else if (reader.publishing != 0 && table.publishing != 0 &&
             reader.publishing != table.publishing) {
    what = "was taken out of publication " + options_.publication + " and put back";
  } else {
    reader.part.relation = table.relation;
    reader.publishing = table.publishing;
    return {};
  }
  Error gap(ErrorCode::invalid,
            "table " + reader.spec.table.to_text() + " at " +
                options_.connection.place() + " " + what +
                ": what was changed in it meanwhile is not in the log that is read. "
                "The bronze table stands at " +
                to_text(from) +
                ", and nothing was skipped; drop the bronze table to begin anew with a "
                "snapshot, which publishes the table again");
  tell({PostgresNews::Kind::table_lost,
        reader.spec.id,
        gap.message(),
        {{"table", reader.spec.table.to_text()}, {"from", to_text(from)}}});
  return gap;
}

}  // namespace lakemill::sources::postgres
