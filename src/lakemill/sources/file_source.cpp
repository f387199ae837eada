#include "lakemill/sources/file_source.h"

#include <algorithm>
#include <set>

#include "lakemill/sources/arrival_log.h"
#include "lakemill/sources/file_pattern.h"

namespace lakemill::sources {

namespace {

constexpr const char* kOffsetSql =
    "printf('%012d/%012d', _lakemill_arrival, _lakemill_row)";
constexpr std::int64_t kSampledMax = 100;  // files looked at for their columns
constexpr const char* kFileSql = "_lakemill_file";

Error nothing_there(const FileSourceSpec& spec) {
  return Error(ErrorCode::not_found,
               "no file at " + spec.url + "; check the source's path");
}

// Fails unless every file still is what the plan pinned.
Status check_unchanged(storage::StoreProvider& stores,
                       const std::vector<Arrival>& pinned) {
  for (const Arrival& arrival : pinned) {
    LAKEMILL_TRY(const auto now, list_files(stores, arrival.url));
    if (now.size() != 1 || now.front().path != arrival.url) {
      return Error(
          ErrorCode::invalid,
          "the file " + arrival.url +
              " is gone since this batch was planned; put it back as it was, or "
              "run the node with --full-refresh");
    }
    if (differs(arrival, now.front())) {
      return Error(
          ErrorCode::invalid,
          "the file " + arrival.url +
              " has changed since this batch was planned; put it back as it was, "
              "or run the node with --full-refresh");
    }
  }
  return {};
}

Slice make_slice(const FileSourceSpec& spec, const std::vector<Arrival>& arrivals) {
  engine::FilesRelation relation = spec.relation;
  for (const Arrival& arrival : arrivals) {
    relation.files.push_back({arrival.url, arrival.number, arrival.size_bytes});
  }
  return {std::move(relation), kOffsetSql, kFileSql, kOffsetSql, arrivals.empty()};
}

// All files that are there, as one version of one thing.
class WholeFileSource final : public Source {
 public:
  WholeFileSource(FileSourceSpec spec, storage::StoreProvider& stores)
      : spec_(std::move(spec)), stores_(stores) {}

  bool incremental() const override { return false; }

  Result<Offset> latest(const Offset&) override {
    LAKEMILL_TRY(const auto files, list_files(stores_, spec_.url));
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

  Result<Slice> read(const Offset&, const Offset& to) override {
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
                        string_member(item, "etag", "")});
    }
    LAKEMILL_TRY_OK(check_unchanged(stores_, pinned));
    Slice slice = make_slice(spec_, pinned);
    // Numbers begin anew with each reading: a later reading has the last word.
    slice.sequence_sql = std::string("printf('%012d/', {batch}) || ") + kOffsetSql;
    return slice;
  }

 private:
  FileSourceSpec spec_;
  storage::StoreProvider& stores_;
};

// Files in the order in which they arrived.
class ArrivingFileSource final : public Source {
 public:
  ArrivingFileSource(FileSourceSpec spec, storage::StoreProvider& stores,
                     ArrivalLog log)
      : spec_(std::move(spec)), stores_(stores), log_(std::move(log)) {}

  bool incremental() const override { return true; }

  Result<Offset> latest(const Offset& from) override {
    LAKEMILL_TRY(const auto files, list_files(stores_, spec_.url));
    LAKEMILL_TRY_OK(log_.refresh());
    notice_changes(files);
    LAKEMILL_TRY_OK(log_.add(files, spec_.changed_are_new));
    if (log_.last() == 0 && !spec_.relation.schema) return nothing_there(spec_);
    const std::int64_t begin = integer_member(from, "arrival", 0);
    LAKEMILL_TRY_OK(check_log(from));
    const std::int64_t end = bounded_end(begin);
    Json offset{{"arrival", end}, {"digest", log_.digest(end)}};
    if (spec_.of_node) {
      LAKEMILL_TRY(offset["start"], start_of(from, paths_of(files)));
    }
    return offset;
  }

  Result<Slice> read(const Offset& from, const Offset& to) override {
    LAKEMILL_TRY_OK(log_.refresh());
    const std::int64_t begin = integer_member(from, "arrival", 0);
    const std::int64_t end = integer_member(to, "arrival", 0);
    if (begin > end || end > log_.last()) {
      return Error(ErrorCode::corrupt, "the arrival log of " + spec_.url +
                                           " does not hold arrivals " +
                                           std::to_string(begin + 1) + " to " +
                                           std::to_string(end) + " of the plan");
    }
    LAKEMILL_TRY_OK(check_log(to));
    auto arrivals = log_.between(begin, end);
    if (spec_.of_node && begin == 0) {
      LAKEMILL_TRY(const auto files, list_files(stores_, spec_.url));
      const auto there = paths_of(files);
      std::erase_if(arrivals, [&](const Arrival& arrival) {
        return !there.contains(arrival.url);
      });
    }
    LAKEMILL_TRY_OK(check_unchanged(stores_, arrivals));
    return make_slice(spec_, arrivals);
  }

  // The newest file that still is what it was.
  Result<std::optional<engine::FilesRelation>> sample(const Offset& to) override {
    if (spec_.relation.schema) return std::optional<engine::FilesRelation>();
    LAKEMILL_TRY_OK(log_.refresh());
    const std::int64_t end = integer_member(to, "arrival", 0);
    const std::int64_t begin = std::max<std::int64_t>(0, end - kSampledMax);
    auto arrivals = log_.between(begin, end);
    std::reverse(arrivals.begin(), arrivals.end());
    for (const Arrival& arrival : arrivals) {
      if (!check_unchanged(stores_, {arrival})) continue;
      Slice slice = make_slice(spec_, {arrival});
      return std::optional<engine::FilesRelation>(
          std::get<engine::FilesRelation>(std::move(slice.relation)));
    }
    return std::optional<engine::FilesRelation>();
  }

  std::vector<Notice> take_notices() override { return std::move(notices_); }

 private:
  static std::set<std::string> paths_of(const std::vector<storage::ObjectInfo>& files) {
    std::set<std::string> paths;
    for (const auto& file : files) paths.insert(file.path);
    return paths;
  }

  // The arrivals up to which files were gone when the flow began. Fails if a file that
  // was read since then is gone.
  Result<std::int64_t> start_of(const Offset& from,
                                const std::set<std::string>& there) const {
    const std::int64_t begin = integer_member(from, "arrival", 0);
    std::int64_t start = integer_member(from, "start", 0);
    for (const Arrival& arrival :
         log_.between(start, begin == 0 ? log_.last() : begin)) {
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

  // Fails if the log is not the one that `offset` was taken from.
  Status check_log(const Offset& offset) const {
    const std::int64_t number = integer_member(offset, "arrival", 0);
    const std::string digest = string_member(offset, "digest", "");
    const bool same =
        number <= log_.last() && (digest.empty() || digest == log_.digest(number));
    if (same) return {};
    return Error(ErrorCode::corrupt,
                 "the arrival log of " + spec_.url +
                     " was lost or altered: batches up to arrival " +
                     std::to_string(number) +
                     " are in the table, but it numbers its files otherwise; restore "
                     "the flow's state folder, or run the node with --full-refresh");
  }

  void notice_changes(const std::vector<storage::ObjectInfo>& files) {
    if (spec_.changed_are_new) return;
    for (const auto& file : files) {
      const Arrival* known = log_.find(file.path);
      if (known == nullptr || !differs(*known, file)) continue;
      notices_.push_back(
          {Notice::Kind::file_changed, file.path,
           "the file " + file.path +
               " has changed since it was read; its new content is ignored "
               "(on_change: READ reads it again)"});
    }
  }

  std::int64_t bounded_end(std::int64_t begin) const {
    std::int64_t end = begin;
    std::int64_t bytes = 0;
    for (const Arrival& arrival : log_.between(begin, log_.last())) {
      bytes += arrival.size_bytes;
      const bool over_bytes = spec_.bytes_max > 0 && bytes > spec_.bytes_max;
      const bool over_files = spec_.files_max > 0 && end - begin >= spec_.files_max;
      if (end > begin && (over_bytes || over_files)) break;
      end = arrival.number;
    }
    return end;
  }

  FileSourceSpec spec_;
  storage::StoreProvider& stores_;
  ArrivalLog log_;
  std::vector<Notice> notices_;
};

}  // namespace

std::unique_ptr<Source> make_file_source(FileSourceSpec spec,
                                         storage::StoreProvider& stores,
                                         std::shared_ptr<storage::ObjectStore> state,
                                         std::string arrivals_folder) {
  if (!spec.incremental) {
    return std::make_unique<WholeFileSource>(std::move(spec), stores);
  }
  ArrivalLog log(std::move(state), std::move(arrivals_folder), spec.base);
  return std::make_unique<ArrivingFileSource>(std::move(spec), stores, std::move(log));
}

}  // namespace lakemill::sources
