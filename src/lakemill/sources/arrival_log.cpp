#include "lakemill/sources/arrival_log.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>

#include "lakemill/base/check.h"
#include "lakemill/base/hash.h"
#include "lakemill/storage/find_object.h"
#include "lakemill/storage/path_guard.h"

namespace lakemill::sources {

namespace {

constexpr std::size_t kDigestLength = 16;
constexpr const char* kCheckpoint = "checkpoint.json";
constexpr int kCheckpointObjects = 50;  // read one by one before they are put together

std::string object_name(std::int64_t first) {
  std::array<char, 40> name{};
  std::snprintf(name.data(), name.size(), "%012lld.json",
                static_cast<long long>(first));
  return name.data();
}

Json to_json(const Arrival& arrival) {
  Json json = {{"number", arrival.number},
               {"url", arrival.url},
               {"size", arrival.size_bytes},
               {"modified_ms", arrival.modified_ms},
               {"etag", arrival.etag}};
  if (arrival.instead_of > 0) json["instead_of"] = arrival.instead_of;
  return json;
}

Arrival from_json(const Json& json) {
  return {integer_member(json, "number", 0), string_member(json, "url", ""),
          integer_member(json, "size", 0),   integer_member(json, "modified_ms", 0),
          string_member(json, "etag", ""),   integer_member(json, "instead_of", 0)};
}

std::string identity_of(const std::string& url, std::int64_t size_bytes,
                        std::int64_t modified_ms, const std::string& etag) {
  return url + "\n" + std::to_string(size_bytes) + "\n" + std::to_string(modified_ms) +
         "\n" + etag;
}

bool is_below(const std::string& url, const std::string& folder) {
  return !folder.empty() && url.size() > folder.size() && url.starts_with(folder) &&
         url[folder.size()] == '/';
}

std::string followed(std::string folder) {
  auto real = storage::resolve_links(folder);
  return real ? *std::move(real) : std::move(folder);
}

// The digest of a log whose digest was `before`, with one more arrival.
std::string chained(const std::string& before, const std::string& identity) {
  return sha256_hex(before + "\n" + identity).substr(0, kDigestLength);
}

}  // namespace

bool differs(const Arrival& arrival, const storage::ObjectInfo& now) {
  return arrival.size_bytes != now.size_bytes ||
         arrival.modified_ms != now.modified_ms || arrival.etag != now.etag;
}

ArrivalLog::ArrivalLog(std::shared_ptr<storage::ObjectStore> store, std::string folder,
                       FileBase base)
    : store_(std::move(store)),
      folder_(std::move(folder)),
      base_{followed(std::move(base.folder)), followed(std::move(base.root))} {}

std::string ArrivalLog::kept_path(const std::string& url) const {
  if (is_below(url, base_.folder)) return url.substr(base_.folder.size() + 1);
  const bool is_local = url.find("://") == std::string::npos;
  if (!is_local || base_.folder.empty() || !is_below(url, base_.root)) return url;
  return std::filesystem::path(url).lexically_relative(base_.folder).string();
}

std::string ArrivalLog::full_url(const std::string& kept) const {
  const bool whole = kept.starts_with('/') || kept.find("://") != std::string::npos;
  if (whole || base_.folder.empty()) return kept;
  const std::string url = base_.folder + "/" + kept;
  if (!kept.starts_with("../")) return url;
  return std::filesystem::path(url).lexically_normal().string();
}

Error ArrivalLog::damaged() const {
  return {ErrorCode::corrupt, "the arrival log " + store_->url() + "/" + folder_ +
                                  " is damaged; restore it, or refresh the node with "
                                  "--full-refresh"};
}

// The next object bears the next number, so that nothing need be listed.
Status ArrivalLog::refresh() {
  if (!is_open_) LAKEMILL_TRY_OK(open());
  bool found = true;
  while (found) LAKEMILL_TRY_OK(read_next(found));
  return {};
}

Status ArrivalLog::open() {
  load_checkpoint();
  bool found = true;
  while (found) LAKEMILL_TRY_OK(read_next(found));
  LAKEMILL_TRY_OK(check_no_gap());
  is_open_ = true;
  return {};
}

Status ArrivalLog::read_next(bool& found) {
  const std::string path = folder_ + "/" + object_name(last() + 1);
  LAKEMILL_TRY(const auto text, storage::find_object(*store_, path));
  found = text.has_value();
  if (!found) return {};
  const auto list = parse_json(*text);
  if (!list || !list->is_array() || list->empty()) return damaged();
  LAKEMILL_TRY_OK(append(*list));
  ++objects_since_checkpoint_;
  return {};
}

// Nothing comes after the arrivals that were found.
Status ArrivalLog::check_no_gap() {
  const std::string end = folder_ + "/" + object_name(last() + 1);
  LAKEMILL_TRY(const auto later, store_->list(folder_ + "/0", end));
  if (later.empty()) return {};
  // Another process may have numbered files since the last look.
  bool found = false;
  LAKEMILL_TRY_OK(read_next(found));
  if (found) return check_no_gap();
  return Error(ErrorCode::corrupt, "the arrival log " + store_->url() + "/" + folder_ +
                                       " lacks arrival " + std::to_string(last() + 1));
}

// All of `list` or nothing.
Status ArrivalLog::append(const Json& list) {
  std::vector<Arrival> arrivals;
  for (const Json& item : list) {
    Arrival arrival = from_json(item);
    const std::int64_t expected =
        last() + static_cast<std::int64_t>(arrivals.size()) + 1;
    if (arrival.number != expected) {
      return Error(ErrorCode::corrupt, "the arrival log " + store_->url() + "/" +
                                           folder_ + " lacks arrival " +
                                           std::to_string(expected));
    }
    if (arrival.instead_of < 0 || arrival.instead_of >= arrival.number) {
      return Error(ErrorCode::corrupt,
                   "arrival " + std::to_string(arrival.number) + " of the log " +
                       store_->url() + "/" + folder_ + " stands for arrival " +
                       std::to_string(arrival.instead_of) + ", which is not before it");
    }
    arrivals.push_back(std::move(arrival));
  }
  for (Arrival& arrival : arrivals) {
    digests_.push_back(
        chained(digest(last()), identity_of(arrival.url, arrival.size_bytes,
                                            arrival.modified_ms, arrival.etag)));
    arrival.url = full_url(arrival.url);
    newest_by_url_[arrival.url] = arrivals_.size();
    arrivals_.push_back(std::move(arrival));
  }
  return {};
}

// One that is damaged or lost is as good as none: the log itself is whole.
void ArrivalLog::load_checkpoint() {
  const auto text = store_->get(folder_ + "/" + kCheckpoint);
  if (!text) return;
  const auto list = parse_json(*text);
  if (list && list->is_array()) (void)append(*list);
}

// Best effort. An older one may take its place when two processes write at once.
void ArrivalLog::write_checkpoint() {
  Json list = Json::array();
  for (const Arrival& arrival : arrivals_) {
    Arrival kept = arrival;
    kept.url = kept_path(arrival.url);
    list.push_back(to_json(kept));
  }
  (void)store_->put(folder_ + "/" + kCheckpoint, json_text(list) + "\n");
  objects_since_checkpoint_ = 0;
}

// What is to be numbered, in its order.
std::vector<storage::ObjectInfo> ArrivalLog::fresh_of(
    const std::vector<storage::ObjectInfo>& files, bool changed_are_new,
    const ArrivalNumbers& unread) const {
  std::vector<storage::ObjectInfo> fresh;
  for (const auto& file : files) {
    const Arrival* known = find(file.path);
    if (known == nullptr || (changed_are_new && differs(*known, file)) ||
        never_read(known->number, unread)) {
      fresh.push_back(file);
    }
  }
  std::sort(fresh.begin(), fresh.end(), [](const auto& left, const auto& right) {
    return std::tie(left.modified_ms, left.path) <
           std::tie(right.modified_ms, right.path);
  });
  return fresh;
}

Status ArrivalLog::add(const std::vector<storage::ObjectInfo>& files,
                       bool changed_are_new, const ArrivalNumbers& unread) {
  constexpr int kRacesMax =
      100;  // each lost race means that another process numbered files
  for (int race = 0; race < kRacesMax; ++race) {
    LAKEMILL_TRY_OK(refresh());
    const auto fresh = fresh_of(files, changed_are_new, unread);
    if (fresh.empty()) {
      if (objects_since_checkpoint_ >= kCheckpointObjects) write_checkpoint();
      return {};
    }
    Json list = Json::array();
    std::int64_t number = last();
    for (const auto& file : fresh) {
      const Arrival* known = find(file.path);
      const bool stands_for = known != nullptr && unread.contains(known->number);
      list.push_back(
          to_json({++number, kept_path(file.path), file.size_bytes, file.modified_ms,
                   file.etag, stands_for ? known->number : 0}));
    }
    const auto put = store_->put_if_absent(folder_ + "/" + object_name(last() + 1),
                                           json_text(list) + "\n");
    const bool decided_elsewhere = !put && (put.error().code() == ErrorCode::exists ||
                                            put.error().code() == ErrorCode::unknown);
    if (!put && !decided_elsewhere) return put.error();
  }
  return Error(ErrorCode::unavailable, "the arrival log " + store_->url() + "/" +
                                           folder_ +
                                           " is being written by too many processes");
}

bool ArrivalLog::is_first_to_tell(std::int64_t number) {
  return is_first(object_name(number));
}

bool ArrivalLog::is_first_to_tell(std::int64_t number, const storage::ObjectInfo& now) {
  const std::string change = identity_of("", now.size_bytes, now.modified_ms, now.etag);
  return is_first(sha256_hex(change).substr(0, kDigestLength) + "-" +
                  object_name(number));
}

bool ArrivalLog::is_first(const std::string& told) {
  if (!told_.insert(told).second) return false;
  const auto put = store_->put_if_absent(folder_ + "-told/" + told, "{}\n");
  return put || put.error().code() != ErrorCode::exists;
}

std::vector<Arrival> ArrivalLog::between(std::int64_t from, std::int64_t to) const {
  LAKEMILL_CHECK(0 <= from && from <= to && to <= last());
  return {arrivals_.begin() + from, arrivals_.begin() + to};
}

std::string ArrivalLog::digest(std::int64_t to) const {
  LAKEMILL_CHECK(0 <= to && to <= last());
  return to == 0 ? std::string() : digests_[static_cast<std::size_t>(to) - 1];
}

std::string ArrivalLog::digest_with(const std::vector<storage::ObjectInfo>& files,
                                    std::int64_t to) const {
  if (to <= last()) return digest(to);
  const auto fresh = fresh_of(files, false, {});
  const auto missing = static_cast<std::size_t>(to - last());
  if (fresh.size() < missing) return "";
  std::string digest = this->digest(last());
  for (std::size_t i = 0; i < missing; ++i) {
    const auto& file = fresh[i];
    digest = chained(digest, identity_of(kept_path(file.path), file.size_bytes,
                                         file.modified_ms, file.etag));
  }
  return digest;
}

const Arrival* ArrivalLog::find(const std::string& url) const {
  const auto found = newest_by_url_.find(url);
  return found == newest_by_url_.end() ? nullptr : &arrivals_[found->second];
}

bool ArrivalLog::never_read(std::int64_t number, const ArrivalNumbers& unread) const {
  while (number > 0) {
    LAKEMILL_CHECK(number <= last());
    if (!unread.contains(number)) return false;
    number = arrivals_[static_cast<std::size_t>(number) - 1].instead_of;
  }
  return true;
}

}  // namespace lakemill::sources
