#include "lakemill/base/time_zone.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>

#include "lakemill/base/text.h"

namespace lakemill {

namespace {

namespace fs = std::filesystem;
using std::chrono::hours, std::chrono::microseconds, std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr const char* kSystemFolder = "/usr/share/zoneinfo";
constexpr std::uintmax_t kFileBytesMax = 1 << 20;  // the largest of them has 4 KB
constexpr seconds kOffsetMax = hours(26);          // RFC 8536, section 3.2
// Some files begin with a change in the distant past that microseconds cannot tell.
constexpr std::int64_t kSecondsMax = std::int64_t{1} << 40;

constexpr std::string_view kMagic = "TZif";
constexpr std::size_t kHeaderBytes = 44;
constexpr std::size_t kTypeBytes = 6;

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

/// The six counts of a header.
struct Counts {
  std::size_t utc_flags, standard_flags, leap_seconds, changes, types, characters;

  explicit Counts(std::string_view header)
      : utc_flags(at(header, 20)),
        standard_flags(at(header, 24)),
        leap_seconds(at(header, 28)),
        changes(at(header, 32)),
        types(at(header, 36)),
        characters(at(header, 40)) {}

  std::size_t block_bytes(std::size_t time_bytes) const {
    return changes * (time_bytes + 1) + types * kTypeBytes + characters +
           leap_seconds * (time_bytes + 4) + standard_flags + utc_flags;
  }

 private:
  static std::size_t at(std::string_view header, std::size_t place) {
    return big_endian(header.substr(place, 4));
  }
};

// Letters, digits, `_`, `+` and `-` in parts between slashes: no dots, so that no name
// leads out of the folder.
bool is_zone_name(std::string_view name) {
  for (const std::string& part : split(name, '/')) {
    const bool is_plain = std::ranges::all_of(part, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
             (c >= '0' && c <= '9') || c == '_' || c == '+' || c == '-';
    });
    if (part.empty() || !is_plain) return false;
  }
  return true;
}

fs::path zone_folder() {
  const char* named = std::getenv("TZDIR");
  return named == nullptr || *named == '\0' ? kSystemFolder : named;
}

// All names of the database, without those that only repeat others in another way.
std::vector<std::string> zone_names(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code failed;
  fs::recursive_directory_iterator entry(
      folder, fs::directory_options::skip_permission_denied, failed);
  for (; !failed && entry != fs::recursive_directory_iterator();
       entry.increment(failed)) {
    const std::string name = entry->path().lexically_relative(folder).string();
    if (name == "posix" || name == "right") entry.disable_recursion_pending();
    std::error_code unreadable;
    if (is_zone_name(name) && entry->is_regular_file(unreadable)) names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

// "Europe/Berlin" for "europe/berlin", "Berlin" and "Europe/Berlim".
std::optional<std::string> meant_by(std::string_view name,
                                    const std::vector<std::string>& known) {
  const auto is_city = [name](const std::string& zone) {
    return equals_ignoring_case(zone.substr(zone.rfind('/') + 1), name);
  };
  const auto city = std::ranges::find_if(known, is_city);
  if (city != known.end()) return *city;
  return nearest(name, known);
}

Error no_such_zone(std::string_view name, const fs::path& folder) {
  const std::vector<std::string> known = zone_names(folder);
  if (known.empty()) {
    return {ErrorCode::unsupported,
            "time zone '" + std::string(name) +
                "' is not known: there is no time zone " + "database in " +
                folder.string() +
                "; install the package tzdata, or name its folder in TZDIR"};
  }
  const auto meant = meant_by(name, known);
  return {ErrorCode::invalid,
          "there is no time zone '" + std::string(name) + "'" +
              (meant ? ", did you mean '" + *meant + "'?"
                     : "; zones have names such as Europe/Berlin or UTC")};
}

// The bytes of the zone's file; nothing if there is none.
std::optional<std::string> read_zone_file(const fs::path& path) {
  std::error_code failed;
  if (!fs::is_regular_file(path, failed) || failed) return std::nullopt;
  const auto size = fs::file_size(path, failed);
  if (failed || size > kFileBytesMax) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace

Result<std::shared_ptr<const TimeZone>> TimeZone::find(std::string_view name) {
  if (name == "UTC") return utc();
  const fs::path folder = zone_folder();
  if (!is_zone_name(name)) return no_such_zone(name, folder);
  const auto file = read_zone_file(folder / name);
  if (!file) return no_such_zone(name, folder);
  return parse(std::string(name), *file);
}

std::shared_ptr<const TimeZone> TimeZone::utc() {
  static const std::shared_ptr<const TimeZone> zone(new TimeZone("UTC"));
  return zone;
}

Result<std::shared_ptr<const TimeZone>> TimeZone::parse(std::string name,
                                                        std::string_view file) {
  std::shared_ptr<TimeZone> zone(new TimeZone(std::move(name)));
  if (Status read = zone->read(file); !read) {
    return std::move(read).error().while_doing("time zone '" + zone->name_ + "'");
  }
  return std::shared_ptr<const TimeZone>(std::move(zone));
}

// A file is a header and a block with times of 4 bytes, for old readers, then the same
// with 8 bytes, then the rule between two line ends.
Status TimeZone::read(std::string_view file) {
  const Error cut(ErrorCode::corrupt, "its file is cut off");
  if (!file.starts_with(kMagic))
    return Error(ErrorCode::corrupt, "its file is no TZif");
  if (file.size() < kHeaderBytes) return cut;
  if (file[kMagic.size()] < '2') {
    return Error(ErrorCode::unsupported,
                 "its file is of version 1 of TZif; install a newer tzdata");
  }
  const std::size_t skipped = kHeaderBytes + Counts(file).block_bytes(4);
  if (file.size() < skipped + kHeaderBytes) return cut;
  file.remove_prefix(skipped);
  if (!file.starts_with(kMagic))
    return Error(ErrorCode::corrupt, "its file is no TZif");
  const Counts counts(file);
  const std::size_t block = counts.block_bytes(8);
  if (file.size() < kHeaderBytes + block) return cut;
  if (counts.leap_seconds > 0) {
    return Error(ErrorCode::unsupported,
                 "it counts leap seconds, which instants here do not");
  }
  if (counts.types == 0) return Error(ErrorCode::corrupt, "its file has no offsets");
  LAKEMILL_TRY_OK(
      read_changes(file.substr(kHeaderBytes, block), counts.changes, counts.types));

  std::string_view footer = file.substr(kHeaderBytes + block);
  if (footer.size() < 2 || footer.front() != '\n') return cut;
  footer.remove_prefix(1);
  const std::size_t end = footer.find('\n');
  if (end == std::string_view::npos) return cut;
  if (end > 0) {
    LAKEMILL_TRY(rule_, TimeZoneRule::parse(footer.substr(0, end)));
  }
  return {};
}

// Times of changes, then the number of a type for each, then the types, which begin
// with the offset.
Status TimeZone::read_changes(std::string_view block, std::size_t change_count,
                              std::size_t type_count) {
  const std::string_view times = block.substr(0, change_count * 8);
  const std::string_view numbers = block.substr(times.size(), change_count);
  const std::string_view types =
      block.substr(times.size() + numbers.size(), type_count * kTypeBytes);
  const auto offset_of = [types](std::size_t type) {
    const auto bits =
        static_cast<std::uint32_t>(big_endian(types.substr(type * kTypeBytes, 4)));
    return seconds(static_cast<std::int32_t>(bits));
  };
  for (std::size_t type = 0; type < type_count; ++type) {
    if (offset_of(type) > kOffsetMax || offset_of(type) < -kOffsetMax) {
      return Error(ErrorCode::corrupt, "its file has an offset of more than 26 hours");
    }
  }
  first_offset_ = offset_of(0);
  std::int64_t before = std::numeric_limits<std::int64_t>::min();
  for (std::size_t i = 0; i < change_count; ++i) {
    const auto at = static_cast<std::int64_t>(big_endian(times.substr(i * 8, 8)));
    const auto type = static_cast<unsigned char>(numbers[i]);
    if (type >= type_count || (i > 0 && at <= before)) {
      return Error(ErrorCode::corrupt, "its file has changes in a wrong order");
    }
    before = at;
    if (at > kSecondsMax) break;
    if (at < -kSecondsMax) {
      first_offset_ = offset_of(type);
    } else {
      changes_.push_back({sys_seconds(seconds(at)), offset_of(type)});
    }
  }
  return {};
}

TimeZone::Span TimeZone::span_at(Instant instant) const {
  const auto next = std::ranges::upper_bound(
      changes_, std::chrono::floor<seconds>(instant), {}, &OffsetChange::at);
  if (next == changes_.end() && rule_) return span_by_rule(instant);
  Span span{Instant::min(), Instant::max(), first_offset_};
  if (next != changes_.begin()) {
    span.begin = std::prev(next)->at;
    span.offset = std::prev(next)->offset;
  }
  if (next != changes_.end()) span.end = next->at;
  return span;
}

TimeZone::Span TimeZone::span_by_rule(Instant instant) const {
  Span span{Instant::min(), Instant::max(), rule_->standard_offset()};
  if (!changes_.empty()) span.begin = changes_.back().at;
  const auto changes = rule_->changes_around(std::chrono::floor<seconds>(instant));
  if (!changes) return span;
  for (const OffsetChange& change : *changes) {
    if (change.at > instant) {
      span.end = change.at;
      break;
    }
    span.begin = std::max(span.begin, Instant(change.at));
    span.offset = change.offset;
  }
  return span;
}

Instant TimeZone::first_reaching(WallTime wall) const {
  // So early that clocks show no later time yet.
  Span span = span_at(Instant(wall.time_since_epoch() - kOffsetMax));
  while (true) {
    const Instant shown(wall.time_since_epoch() - span.offset);
    if (shown < span.end) return std::max(shown, span.begin);
    span = span_at(span.end);
  }
}

WallTime TimeZone::latest_shown(Instant instant) const {
  constexpr microseconds kInstant{1};
  Span span = span_at(instant);
  WallTime latest = span.wall_at(instant);
  const Instant earliest = instant - 2 * kOffsetMax;  // nothing before shows later
  while (span.begin > earliest) {
    const Instant last = span.begin - kInstant;
    span = span_at(last);
    latest = std::max(latest, span.wall_at(last));
  }
  return latest;
}

}  // namespace lakemill
