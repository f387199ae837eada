#include "lakemill/base/time_zone_rule.h"

#include <gtest/gtest.h>

#include "lakemill/base/clock.h"

namespace lakemill {
namespace {

using std::chrono::hours, std::chrono::minutes;

// The two changes of a year: "2026-03-29T01:00 +120, 2026-10-25T01:00 +60".
std::string changes_of(std::string_view rule, std::string_view year) {
  const auto parsed = TimeZoneRule::parse(rule);
  if (!parsed) return parsed.error().message();
  const auto middle = *parse_instant(std::string(year) + "-07-01");
  const auto changes =
      parsed->changes_around(std::chrono::floor<std::chrono::seconds>(middle));
  if (!changes) return "none";
  std::string text;
  for (const OffsetChange& change : *changes) {
    const std::string at = format_instant(Instant(change.at)).substr(0, 16);
    if (!at.starts_with(year)) continue;
    if (!text.empty()) text += ", ";
    text += at + " " +
            std::to_string(std::chrono::duration_cast<minutes>(change.offset).count());
  }
  return text;
}

TEST(TimeZoneRule, CountsWeeksOfAMonth) {
  EXPECT_EQ(changes_of("CET-1CEST,M3.5.0,M10.5.0/3", "2026"),
            "2026-03-29T01:00 120, 2026-10-25T01:00 60");
  EXPECT_EQ(changes_of("EST5EDT,M3.2.0,M11.1.0", "2026"),
            "2026-03-08T07:00 -240, 2026-11-01T06:00 -300");
}

TEST(TimeZoneRule, KnowsTheSouthWhereSummerSpansTheNewYear) {
  EXPECT_EQ(changes_of("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "2026"),
            "2026-04-04T15:00 630, 2026-10-03T15:30 660");
}

TEST(TimeZoneRule, TakesWinterTimeThatIsBehindStandardTime) {
  EXPECT_EQ(changes_of("IST-1GMT0,M10.5.0,M3.5.0/1", "2026"),
            "2026-03-29T01:00 60, 2026-10-25T01:00 0");
}

TEST(TimeZoneRule, TakesTimesBeyondADay) {
  EXPECT_EQ(changes_of("EET-2EEST,M3.4.4/50,M10.4.4/50", "2026"),
            "2026-03-28T00:00 180, 2026-10-23T23:00 120");
  EXPECT_EQ(changes_of("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026"),
            "2026-03-29T01:00 -60, 2026-10-25T01:00 -120");
}

TEST(TimeZoneRule, CountsDaysOfTheYearWithAndWithoutLeapDays) {
  EXPECT_EQ(changes_of("AAA0BBB,J60/0,J300/0", "2027"),
            "2027-03-01T00:00 60, 2027-10-26T23:00 0");
  EXPECT_EQ(changes_of("AAA0BBB,J60/0,J300/0", "2028"),
            "2028-03-01T00:00 60, 2028-10-26T23:00 0");
  EXPECT_EQ(changes_of("AAA0BBB,59/0,299/0", "2028"),
            "2028-02-29T00:00 60, 2028-10-25T23:00 0");
}

TEST(TimeZoneRule, KnowsPlacesWhereClocksNeverChange) {
  const auto rule = TimeZoneRule::parse("<+0545>-5:45");
  ASSERT_TRUE(rule);
  EXPECT_EQ(rule->standard_offset(), hours(5) + minutes(45));
  EXPECT_FALSE(rule->changes_around({}));
}

TEST(TimeZoneRule, RefusesWhatIsNone) {
  for (const char* text :
       {"", "C", "CET", "CET-", "CET-25", "<CET-1", "CET-1CEST", "CET-1CEST,M3.5.0",
        "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,J0,J3", "CET-1CEST,366,J3",
        "CET-1CEST,M3.5.0/168,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0/3x", "CET-1:60",
        "CET-1CEST-2M3.5.0,M10.5.0"}) {
    const auto rule = TimeZoneRule::parse(text);
    ASSERT_FALSE(rule) << text;
    EXPECT_EQ(rule.error().code(), ErrorCode::corrupt) << text;
  }
}

}  // namespace
}  // namespace lakemill
