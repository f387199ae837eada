#include "lakemill/sources/postgres/postgres_source.h"

#include <algorithm>

#include "lakemill/sources/postgres/column_sql.h"
#include "lakemill/sources/postgres/feed.h"
#include "lakemill/sources/postgres/initial_snapshot.h"

namespace lakemill::sources {

namespace {

using namespace postgres;  // NOLINT(google-build-using-namespace)

// What a batch takes where the pipeline names no bound.
constexpr std::int64_t kBatchBytes = std::int64_t{512} << 20;

// Offsets: {"snapshot": n, "files": k, "of": m, "lsn": from} while a snapshot is taken
// in, then {"lsn": commit}; both with the server's system and timeline. "snapshot"
// stays as long as the stream may bring what the snapshot has.
struct Position {
  Lsn lsn = 0;
  ServerIdentity server;
  std::int64_t snapshot = 0;  // 0: none, or it does not matter any more
  std::int64_t files = 0;
  std::int64_t files_all = 0;

  bool in_snapshot() const { return files < files_all; }
};

Json to_json(const Position& position) {
  Json json{{"lsn", to_hex(position.lsn)},
            {"system", position.server.system},
            {"timeline", position.server.timeline}};
  if (position.snapshot > 0) {
    json["snapshot"] = position.snapshot;
    json["files"] = position.files;
    json["of"] = position.files_all;
  }
  return json;
}

Result<Position> position_from(const Offset& offset) {
  const auto lsn = parse_hex(string_member(offset, "lsn", ""));
  if (!lsn) {
    return Error(
        ErrorCode::corrupt,
        "a plan's offset of a PostgreSQL source has no position: " + json_text(offset));
  }
  Position position;
  position.lsn = *lsn;
  position.server.system = string_member(offset, "system", "");
  position.server.timeline = integer_member(offset, "timeline", 0);
  position.snapshot = integer_member(offset, "snapshot", 0);
  position.files = integer_member(offset, "files", 0);
  position.files_all = integer_member(offset, "of", 0);
  const bool possible = position.snapshot >= 0 && position.files >= 0 &&
                        position.files <= position.files_all &&
                        (position.snapshot > 0 || position.files_all == 0);
  if (possible) return position;
  return Error(ErrorCode::corrupt,
               "a plan's offset of a PostgreSQL source names files of a snapshot that "
               "cannot be: " +
                   json_text(offset) + "; restore the state folder");
}

class PostgresSource final : public Source {
 public:
  PostgresSource(PostgresSourceSpec spec, PostgresTable table,
                 std::shared_ptr<PostgresFeed> feed)
      : spec_(std::move(spec)), table_(std::move(table)), feed_(std::move(feed)) {
    bounds_.rows_max = spec_.rows_max;
    bounds_.bytes_max = spec_.bytes_max;
    if (bounds_.rows_max == 0 && bounds_.bytes_max == 0) {
      bounds_.bytes_max = kBatchBytes;
    }
  }

  bool incremental() const override { return true; }

  Result<Offset> latest(const Offset& from) override {
    if (from.is_null()) return first();
    LAKEMILL_TRY(const Position position, position_from(from));
    if (position.in_snapshot()) return more_of_snapshot(position);
    if (position.snapshot > 0) LAKEMILL_TRY_OK(forget_snapshot(position));
    if (table_.snapshot == PostgresSnapshot::only) return from;
    LAKEMILL_TRY(const auto seen, seen_by(position));
    auto end =
        feed_->advance(spec_.reader, {position.lsn, position.server}, seen, bounds_);
    if (!end) {
      // A plan that is only looked at need not wait for a run that goes on.
      const bool in_use = feed_->options().looks_only && end.error().retryable();
      if (in_use) return from;
      return std::move(end).error();
    }
    if (*end == position.lsn) return from;
    Position next = position;
    next.lsn = *end;
    if (!seen || next.lsn > seen->horizon) {
      next.snapshot = next.files = next.files_all = 0;
    }
    return to_json(next);
  }

  Result<Slice> read(const Offset& from, const Offset& to) override {
    LAKEMILL_TRY(const Position end, position_from(to));
    Position begin;
    if (!from.is_null()) {
      LAKEMILL_TRY(begin, position_from(from));
    }
    if (bool_member(to, "planned", false)) return empty_slice();
    const bool in_snapshot =
        end.snapshot > 0 && (from.is_null() || begin.in_snapshot());
    if (in_snapshot) return snapshot_slice(begin, end);
    if (from.is_null()) begin.lsn = end.lsn;  // of NEVER: where the stream begins
    if (begin.lsn == end.lsn) return empty_slice();
    LAKEMILL_TRY(const auto seen, seen_by(begin));
    LAKEMILL_TRY(auto parts, feed_->between(spec_.reader, {begin.lsn, begin.server},
                                            seen, end.lsn));
    if (parts.empty()) return empty_slice();
    return slice_of(parts, begin.lsn, end.lsn);
  }

  // Bytes of the server's log, whichever tables they are of.
  Result<Lag> lag(const Offset& from) override {
    Lag lag;
    Position position;
    if (!from.is_null()) {
      LAKEMILL_TRY(position, position_from(from));
      lag.position = postgres::to_text(position.lsn);
      if (position.in_snapshot()) {
        lag.position = "snapshot, file " + std::to_string(position.files) + " of " +
                       std::to_string(position.files_all);
        lag.unit = "files";
        lag.entries = position.files_all - position.files;
      }
    }
    const auto ends = feed_->ends(spec_.reader);
    if (!ends) {
      lag.end = "not reachable";
      return lag;
    }
    lag.end = postgres::to_text(ends->server);
    const Lsn done = std::max(position.lsn, ends->released);
    if (!from.is_null() && table_.snapshot != PostgresSnapshot::only) {
      lag.bytes =
          ends->server > done ? static_cast<std::int64_t>(ends->server - done) : 0;
    }
    return lag;
  }

  Status check(const Offset& from, const Offset& to) override {
    LAKEMILL_TRY(const Position end, position_from(to));
    if (from.is_null() && end.snapshot > 0) {
      LAKEMILL_TRY(const auto staged, find_snapshot(*spec_.state, spec_.state_folder));
      if (staged && staged->number == end.snapshot) return {};
    }
    if (from.is_null()) {
      return Error(ErrorCode::invalid,
                   "changes of " + table_.schema + "." + table_.table +
                       " that are in the table cannot be asked of the server again; "
                       "build the nodes behind it anew instead, or drop the table to "
                       "begin with a new snapshot");
    }
    return {};
  }

  Status acknowledge(const Offset& to) override {
    if (feed_->options().looks_only) return {};
    LAKEMILL_TRY(const Position position, position_from(to));
    if (position.in_snapshot() || table_.snapshot == PostgresSnapshot::only) return {};
    feed_->acknowledge(spec_.reader, position.lsn);
    return {};
  }

 private:
  Result<Offset> first() {
    if (feed_->options().looks_only) {
      return Json{{"lsn", to_hex(0)}, {"planned", true}};
    }
    if (table_.snapshot == PostgresSnapshot::never) {
      LAKEMILL_TRY(const FeedStart start, feed_->begin(spec_.reader));
      return to_json(Position{start.from, start.server, 0, 0, 0});
    }
    LAKEMILL_TRY(auto staged, find_snapshot(*spec_.state, spec_.state_folder));
    if (staged) {
      LAKEMILL_TRY(staged, usable(*std::move(staged)));
    }
    if (!staged) {
      const bool only = table_.snapshot == PostgresSnapshot::only;
      LAKEMILL_TRY(
          auto shared,
          only ? feed_->only_snapshot(spec_.reader, spec_.snapshot_parallelism)
               : feed_->begin_with_snapshot(spec_.reader, spec_.snapshot_parallelism));
      LAKEMILL_TRY(staged,
                   stage_snapshot(*feed_, std::move(shared), *spec_.state,
                                  spec_.state_folder, spec_.snapshot_parallelism));
    }
    Position position{staged->start.from, staged->start.server, staged->number, 0, 0};
    position.files_all = static_cast<std::int64_t>(staged->files.size());
    return bounded(*staged, position);
  }

  // A snapshot that an earlier run staged and did not take in: good as long as the slot
  // still has what came after it.
  Result<std::optional<StagedSnapshot>> usable(StagedSnapshot staged) {
    if (table_.snapshot == PostgresSnapshot::only) return std::optional(staged);
    const auto there =
        feed_->check(spec_.reader, staged.start.from, staged.start.server, staged.seen);
    if (there) return std::optional(std::move(staged));
    if (there.error().code() != ErrorCode::invalid &&
        there.error().code() != ErrorCode::not_found) {
      return there.error();
    }
    LAKEMILL_TRY_OK(forget_rows(*spec_.state, spec_.state_folder, staged.number));
    return std::optional<StagedSnapshot>();
  }

  Result<StagedSnapshot> staged_of(const Position& position) const {
    return load_snapshot(*spec_.state, spec_.state_folder, position.snapshot,
                         position.files_all);
  }

  Result<Offset> more_of_snapshot(const Position& position) {
    LAKEMILL_TRY(const StagedSnapshot staged, staged_of(position));
    return bounded(staged, position);
  }

  // As many of the snapshot's files as a batch may hold; all where nothing bounds it.
  Offset bounded(const StagedSnapshot& staged, Position position) const {
    std::int64_t rows = 0;
    std::int64_t bytes = 0;
    const std::int64_t begin = position.files;
    while (position.in_snapshot()) {
      const SnapshotFile& file = staged.files[static_cast<std::size_t>(position.files)];
      rows += file.rows;
      bytes += file.size_bytes();
      const bool over = (spec_.rows_max > 0 && rows > spec_.rows_max) ||
                        (spec_.bytes_max > 0 && bytes > spec_.bytes_max);
      if (over && position.files > begin) break;
      ++position.files;
    }
    return to_json(position);
  }

  // What the snapshot sees, as long as the stream may bring it too.
  Result<std::optional<Visibility>> seen_by(const Position& position) {
    if (position.snapshot == 0) return std::optional<Visibility>();
    if (!seen_) {
      LAKEMILL_TRY(const StagedSnapshot staged, staged_of(position));
      seen_ = staged.seen;
    }
    return seen_;
  }

  // Every sink holds it: its rows are not needed any more.
  Status forget_snapshot(const Position& position) {
    if (feed_->options().looks_only) return {};
    return forget_rows(*spec_.state, spec_.state_folder, position.snapshot);
  }

  Result<Slice> snapshot_slice(const Position& begin, const Position& end) {
    LAKEMILL_TRY(const StagedSnapshot staged, staged_of(end));
    SpoolPart part{std::make_shared<const TableLayout>(staged.layout), {}};
    for (std::int64_t i = begin.files; i < end.files; ++i) {
      const SnapshotFile& file = staged.files[static_cast<std::size_t>(i)];
      std::int64_t offset = 0;
      for (const std::int64_t size : file.blocks) {
        part.blocks.push_back({spec_.state->url() + "/" + file.path, offset, size});
        offset += size;
      }
    }
    return slice_of({part}, 0, 0);
  }

  // The columns as they are now.
  Result<Slice> empty_slice() {
    LAKEMILL_TRY(TableLayout layout, feed_->layout_now(spec_.reader));
    SpoolPart part{std::make_shared<const TableLayout>(std::move(layout)), {}};
    LAKEMILL_TRY(Slice slice, slice_of({part}, 0, 0));
    slice.empty = true;
    return slice;
  }

  Result<Slice> slice_of(const std::vector<SpoolPart>& parts, Lsn from, Lsn to) const {
    std::vector<const TableLayout*> layouts;
    for (const SpoolPart& part : parts) layouts.push_back(part.layout.get());
    const auto columns = output_columns(layouts);
    Slice slice;
    for (const SpoolPart& part : parts) {
      SlicePart rows;
      rows.relation =
          engine::TextRowsRelation{spool_columns(*part.layout), part.blocks};
      rows.select_list = select_list(*part.layout, columns);
      if (to > 0) {
        const std::string offset(kOffsetColumn);
        rows.condition = offset + " > '" + to_hex(from) + "/g' AND " + offset + " < '" +
                         to_hex(to) + "/g'";
      }
      slice.parts.push_back(std::move(rows));
    }
    slice.source_offset_sql = slice.sequence_sql = "_source_offset";
    slice.source_file_sql = "NULL";
    return slice;
  }

  PostgresSourceSpec spec_;
  PostgresTable table_;
  std::shared_ptr<PostgresFeed> feed_;
  SpoolBounds bounds_;
  std::optional<Visibility> seen_;
};

}  // namespace

Result<std::unique_ptr<Source>> PostgresFeeds::open(PostgresSourceSpec spec) {
  LAKEMILL_TRY(auto feed, feed_of(spec.connection));
  const auto table = std::find_if(
      spec.connection.tables.begin(), spec.connection.tables.end(),
      [&](const PostgresTable& item) { return item.reader == spec.reader; });
  LAKEMILL_CHECK(table != spec.connection.tables.end());
  PostgresTable found = *table;
  return std::unique_ptr<Source>(std::make_unique<PostgresSource>(
      std::move(spec), std::move(found), std::move(feed)));
}

}  // namespace lakemill::sources
