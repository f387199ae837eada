#include "lakemill/delta/log_segment.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "lakemill/base/text.h"

namespace lakemill::delta {

namespace {

constexpr std::string_view kFolder = "_delta_log/";
constexpr std::size_t kVersionDigits = 20;
constexpr std::size_t kPartDigits = 10;
constexpr std::size_t kUuidSize = 36;

std::string padded(Version version) {
  std::string digits = std::to_string(version);
  return std::string(kVersionDigits - std::min(kVersionDigits, digits.size()), '0') +
         digits;
}

// A number of exactly `width` digits.
std::optional<std::int64_t> fixed_number(std::string_view digits, std::size_t width) {
  std::int64_t value = 0;
  if (digits.size() != width || digits[0] == '-') return std::nullopt;
  const char* end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return value;
}

// Collects the parts of multi-part checkpoints until one is complete.
class PartCollector {
 public:
  // Gives the checkpoint when `part` was the last that was missing.
  std::optional<CheckpointFiles> add(Version version, std::int64_t part,
                                     std::int64_t part_count,
                                     const storage::ObjectInfo& info) {
    if (version != version_ || part_count != part_count_) {
      version_ = version;
      part_count_ = part_count;
      parts_.clear();
    }
    // Sorted by name, the parts of one checkpoint come as 1, 2, 3 … unless one is
    // missing; sets of different sizes interleave by their first number.
    if (part != static_cast<std::int64_t>(parts_.size()) + 1) return std::nullopt;
    parts_.push_back(info);
    if (part != part_count) return std::nullopt;
    return CheckpointFiles{version, std::exchange(parts_, {})};
  }

 private:
  Version version_ = -1;
  std::int64_t part_count_ = 0;
  std::vector<storage::ObjectInfo> parts_;
};

}  // namespace

std::string commit_path(Version version) {
  return std::string(kFolder) + padded(version) + ".json";
}

Version LogListing::newest() const {
  const Version commit = commits.empty() ? -1 : commits.back().version;
  const Version checkpoint = checkpoints.empty() ? -1 : checkpoints.back().version;
  return std::max(commit, checkpoint);
}

std::optional<Version> LogListing::oldest() const {
  if (!commits.empty() && commits.front().version == 0) return 0;
  if (checkpoints.empty()) return std::nullopt;
  return checkpoints.front().version;
}

const CommitFile* LogListing::find_commit(Version version) const {
  const auto found = std::lower_bound(
      commits.begin(), commits.end(), version,
      [](const CommitFile& commit, Version wanted) { return commit.version < wanted; });
  return found == commits.end() || found->version != version ? nullptr : &*found;
}

LogListing to_listing(const std::vector<storage::ObjectInfo>& objects) {
  LogListing listing;
  std::map<std::int64_t, PartCollector> collectors;  // by number of parts
  for (const storage::ObjectInfo& info : objects) {
    std::string_view name = info.path;
    if (!name.starts_with(kFolder)) continue;
    name.remove_prefix(kFolder.size());
    const auto version = fixed_number(name.substr(0, kVersionDigits), kVersionDigits);
    if (!version) continue;
    const std::vector<std::string> words =
        split(name.substr(kVersionDigits), '.');  // ".json" is "", "json"
    if (words.size() < 2 || !words[0].empty()) continue;
    if (words.size() == 2 && words[1] == "json") {
      listing.commits.push_back({*version, info});
    }
    if (words[1] != "checkpoint") continue;
    if (words.size() == 3 && words[2] == "parquet") {
      listing.checkpoints.push_back({*version, {info}});
    } else if (words.size() == 4 && words[2].size() == kUuidSize &&
               (words[3] == "parquet" || words[3] == "json")) {
      listing.checkpoints.push_back({*version, {info}});
    } else if (words.size() == 5 && words[4] == "parquet") {
      const auto part = fixed_number(words[2], kPartDigits);
      const auto part_count = fixed_number(words[3], kPartDigits);
      if (!part || !part_count) continue;
      auto complete = collectors[*part_count].add(*version, *part, *part_count, info);
      if (complete) listing.checkpoints.push_back(std::move(*complete));
    }
  }
  return listing;
}

Result<LogListing> list_log(storage::ObjectStore& store, Version from) {
  // A version has at most 19 digits, so every name begins with 0: this leaves out
  // _sidecars and the like, which may be many.
  const std::string prefix = std::string(kFolder) + "0";
  const std::string start = from <= 0 ? "" : std::string(kFolder) + padded(from);
  LAKEMILL_TRY(std::vector<storage::ObjectInfo> objects, store.list(prefix, start));
  return to_listing(objects);
}

Result<std::optional<Version>> last_checkpoint_hint(storage::ObjectStore& store) {
  Result<std::string> text = store.get(std::string(kFolder) + "_last_checkpoint");
  if (!text) {
    const ErrorCode code = text.error().code();
    if (code == ErrorCode::denied || code == ErrorCode::unavailable) {
      return std::move(text).error();
    }
    return std::optional<Version>();
  }
  const Result<Json> json = parse_json(*text);
  const Version version = json ? integer_member(*json, "version", -1) : -1;
  return version < 0 ? std::nullopt : std::optional<Version>(version);
}

Result<LogSegment> make_segment(const LogListing& listing, Version version,
                                const CheckpointFiles* checkpoint) {
  LogSegment segment{version, checkpoint, {}};
  Version next = checkpoint == nullptr ? 0 : checkpoint->version + 1;
  auto commit = std::lower_bound(
      listing.commits.begin(), listing.commits.end(), next,
      [](const CommitFile& file, Version wanted) { return file.version < wanted; });
  for (; next <= version; ++next, ++commit) {
    if (commit == listing.commits.end() || commit->version != next) {
      return Error(ErrorCode::corrupt, "the log has a gap: version " +
                                           std::to_string(next) + " is missing (" +
                                           commit_path(next) +
                                           "), and no readable checkpoint covers it");
    }
    segment.commits.push_back(*commit);
  }
  return segment;
}

}  // namespace lakemill::delta
