#include "lakemill/base/time_zone.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace lakemill {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours, std::chrono::minutes, std::chrono::seconds;

std::string number(std::uint64_t value, std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = bytes; i-- > 0; value >>= 8) {
    text[i] = static_cast<char>(value & 0xff);
  }
  return text;
}

/// What a TZif file is made of.
struct ZoneFile {
  std::vector<seconds> types;
  std::vector<std::pair<std::int64_t, unsigned>> changes;  // seconds, type
  std::string rule;
  std::uint64_t leap_seconds = 0;
  char version = '2';

  std::string header(bool with_data) const {
    const auto count = [&](std::size_t n) { return number(with_data ? n : 0, 4); };
    return "TZif" + std::string(1, version) + std::string(15, '\0') + count(0) +
           count(0) + count(leap_seconds) + count(changes.size()) +
           count(types.size()) + count(4);
  }

  std::string bytes() const {
    std::string text = header(false) + header(true);
    for (const auto& change : changes) {
      text += number(static_cast<std::uint64_t>(change.first), 8);
    }
    for (const auto& change : changes) text += number(change.second, 1);
    for (const seconds offset : types) {
      text += number(static_cast<std::uint32_t>(offset.count()), 4) + number(0, 2);
    }
    return text + std::string("ABC\0", 4) + std::string(leap_seconds * 12, '\0') +
           "\n" + rule + "\n";
  }
};

Result<std::shared_ptr<const TimeZone>> parse(const ZoneFile& file) {
  return TimeZone::parse("Test/Zone", file.bytes());
}

std::shared_ptr<const TimeZone> zone(std::string_view name) {
  auto found = TimeZone::find(name);
  EXPECT_TRUE(found) << found.error().message();
  return found ? *found : TimeZone::utc();
}

std::string wall(std::string_view name, std::string_view instant) {
  const auto place = zone(name);
  const Instant at = *parse_instant(instant);
  return format_wall_time(place->wall_at(at)) + format_offset(place->offset_at(at));
}

WallTime clock(std::string_view text) {
  return WallTime(parse_instant(text)->time_since_epoch());
}

std::string reached(std::string_view name, std::string_view time) {
  return format_instant(zone(name)->first_reaching(clock(time))).substr(0, 19);
}

/// Sets TZDIR as long as it lives.
class ZoneFolder {
 public:
  explicit ZoneFolder(const fs::path& folder) {
    if (const char* old = std::getenv("TZDIR")) before_ = old;
    setenv("TZDIR", folder.c_str(), 1);
  }
  ~ZoneFolder() {
    if (before_) {
      setenv("TZDIR", before_->c_str(), 1);
    } else {
      unsetenv("TZDIR");
    }
  }
  ZoneFolder(const ZoneFolder&) = delete;
  ZoneFolder& operator=(const ZoneFolder&) = delete;

 private:
  std::optional<std::string> before_;
};

TEST(TimeZone, ShowsWhatClocksShow) {
  EXPECT_EQ(wall("UTC", "2026-07-01T12:00"), "2026-07-01T12:00:00+00:00");
  EXPECT_EQ(wall("Europe/Berlin", "2026-03-29T00:59:59"), "2026-03-29T01:59:59+01:00");
  EXPECT_EQ(wall("Europe/Berlin", "2026-03-29T01:00"), "2026-03-29T03:00:00+02:00");
  EXPECT_EQ(wall("Europe/Berlin", "2026-10-25T00:59:59"), "2026-10-25T02:59:59+02:00");
  EXPECT_EQ(wall("Europe/Berlin", "2026-10-25T01:00"), "2026-10-25T02:00:00+01:00");
  EXPECT_EQ(wall("Asia/Kathmandu", "2026-01-01"), "2026-01-01T05:45:00+05:45");
  EXPECT_EQ(wall("America/St_Johns", "2026-01-01"), "2025-12-31T20:30:00-03:30");
  EXPECT_EQ(wall("America/Sao_Paulo", "2018-12-01"), "2018-11-30T22:00:00-02:00");
  EXPECT_EQ(wall("America/Sao_Paulo", "2026-12-01"), "2026-11-30T21:00:00-03:00");
}

TEST(TimeZone, KnowsThePastAndGoesOnByTheRule) {
  EXPECT_EQ(wall("Europe/Berlin", "1850-01-01"), "1850-01-01T00:53:28+00:53:28");
  EXPECT_EQ(wall("Africa/Monrovia", "1972-01-01"), "1971-12-31T23:15:30-00:44:30");
  EXPECT_EQ(wall("Europe/Berlin", "2100-07-01"), "2100-07-01T02:00:00+02:00");
  EXPECT_EQ(wall("Australia/Lord_Howe", "2099-01-01"), "2099-01-01T11:00:00+11:00");
  EXPECT_EQ(wall("Europe/Dublin", "2099-01-01"), "2099-01-01T00:00:00+00:00");
}

TEST(TimeZone, TellsHowLongClocksStayAsTheyAre) {
  const auto berlin = zone("Europe/Berlin");
  const auto summer = berlin->span_at(*parse_instant("2050-07-01"));
  EXPECT_EQ(format_instant(summer.begin).substr(0, 16), "2050-03-27T01:00");
  EXPECT_EQ(format_instant(summer.end).substr(0, 16), "2050-10-30T01:00");
  EXPECT_EQ(berlin->span_at(*parse_instant("1850-01-01")).begin, Instant::min());
  EXPECT_EQ(TimeZone::utc()->span_at(*parse_instant("2026-01-01")).end, Instant::max());
}

TEST(TimeZone, FindsTheInstantOfATimeOnClocks) {
  EXPECT_EQ(reached("Europe/Berlin", "2026-07-01T12:00"), "2026-07-01T10:00:00");
  EXPECT_EQ(reached("Europe/Berlin", "2026-03-29T02:30"), "2026-03-29T01:00:00");
  EXPECT_EQ(reached("Europe/Berlin", "2026-10-25T02:30"), "2026-10-25T00:30:00");
  EXPECT_EQ(reached("Europe/Berlin", "2026-10-25T03:00"), "2026-10-25T02:00:00");
  EXPECT_EQ(reached("Pacific/Apia", "2011-12-30T12:00"), "2011-12-30T10:00:00");
  EXPECT_EQ(reached("Pacific/Apia", "2011-12-31T00:00"), "2011-12-30T10:00:00");
}

TEST(TimeZone, RemembersWhatClocksShowedBeforeTheyWereSetBack) {
  const auto berlin = zone("Europe/Berlin");
  const auto latest = [&](std::string_view at) {
    return format_wall_time(berlin->latest_shown(*parse_instant(at)));
  };
  EXPECT_EQ(latest("2026-10-25T00:30"), "2026-10-25T02:30:00");
  EXPECT_EQ(latest("2026-10-25T01:30"), "2026-10-25T02:59:59");
  EXPECT_EQ(latest("2026-10-25T02:00"), "2026-10-25T03:00:00");
}

TEST(TimeZone, SaysWhichZoneWasMeant) {
  const auto message = [](std::string_view name) {
    const auto found = TimeZone::find(name);
    EXPECT_FALSE(found) << name;
    return found ? "" : found.error().message();
  };
  EXPECT_EQ(message("Europe/Berlim"),
            "there is no time zone 'Europe/Berlim', did you mean 'Europe/Berlin'?");
  EXPECT_EQ(message("europe/berlin"),
            "there is no time zone 'europe/berlin', did you mean 'Europe/Berlin'?");
  EXPECT_EQ(message("kathmandu"),
            "there is no time zone 'kathmandu', did you mean 'Asia/Kathmandu'?");
  EXPECT_EQ(message("the office's"),
            "there is no time zone 'the office's'; zones have names such as "
            "Europe/Berlin or UTC");
}

TEST(TimeZone, TakesNoNameThatLeadsOutOfItsFolder) {
  const fs::path folder = fs::path(testing::TempDir()) / "zones";
  fs::create_directories(folder / "inner");
  const ZoneFile file{{hours(1)}, {}, "", 0, '2'};
  std::ofstream(folder / "outside", std::ios::binary) << file.bytes();
  std::ofstream(folder / "inner/Known", std::ios::binary) << file.bytes();
  const ZoneFolder used(folder / "inner");
  EXPECT_TRUE(TimeZone::find("Known"));
  const std::string absolute = (folder / "outside").string();
  for (const std::string& name :
       {std::string("../outside"), std::string("./Known"), std::string("Known/"),
        std::string("/Known"), std::string("x//Known"), std::string("Known\0", 6),
        std::string(""), std::string("."), absolute}) {
    const auto found = TimeZone::find(name);
    ASSERT_FALSE(found) << name;
    EXPECT_EQ(found.error().code(), ErrorCode::invalid) << name;
  }
}

TEST(TimeZone, SaysWhatToInstallWithoutADatabase) {
  const ZoneFolder used("/nowhere/zoneinfo");
  const auto found = TimeZone::find("Europe/Berlin");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), ErrorCode::unsupported);
  EXPECT_NE(found.error().message().find("install the package tzdata"),
            std::string::npos);
  EXPECT_TRUE(TimeZone::find("UTC"));
}

TEST(TimeZone, BeginsWithTheFirstTypeAndSkipsChangesOfNoMeaning) {
  const std::int64_t big_bang = std::int64_t{-1} << 59;
  const auto parsed = parse({{seconds(100), seconds(200), seconds(300)},
                             {{big_bang, 1}, {1000, 2}},
                             "",
                             0,
                             '2'});
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ((*parsed)->offset_at(Instant(seconds(999))), seconds(200));
  EXPECT_EQ((*parsed)->offset_at(Instant(seconds(1000))), seconds(300));
  EXPECT_EQ((*parsed)->span_at(Instant(seconds(0))).begin, Instant::min());
}

TEST(TimeZone, FollowsTheRuleFromTheLastChangeOn) {
  const auto parsed = parse({{hours(0), hours(5)}, {{0, 1}}, "AAA-1", 0, '3'});
  ASSERT_TRUE(parsed);
  EXPECT_EQ((*parsed)->offset_at(Instant(seconds(-1))), hours(0));
  EXPECT_EQ((*parsed)->offset_at(Instant(seconds(0))), hours(1));
  const auto summer_for_ever = parse({{hours(0)}, {}, "EST5EDT,0/0,J365/25", 0, '3'});
  ASSERT_TRUE(summer_for_ever);
  for (const char* at : {"2026-01-01T04:59:59", "2026-01-01T05:00", "2026-07-01"}) {
    EXPECT_EQ((*summer_for_ever)->offset_at(*parse_instant(at)), hours(-4)) << at;
  }
}

TEST(TimeZone, RefusesFilesThatAreNone) {
  const auto code = [](const ZoneFile& file) {
    const auto parsed = parse(file);
    return parsed ? ErrorCode::exists : parsed.error().code();
  };
  EXPECT_EQ(code({{}, {}, "", 0, '2'}), ErrorCode::corrupt);
  EXPECT_EQ(code({{hours(0)}, {{1, 1}}, "", 0, '2'}), ErrorCode::corrupt);
  EXPECT_EQ(code({{hours(0)}, {{2, 0}, {2, 0}}, "", 0, '2'}), ErrorCode::corrupt);
  EXPECT_EQ(code({{hours(27)}, {}, "", 0, '2'}), ErrorCode::corrupt);
  EXPECT_EQ(code({{hours(0)}, {}, "nonsense", 0, '2'}), ErrorCode::corrupt);
  EXPECT_EQ(code({{hours(0)}, {}, "", 1, '2'}), ErrorCode::unsupported);
  EXPECT_EQ(code({{hours(0)}, {}, "", 0, '\0'}), ErrorCode::unsupported);
  EXPECT_EQ(TimeZone::parse("x", "# tz zone descriptions").error().code(),
            ErrorCode::corrupt);
}

// Goal: whatever stands in a file, reading it ends with a zone or an error. Method: a
// real file, cut at every length, and with each byte changed.
TEST(TimeZone, SurvivesBrokenFiles) {
  std::ifstream file("/usr/share/zoneinfo/Europe/Berlin", std::ios::binary);
  const std::string whole(std::istreambuf_iterator<char>(file), {});
  ASSERT_TRUE(TimeZone::parse("Europe/Berlin", whole));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(TimeZone::parse("cut", whole.substr(0, length))) << length;
  }
  const Instant some = *parse_instant("2026-07-01");
  for (std::size_t place = 0; place < whole.size(); ++place) {
    for (const char mask : {'\x01', '\x40', '\xff'}) {
      std::string changed = whole;
      changed[place] = static_cast<char>(changed[place] ^ mask);
      const auto parsed = TimeZone::parse("changed", changed);
      if (!parsed) continue;
      EXPECT_LE((*parsed)->latest_shown(some),
                WallTime(some.time_since_epoch()) + hours(30));
      EXPECT_LE((*parsed)->first_reaching(clock("2026-07-01")), some + hours(30));
    }
  }
}

}  // namespace
}  // namespace lakemill
