#include "lakemill/sources/table_source.h"

#include <algorithm>
#include <map>
#include <set>

#include "lakemill/delta/row_changes.h"
#include "lakemill/sources/change_slice.h"

namespace lakemill::sources {

namespace {

// What a row's file says of its place: `numbers` are one per file.
std::string of_file_sql(const std::vector<std::int64_t>& numbers) {
  std::string list;
  for (const std::int64_t number : numbers) {
    if (!list.empty()) list += ",";
    list += std::to_string(number);
  }
  return "([" + list + "]::BIGINT[])[CAST(_lakemill_file AS BIGINT) + 1]";
}

// The version that added a row's file.
std::string version_of_row_sql(const data::TableScan& scan) {
  std::vector<std::int64_t> versions;
  for (const data::DataFile& file : scan.files()) versions.push_back(file.version);
  return of_file_sql(versions);
}

// A row's number among all that its version added, or (`whole`) among all rows: files
// count on where the one before ended.
std::string number_of_row_sql(const data::TableScan& scan, bool whole) {
  constexpr std::int64_t kRowsOfUncounted = 1'000'000'000;
  std::map<delta::Version, std::int64_t> next;
  std::vector<std::int64_t> first;
  for (const data::DataFile& file : scan.files()) {
    std::int64_t& at = next[whole ? 0 : file.version];
    first.push_back(at);
    at += file.row_count.value_or(kRowsOfUncounted);
  }
  if (first.empty()) return "0";
  return of_file_sql(first) + " + CAST(_lakemill_row AS BIGINT)";
}

class TableSource final : public Source {
 public:
  TableSource(TableSourceSpec spec, std::shared_ptr<delta::Table> table)
      : spec_(std::move(spec)), table_(std::move(table)) {}

  bool incremental() const override { return spec_.incremental; }

  Result<Offset> latest(const Offset& from) override {
    LAKEMILL_TRY(const auto snapshot, wanted_snapshot());
    const std::int64_t generation = generation_at(*snapshot);
    if (!from.is_null() && generation > integer_member(from, "generation", 0)) {
      return offset_at(*snapshot);  // all rows are new: the reader begins anew
    }
    if (spec_.incremental &&
        integer_member(from, "version", -1) > snapshot->version()) {
      return Error(ErrorCode::invalid,
                   "table " + spec_.name + " is at version " +
                       std::to_string(snapshot->version()) + ", but version " +
                       std::to_string(integer_member(from, "version", -1)) +
                       " has been read from it: it was replaced; run the node with "
                       "--full-refresh");
    }
    const std::string id = snapshot->metadata().id;
    const std::string known_id = string_member(from, "table", id);
    if (spec_.incremental && known_id != id) {
      return Error(ErrorCode::invalid,
                   "table " + spec_.name +
                       " was dropped and made anew since it was last "
                       "read; run the node with --full-refresh");
    }
    LAKEMILL_TRY(const delta::Version end, bounded_end(from, snapshot->version()));
    if (end == snapshot->version()) return offset_at(*snapshot);
    LAKEMILL_TRY(const auto bounded, at(end));
    return offset_at(*bounded);
  }

  bool same_rows(const Offset& before, const Offset& now) override {
    const bool same_table =
        string_member(before, "table", "") == string_member(now, "table", "") &&
        integer_member(before, "generation", 0) == integer_member(now, "generation", 0);
    return same_table &&
           !delta::may_have_changed(*table_, integer_member(before, "version", -1),
                                    integer_member(now, "version", -1));
  }

  Result<Slice> read(const Offset& from, const Offset& to) override {
    const delta::Version end = integer_member(to, "version", -1);
    if (spec_.read_changes) return read_changes(from, end);
    if (!spec_.incremental) {
      LAKEMILL_TRY(const auto snapshot, at(end));
      LAKEMILL_TRY(auto scan, snapshot->scan());
      const bool empty = scan->files().empty();
      std::string offset_sql =
          "printf('%012d/%012d', {batch}, " + number_of_row_sql(*scan, true) + ")";
      return Slice{engine::TableRelation{std::move(scan)}, std::move(offset_sql),
                   "NULL", "printf('%012d', {batch})", empty};
    }
    const delta::Version begin = integer_member(from, "version", -1) + 1;
    auto rows = appended(begin, end);
    if (!rows && from.is_null() && can_begin_with_rows(rows.error())) {
      return read_rows_at(end);
    }
    if (!rows) return with_remedy(std::move(rows).error());
    if (from.is_null()) {
      LAKEMILL_TRY(const bool complete, all_there(**rows, end));
      if (!complete) return read_rows_at(end);
    }
    auto scan = *std::move(rows);
    const bool empty = scan->files().empty();
    std::string version_sql = empty ? "NULL" : version_of_row_sql(*scan);
    std::string offset_sql = "printf('%012d/%012d', " + version_sql + ", " +
                             number_of_row_sql(*scan, false) + ")";
    return Slice{engine::TableRelation{std::move(scan)}, std::move(offset_sql), "NULL",
                 "printf('%012d', " + version_sql + ")", empty};
  }

  Result<Lag> lag(const Offset& from) override {
    LAKEMILL_TRY(const auto snapshot, wanted_snapshot());
    const delta::Version begin = integer_member(from, "version", -1);
    const delta::Version end = snapshot->version();
    Lag lag;
    lag.unit = "versions";
    lag.entries = std::max<std::int64_t>(0, end - begin);
    if (!from.is_null()) lag.position = "version " + std::to_string(begin);
    lag.end = "version " + std::to_string(end);
    if (*lag.entries == 0) {
      lag.rows = lag.bytes = 0;
      return lag;
    }
    LAKEMILL_TRY_OK(measure(*snapshot, begin, lag));
    if (lag.rows != 0 || lag.bytes != 0) lag.oldest = time_of(begin + 1, end);
    return lag;
  }

 private:
  struct Size {
    std::int64_t rows = 0;
    std::int64_t bytes = 0;
    std::int64_t files = 0;
  };

  bool exceeds(const Size& size) const {
    return (spec_.rows_max > 0 && size.rows > spec_.rows_max) ||
           (spec_.bytes_max > 0 && size.bytes > spec_.bytes_max) ||
           (spec_.files_max > 0 && size.files > spec_.files_max);
  }

  // The last version that a batch from `from` may read. What cannot be read by its
  // commits (read() says why, or begins with all rows) is not bounded.
  Result<delta::Version> bounded_end(const Offset& from, delta::Version newest) {
    const bool bounds =
        spec_.rows_max > 0 || spec_.bytes_max > 0 || spec_.files_max > 0;
    const delta::Version begin = integer_member(from, "version", -1) + 1;
    if (!spec_.incremental || !bounds || begin > newest) return newest;
    if (spec_.read_changes && from.is_null()) return newest;  // the rows that are there
    const auto scan = spec_.read_changes ? table_->changes(begin, newest)
                                         : table_->appended(begin, newest);
    if (!scan) return newest;
    std::map<delta::Version, Size> sizes;
    for (const data::DataFile& file : (*scan)->files()) {
      Size& size = sizes[file.version];
      size.rows += file.row_count.value_or(0);
      size.bytes += file.size_bytes;
      ++size.files;
    }
    if (sizes.contains(-1)) return newest;  // files that do not tell their version
    Size total;
    bool any = false;
    for (const auto& [version, size] : sizes) {
      total.rows += size.rows;
      total.bytes += size.bytes;
      total.files += size.files;
      if (any && exceeds(total)) return version - 1;
      any = true;
    }
    return newest;
  }

  // Rows and bytes that versions behind `begin` brought: all that there is where they
  // are not told by appends alone.
  Status measure(const delta::Snapshot& snapshot, delta::Version begin, Lag& lag) {
    std::shared_ptr<const data::TableScan> scan;
    if (spec_.incremental && begin >= 0) {
      auto added = spec_.read_changes ? table_->changes(begin + 1, snapshot.version())
                                      : table_->appended(begin + 1, snapshot.version());
      if (!added) return {};
      scan = *std::move(added);
    } else {
      LAKEMILL_TRY(scan, snapshot.scan());
    }
    lag.rows = lag.bytes = 0;
    for (const data::DataFile& file : scan->files()) {
      lag.bytes = *lag.bytes + file.size_bytes;
      if (lag.rows) {
        lag.rows = file.row_count ? std::optional(*lag.rows + *file.row_count)
                                  : std::optional<std::int64_t>();
      }
    }
    return {};
  }

  // When `version`, or the oldest that the log still has before `end`, was committed.
  std::optional<Instant> time_of(delta::Version version, delta::Version end) {
    constexpr std::int64_t kCommitsMax = 10'000;
    const auto commits = table_->history(
        static_cast<std::size_t>(std::min(end - version + 1, kCommitsMax)));
    if (!commits || commits->empty()) return std::nullopt;
    return Instant(std::chrono::milliseconds(commits->back().timestamp_ms));
  }

  std::int64_t generation_at(const delta::Snapshot& snapshot) const {
    constexpr int kNumberBits = 32;  // of a batch in a transaction version
    if (!spec_.incremental || spec_.writer_app_id.empty()) return 0;
    return snapshot.transaction(spec_.writer_app_id).value_or(0) >> kNumberBits;
  }

  Offset offset_at(const delta::Snapshot& snapshot) const {
    Offset offset{{"version", snapshot.version()}, {"table", snapshot.metadata().id}};
    const std::int64_t generation = generation_at(snapshot);
    if (generation > 0) offset["generation"] = generation;
    return offset;
  }

  // A table that was changed otherwise than by appending, or whose first commits were
  // cleaned away, can still be read from here on: it begins with the rows that it has.
  static bool can_begin_with_rows(const Error& error) {
    return error.code() == ErrorCode::invalid || error.code() == ErrorCode::not_found;
  }

  // Whether the table still has every file at that version: those that were written
  // together with others may be gone from the store by now.
  Result<bool> all_there(const data::TableScan& appended, delta::Version version) {
    LAKEMILL_TRY(const auto snapshot, at(version));
    LAKEMILL_TRY(const auto whole, snapshot->scan());
    std::set<std::string_view> paths;
    for (const data::DataFile& file : whole->files()) paths.insert(file.path);
    return std::ranges::all_of(appended.files(), [&](const data::DataFile& file) {
      return paths.contains(file.path);
    });
  }

  // The rows of a version first, then what later ones changed.
  Result<Slice> read_changes(const Offset& from, delta::Version end) {
    if (!spec_.incremental || from.is_null()) {
      LAKEMILL_TRY(const auto snapshot, at(end));
      return snapshot_slice(*snapshot);
    }
    const delta::Version begin = integer_member(from, "version", -1) + 1;
    if (begin > end) {
      LAKEMILL_TRY(const auto snapshot, at(end));
      LAKEMILL_TRY(Slice none, snapshot_slice(*snapshot));
      none.parts.front().condition = "false";
      none.empty = true;
      return none;
    }
    auto slice = changes_slice(*table_, begin, end);
    if (!slice) {
      return with_remedy(std::move(slice).error()).while_doing("table " + spec_.name);
    }
    return slice;
  }

  // Of a table that was changed otherwise than by appending since it was last read, or
  // whose versions since then were cleaned away.
  static Error with_remedy(const Error& error) {
    if (!can_begin_with_rows(error)) return error;
    return {ErrorCode::invalid,
            error.message() +
                "; run the node with --full-refresh, which reads the "
                "table as it is now and then what is appended, or read "
                "the source as a whole (as_stream: false)"};
  }

  Result<Slice> read_rows_at(delta::Version version) {
    LAKEMILL_TRY(const auto snapshot, at(version));
    LAKEMILL_TRY(auto scan, snapshot->scan());
    const bool empty = scan->files().empty();
    // Files have no order here; their index, by path, gives one.
    return Slice{engine::TableRelation{std::move(scan)},
                 "printf('%012d/%012d', " + std::to_string(version) +
                     ", _lakemill_file::BIGINT * 100000000 + _lakemill_row)",
                 "NULL", "printf('%012d', " + std::to_string(version) + ")", empty};
  }

  Result<std::shared_ptr<const delta::Snapshot>> wanted_snapshot() {
    auto snapshot = spec_.version     ? table_->at_version(*spec_.version)
                    : spec_.timestamp ? table_->at_time(*spec_.timestamp)
                                      : table_->latest();
    if (!snapshot)
      return std::move(snapshot).error().while_doing("table " + spec_.name);
    return snapshot;
  }

  Result<std::shared_ptr<const delta::Snapshot>> at(delta::Version version) {
    auto snapshot = table_->at_version(version);
    if (!snapshot)
      return std::move(snapshot).error().while_doing("table " + spec_.name);
    return snapshot;
  }

  Result<std::shared_ptr<const data::TableScan>> appended(delta::Version begin,
                                                          delta::Version end) {
    auto scan = table_->appended(begin, end);
    if (!scan) return std::move(scan).error().while_doing("table " + spec_.name);
    return scan;
  }

  TableSourceSpec spec_;
  std::shared_ptr<delta::Table> table_;
};

}  // namespace

std::unique_ptr<Source> make_table_source(TableSourceSpec spec,
                                          std::shared_ptr<delta::Table> table) {
  return std::make_unique<TableSource>(std::move(spec), std::move(table));
}

}  // namespace lakemill::sources
