#include "lakemill/sources/file_source.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>

#include "lakemill/sources/file_listing.h"
#include "lakemill/storage/path_guard.h"

namespace lakemill::sources {

namespace {

constexpr const char* kOffsetSql =
    "printf('%012d/%012d', _lakemill_arrival, _lakemill_row)";
// In an offset: the arrivals up to it that no batch reads.
constexpr const char* kUnread = "unread";
// In an offset: the arrivals up to it that were set aside, because they could not be
// read.
constexpr const char* kDead = "dead";
constexpr std::int64_t kSampledMax = 100;  // files looked at for their columns
constexpr std::int64_t kTellingMax = 32;   // and for the types of nulls
constexpr const char* kFileSql = "_lakemill_file";

Error nothing_there(const FileSourceSpec& spec) {
  return Error(ErrorCode::not_found,
               "no file at " + spec.url + "; check the source's path");
}

std::string_view path_below(std::string_view folder, std::string_view path) {
  path.remove_prefix(std::min(folder.size(), path.size()));
  return path.starts_with('/') ? path.substr(1) : path;
}

// The files that the source names; none is a link out of the roots.
Result<std::vector<storage::ObjectInfo>> files_of(storage::StoreProvider& stores,
                                                  const FileSourceSpec& spec) {
  LAKEMILL_TRY(auto files, list_files(stores, spec.url));
  if (spec.is_own) {
    std::erase_if(files, [&](const storage::ObjectInfo& file) {
      return file.path != spec.url && !spec.is_own(path_below(spec.url, file.path));
    });
  }
  for (const storage::ObjectInfo& file : files) {
    LAKEMILL_TRY_OK(storage::confine_link(file.path, spec.roots));
  }
  return files;
}

constexpr std::string_view kRemedy =
    "; put it back as it was, or begin the node anew: with --full-refresh while every "
    "file that it has read is there as it was, else by dropping its tables (lakemill "
    "table drop), which makes the next run read what is there";

// Fails unless every file still is what the plan pinned.
Status check_unchanged(storage::StoreProvider& stores,
                       const std::vector<Arrival>& pinned) {
  for (const Arrival& arrival : pinned) {
    LAKEMILL_TRY(const auto now, find_file(stores, arrival.url));
    if (now && !differs(arrival, *now)) continue;
    return Error(ErrorCode::invalid,
                 "the file " + arrival.url + (now ? " has changed" : " is gone") +
                     " since this batch was planned" + std::string(kRemedy));
  }
  return {};
}

using FilesByPath = std::map<std::string, storage::ObjectInfo>;

FilesByPath by_path(const std::vector<storage::ObjectInfo>& files) {
  FilesByPath found;
  for (const auto& file : files) found.emplace(file.path, file);
  return found;
}

// Numbers in an offset: [[first, last], …], ascending. None is behind its own arrival.
ArrivalNumbers numbers_in(const Json& offset, const char* member) {
  ArrivalNumbers numbers;
  const std::int64_t end = integer_member(offset, "arrival", 0);
  const Json* ranges = find_member(offset, member);
  if (ranges == nullptr || !ranges->is_array()) return numbers;
  for (const Json& range : *ranges) {
    if (!range.is_array() || range.size() != 2 || !range[0].is_number_integer() ||
        !range[1].is_number_integer()) {
      continue;
    }
    const auto first = std::max<std::int64_t>(range[0].get<std::int64_t>(), 1);
    const auto last = std::min(range[1].get<std::int64_t>(), end);
    for (std::int64_t number = first; number <= last; ++number) {
      numbers.insert(numbers.end(), number);
    }
  }
  return numbers;
}

Json to_ranges(const ArrivalNumbers& numbers, std::int64_t last) {
  Json ranges = Json::array();
  for (const std::int64_t number : numbers) {
    if (number > last) break;
    if (!ranges.empty() && ranges.back()[1] == number - 1) {
      ranges.back()[1] = number;
    } else {
      ranges.push_back({number, number});
    }
  }
  return ranges;
}

Slice make_slice(const FileSourceSpec& spec, const std::vector<Arrival>& arrivals) {
  engine::FilesRelation relation = spec.relation;
  for (const Arrival& arrival : arrivals) {
    relation.files.push_back({arrival.url, arrival.number, arrival.size_bytes});
  }
  return {std::move(relation), kOffsetSql, kFileSql, kOffsetSql, arrivals.empty()};
}

void add_waiting(Lag& lag, const storage::ObjectInfo& file) {
  lag.entries = lag.entries.value_or(0) + 1;
  lag.bytes = lag.bytes.value_or(0) + file.size_bytes;
  const Instant modified{std::chrono::milliseconds(file.modified_ms)};
  lag.oldest = std::min(lag.oldest.value_or(modified), modified);
}

// A lag of files that nothing waits of yet.
Lag no_lag() {
  Lag lag;
  lag.unit = "files";
  lag.entries = lag.bytes = 0;
  return lag;
}

std::string files_text(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " file" : " files");
}

// All files that are there, as one version of one thing.
class WholeFileSource final : public Source {
 public:
  WholeFileSource(FileSourceSpec spec, storage::StoreProvider& stores)
      : spec_(std::move(spec)), stores_(stores) {}

  bool incremental() const override { return false; }

  Result<Offset> latest(const Offset&) override {
    LAKEMILL_TRY(const auto files, files_of(stores_, spec_));
    if (files.empty() && !spec_.relation.schema) return nothing_there(spec_);
    Json list = Json::array();
    for (const auto& file : files) {
      list.push_back({{"url", file.path},
                      {"size", file.size_bytes},
                      {"modified_ms", file.modified_ms},
                      {"etag", file.etag}});
    }
    return Json{{"files", std::move(list)}};
  }

  // Every file that is not as the last batch read it.
  Result<Lag> lag(const Offset& from) override {
    std::map<std::string, Arrival> read;
    if (!from.is_null()) {
      LAKEMILL_TRY(const auto pinned, pinned_in(from));
      for (const Arrival& arrival : pinned) read.emplace(arrival.url, arrival);
    }
    LAKEMILL_TRY(const auto files, files_of(stores_, spec_));
    Lag lag = no_lag();
    for (const auto& file : files) {
      const auto found = read.find(file.path);
      if (found == read.end() || differs(found->second, file)) add_waiting(lag, file);
    }
    if (!from.is_null()) lag.position = files_text(read.size());
    lag.end = files_text(files.size());
    return lag;
  }

  Status check(const Offset&, const Offset& to) override {
    LAKEMILL_TRY(const auto pinned, pinned_in(to));
    return check_unchanged(stores_, pinned);
  }

  Status recheck(const Offset& from, const Offset& to) override {
    return check(from, to);
  }

  Result<Slice> read(const Offset&, const Offset& to) override {
    LAKEMILL_TRY(const auto pinned, pinned_in(to));
    LAKEMILL_TRY_OK(check_unchanged(stores_, pinned));
    Slice slice = make_slice(spec_, pinned);
    // Numbers begin anew with each reading: a later reading has the last word.
    slice.sequence_sql = std::string("printf('%012d/', {batch}) || ") + kOffsetSql;
    return slice;
  }

 private:
  Result<std::vector<Arrival>> pinned_in(const Offset& to) const {
    const Json* list = find_member(to, "files");
    if (list == nullptr) {
      return Error(ErrorCode::corrupt, "a plan's offset of " + spec_.url +
                                           " lists no files: " + json_text(to));
    }
    std::vector<Arrival> pinned;
    for (const Json& item : *list) {
      pinned.push_back({static_cast<std::int64_t>(pinned.size()) + 1,
                        string_member(item, "url", ""), integer_member(item, "size", 0),
                        integer_member(item, "modified_ms", 0),
                        string_member(item, "etag", ""), 0});
    }
    return pinned;
  }

  FileSourceSpec spec_;
  storage::StoreProvider& stores_;
};

// Files in the order in which they arrived.
class ArrivingFileSource final : public Source {
 public:
  ArrivingFileSource(FileSourceSpec spec, storage::StoreProvider& stores,
                     std::shared_ptr<ArrivalLog> log)
      : spec_(std::move(spec)), stores_(stores), log_(std::move(log)) {}

  bool incremental() const override { return true; }

  Result<Offset> latest(const Offset& from) override {
    LAKEMILL_TRY(const auto files, files_of(stores_, spec_));
    LAKEMILL_TRY_OK(log_->refresh());
    LAKEMILL_TRY_OK(check_log(from, files));  // before it numbers anything
    const auto there = by_path(files);
    const std::int64_t begin = integer_member(from, "arrival", 0);
    ArrivalNumbers unread = numbers_in(from, kUnread);
    ArrivalNumbers dead = numbers_in(from, kDead);
    if (!spec_.of_node) leave_out_lost(begin, there, unread);
    give_back_mended(there, dead, unread);
    notice_changes(files, unread);
    LAKEMILL_TRY_OK(log_->add(files, spec_.changed_are_new, unread));
    LAKEMILL_TRY_OK(check_log(from, {}));
    if (!spec_.changed_are_new) leave_out_read_before(begin, unread);
    const std::int64_t end = bounded_end(begin, unread);
    if (!spec_.relation.schema && never_had_a_file(unread)) return nothing_there(spec_);
    Json offset{{"arrival", end}, {"digest", log_->digest(end)}};
    if (Json ranges = to_ranges(unread, end); !ranges.empty()) {
      offset[kUnread] = std::move(ranges);
    }
    if (Json ranges = to_ranges(dead, end); !ranges.empty()) {
      offset[kDead] = std::move(ranges);
    }
    if (spec_.of_node) {
      LAKEMILL_TRY(offset["start"], start_of(from, there));
    }
    return offset;
  }

  // Files that have no number yet wait like those that have one.
  Result<Lag> lag(const Offset& from) override {
    LAKEMILL_TRY(const auto files, files_of(stores_, spec_));
    LAKEMILL_TRY_OK(log_->refresh());
    const std::int64_t begin = integer_member(from, "arrival", 0);
    const ArrivalNumbers unread = numbers_in(from, kUnread);
    const ArrivalNumbers dead = numbers_in(from, kDead);
    Lag lag = no_lag();
    std::int64_t unnumbered = 0;
    for (const auto& file : files) {
      const Arrival* known = log_->find(file.path);
      const bool fresh = known == nullptr || log_->never_read(known->number, unread) ||
                         ((spec_.changed_are_new || dead.contains(known->number)) &&
                          differs(*known, file));
      if (fresh && (known == nullptr || known->number <= begin)) ++unnumbered;
      if (fresh || known->number > begin) add_waiting(lag, file);
    }
    if (!from.is_null()) lag.position = "arrival " + std::to_string(begin);
    lag.end = "arrival " + std::to_string(log_->last() + unnumbered);
    return lag;
  }

  Status check(const Offset& from, const Offset& to) override {
    LAKEMILL_TRY(const auto arrivals, arrivals_between(from, to));
    return check_unchanged(stores_, arrivals);
  }

  Status recheck(const Offset& from, const Offset& to) override {
    return check(from, to);
  }

  Result<Slice> read(const Offset& from, const Offset& to) override {
    LAKEMILL_TRY(const auto arrivals, arrivals_between(from, to));
    LAKEMILL_TRY_OK(check_unchanged(stores_, arrivals));
    Slice slice = make_slice(spec_, arrivals);
    std::get<engine::FilesRelation>(slice.relation).files_before =
        [this, end = integer_member(from, "arrival", 0), dead = numbers_in(to, kDead)] {
          return files_before(end, dead);
        };
    return slice;
  }

  Result<std::vector<Piece>> pieces(const Offset& from, const Offset& to) override {
    std::vector<Piece> found;
    if (spec_.of_node) return found;
    LAKEMILL_TRY(const auto arrivals, arrivals_between(from, to));
    const ArrivalNumbers dead = numbers_in(to, kDead);
    for (const Arrival& arrival : arrivals) {
      std::array<char, 32> position{};
      std::snprintf(position.data(), position.size(), "%012lld",
                    static_cast<long long>(arrival.number));
      Json end{{"arrival", arrival.number}, {"digest", log_->digest(arrival.number)}};
      if (!dead.empty()) end[kDead] = to_ranges(dead, arrival.number);
      found.push_back({arrival.url, position.data(),
                       Json{{"arrival", arrival.number - 1}}, std::move(end),
                       arrival.size_bytes});
    }
    return found;
  }

  Offset without(const Offset& to, const std::vector<Piece>& left_out) override {
    ArrivalNumbers dead = numbers_in(to, kDead);
    for (const Piece& piece : left_out) {
      dead.insert(integer_member(piece.to, "arrival", 0));
    }
    Offset rest = to;
    rest[kDead] = to_ranges(dead, integer_member(to, "arrival", 0));
    return rest;
  }

  // The newest file that still is what it was.
  Result<std::optional<engine::FilesRelation>> sample(const Offset& to) override {
    if (spec_.relation.schema) return std::optional<engine::FilesRelation>();
    LAKEMILL_TRY_OK(log_->refresh());
    const std::int64_t end = integer_member(to, "arrival", 0);
    const ArrivalNumbers dead = numbers_in(to, kDead);
    for (const Arrival& arrival : newest_before(end, kSampledMax)) {
      if (dead.contains(arrival.number)) continue;
      if (!check_unchanged(stores_, {arrival})) continue;
      Slice slice = make_slice(spec_, {arrival});
      return std::optional<engine::FilesRelation>(
          std::get<engine::FilesRelation>(std::move(slice.relation)));
    }
    return std::optional<engine::FilesRelation>();
  }

  std::vector<Notice> take_notices() override { return std::move(notices_); }

 private:
  // Arrivals up to `end`, the newest first.
  std::vector<Arrival> newest_before(std::int64_t end, std::int64_t count_max) const {
    auto arrivals = log_->between(std::max<std::int64_t>(0, end - count_max), end);
    std::reverse(arrivals.begin(), arrivals.end());
    return arrivals;
  }

  // Files before a batch that still are what they were.
  Result<std::vector<engine::InputFile>> files_before(std::int64_t end,
                                                      const ArrivalNumbers& dead) {
    LAKEMILL_TRY_OK(log_->refresh());
    std::vector<engine::InputFile> files;
    for (const Arrival& arrival : newest_before(end, kTellingMax)) {
      if (dead.contains(arrival.number)) continue;
      if (!check_unchanged(stores_, {arrival})) continue;
      files.push_back({arrival.url, arrival.number, arrival.size_bytes});
    }
    return files;
  }

  // The arrivals that a batch from `from` to `to` reads.
  Result<std::vector<Arrival>> arrivals_between(const Offset& from, const Offset& to) {
    LAKEMILL_TRY_OK(log_->refresh());
    const std::int64_t begin = integer_member(from, "arrival", 0);
    const std::int64_t end = integer_member(to, "arrival", 0);
    if (begin < 0 || begin > end || end > log_->last()) {
      return Error(ErrorCode::corrupt, "the arrival log of " + spec_.url +
                                           " does not hold arrivals " +
                                           std::to_string(begin + 1) + " to " +
                                           std::to_string(end) + " of the plan");
    }
    LAKEMILL_TRY_OK(check_log(to, {}));
    auto arrivals = log_->between(begin, end);
    const ArrivalNumbers unread = numbers_in(to, kUnread);
    const ArrivalNumbers dead = numbers_in(to, kDead);
    std::erase_if(arrivals, [&](const Arrival& arrival) {
      return unread.contains(arrival.number) || dead.contains(arrival.number);
    });
    if (spec_.of_node && begin == 0) {
      LAKEMILL_TRY(const auto files, files_of(stores_, spec_));
      const auto there = by_path(files);
      std::erase_if(arrivals, [&](const Arrival& arrival) {
        return !there.contains(arrival.url);
      });
    }
    return arrivals;
  }

  // Files that no batch has read, and that are not what they were when they arrived:
  // no batch can read them any more. Those that are there get another number.
  void leave_out_lost(std::int64_t begin, const FilesByPath& there,
                      ArrivalNumbers& unread) {
    if (begin >= log_->last()) return;
    for (const Arrival& arrival : log_->between(begin, log_->last())) {
      const auto file = there.find(arrival.url);
      if (file != there.end() && !differs(arrival, file->second)) continue;
      unread.insert(arrival.number);
      const Arrival* newest = log_->find(arrival.url);
      if (newest->number != arrival.number) continue;  // told when that one came
      if (file == there.end()) {
        if (!log_->is_first_to_tell(arrival.number)) continue;
        notices_.push_back({Notice::Kind::file_vanished, arrival.url,
                            "the file " + arrival.url +
                                " is gone, and no batch had read it: the next batch is "
                                "planned without it"});
      } else {
        notices_.push_back({Notice::Kind::file_changed, arrival.url,
                            "the file " + arrival.url +
                                " has changed before a batch had read it: the next "
                                "batch is planned with its new content"});
      }
    }
  }

  // A file that was set aside and is not what it was gets another number.
  void give_back_mended(const FilesByPath& there, ArrivalNumbers& dead,
                        ArrivalNumbers& unread) const {
    for (const std::int64_t number : ArrivalNumbers(dead)) {
      if (number > log_->last()) continue;  // check_log() tells
      const Arrival arrival = log_->between(number - 1, number).front();
      const auto file = there.find(arrival.url);
      if (file == there.end() || !differs(arrival, file->second)) continue;
      dead.erase(number);
      unread.insert(number);
    }
  }

  // A file that was numbered again, while another runner's batch read it as it was.
  void leave_out_read_before(std::int64_t begin, ArrivalNumbers& unread) const {
    for (const Arrival& arrival : log_->between(begin, log_->last())) {
      if (arrival.instead_of == 0) continue;
      if (!log_->never_read(arrival.instead_of, unread)) unread.insert(arrival.number);
    }
  }

  bool never_had_a_file(const ArrivalNumbers& unread) const {
    return static_cast<std::int64_t>(unread.size()) >= log_->last();
  }

  // The arrivals up to which files were gone when the flow began. Fails if a file that
  // was read since then is gone.
  Result<std::int64_t> start_of(const Offset& from, const FilesByPath& there) const {
    const std::int64_t begin = integer_member(from, "arrival", 0);
    std::int64_t start = integer_member(from, "start", 0);
    for (const Arrival& arrival :
         log_->between(start, begin == 0 ? log_->last() : begin)) {
      if (there.contains(arrival.url)) continue;
      if (begin == 0) {
        start = arrival.number;
        continue;
      }
      return Error(ErrorCode::invalid,
                   "the file " + arrival.url +
                       " was read and is gone: the node that wrote it began anew, so "
                       "what is new there cannot be read by itself; run this node with "
                       "--full-refresh");
    }
    return start;
  }

  // Fails if the log is not the one that `offset` was taken from, nor would be if
  // `files` were numbered: one that was lost is made anew where nothing has changed.
  Status check_log(const Offset& offset,
                   const std::vector<storage::ObjectInfo>& files) const {
    const std::int64_t number = integer_member(offset, "arrival", 0);
    const std::string digest = string_member(offset, "digest", "");
    const bool same = digest.empty() ? number >= 0 && number <= log_->last()
                                     : digest == log_->digest_with(files, number);
    if (same) return {};
    return Error(ErrorCode::corrupt,
                 "the arrival log of " + spec_.url +
                     " was lost or altered: batches up to arrival " +
                     std::to_string(number) +
                     " are in the table, but it numbers its files otherwise; restore "
                     "the flow's state folder, or run the node with --full-refresh");
  }

  void notice_changes(const std::vector<storage::ObjectInfo>& files,
                      const ArrivalNumbers& unread) {
    if (spec_.changed_are_new) return;
    for (const auto& file : files) {
      const Arrival* known = log_->find(file.path);
      if (known == nullptr || !differs(*known, file) ||
          log_->never_read(known->number, unread) ||
          !log_->is_first_to_tell(known->number, file)) {
        continue;
      }
      notices_.push_back(
          {Notice::Kind::file_changed, file.path,
           "the file " + file.path +
               " has changed since it was read; its new content is ignored "
               "(on_change: READ reads it again)"});
    }
  }

  // `begin` where there is nothing to read.
  std::int64_t bounded_end(std::int64_t begin, const ArrivalNumbers& unread) const {
    std::int64_t end = begin;
    std::int64_t bytes = 0;
    std::int64_t files = 0;
    std::int64_t rows = 0;
    for (const Arrival& arrival : log_->between(begin, log_->last())) {
      if (unread.contains(arrival.number)) continue;
      bytes += arrival.size_bytes;
      const bool over_bytes = spec_.bytes_max > 0 && bytes > spec_.bytes_max;
      const bool over_files = spec_.files_max > 0 && files >= spec_.files_max;
      if (files > 0 && (over_bytes || over_files)) break;
      const auto counted = rows_of(arrival);
      if (files > 0 && (!counted || rows + *counted > spec_.rows_max) &&
          spec_.rows_max > 0) {
        break;
      }
      end = arrival.number;
      ++files;
      if (!counted) break;  // a file that cannot be read is a batch by itself
      rows += *counted;
      if (spec_.rows_max > 0 && rows >= spec_.rows_max) break;
    }
    return end;
  }

  // 0 where nobody asks.
  std::optional<std::int64_t> rows_of(const Arrival& arrival) const {
    if (spec_.rows_max == 0) return 0;
    Slice slice = make_slice(spec_, {arrival});
    const auto counted =
        spec_.count_rows(std::get<engine::FilesRelation>(slice.relation));
    if (!counted) return std::nullopt;
    return *counted;
  }

  FileSourceSpec spec_;
  storage::StoreProvider& stores_;
  std::shared_ptr<ArrivalLog> log_;
  std::vector<Notice> notices_;
};

}  // namespace

std::unique_ptr<Source> make_file_source(FileSourceSpec spec,
                                         storage::StoreProvider& stores,
                                         std::shared_ptr<ArrivalLog> arrivals) {
  if (!spec.incremental) {
    return std::make_unique<WholeFileSource>(std::move(spec), stores);
  }
  return std::make_unique<ArrivingFileSource>(std::move(spec), stores,
                                              std::move(arrivals));
}

}  // namespace lakemill::sources
