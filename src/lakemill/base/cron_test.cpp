#include "lakemill/base/cron.h"

#include <gtest/gtest.h>

namespace lakemill {
namespace {

std::string next(std::string_view cron, std::string_view after) {
  const auto parsed = Cron::parse(cron);
  if (!parsed) return parsed.error().message();
  const auto instant = parsed->next_after(*parse_instant(after));
  return instant ? format_instant(*instant).substr(0, 16) : instant.error().message();
}

TEST(Cron, FindsTheNextFit) {
  EXPECT_EQ(next("*/15 * * * *", "2026-01-01T00:07:30"), "2026-01-01T00:15");
  EXPECT_EQ(next("0 6 * * *", "2026-01-01T06:00"), "2026-01-02T06:00");
  EXPECT_EQ(next("30 8 * * MON-FRI", "2026-11-20T09:00"), "2026-11-23T08:30");
  EXPECT_EQ(next("0 0 29 2 *", "2026-03-01"), "2028-02-29T00:00");
  EXPECT_EQ(next("5,35 1-3/2 * JAN,dec 7", "2026-02-01"), "2026-12-06T01:05");
  EXPECT_EQ(next("@monthly", "2026-12-02"), "2027-01-01T00:00");
}

TEST(Cron, TakesEitherDayWhereBothAreRestricted) {
  EXPECT_EQ(next("0 0 13 * FRI", "2026-11-09"), "2026-11-13T00:00");
  EXPECT_EQ(next("0 0 13 * FRI", "2026-11-13"), "2026-11-20T00:00");
}

TEST(Cron, FindsALeapDayOnAWeekdayDecadesAway) {
  EXPECT_EQ(next("0 0 29 2 */7", "2088-03-01"), "2128-02-29T00:00");
}

TEST(Cron, TakesStepsBeyondTheField) {
  EXPECT_EQ(next("59/2147483647 */2147483647 * * *", "2026-01-01T00:59"),
            "2026-01-02T00:59");
}

TEST(Cron, KnowsWhetherItMeansTimesOfDay) {
  EXPECT_TRUE(Cron::parse("0 6 * * *")->has_fixed_time());
  EXPECT_TRUE(Cron::parse("0-59/5 0-23 * * *")->has_fixed_time());
  EXPECT_FALSE(Cron::parse("*/5 6 * * *")->has_fixed_time());
  EXPECT_FALSE(Cron::parse("0 */6 * * *")->has_fixed_time());
  EXPECT_FALSE(Cron::parse("@hourly")->has_fixed_time());
  EXPECT_TRUE(Cron::parse("@daily")->has_fixed_time());
}

TEST(Cron, SaysWhatIsWrong) {
  EXPECT_NE(next("* * *", "2026-01-01").find("five fields"), std::string::npos);
  EXPECT_NE(next("61 * * * *", "2026-01-01").find("'61' is no minute"),
            std::string::npos);
  EXPECT_NE(next("0 0 * * MOO", "2026-01-01").find("day of week"), std::string::npos);
  EXPECT_NE(next("0 0 30 2 *", "2026-01-01").find("no day ever fits"),
            std::string::npos);
  EXPECT_NE(next("*/0 * * * *", "2026-01-01").find("'*/0'"), std::string::npos);
}

}  // namespace
}  // namespace lakemill
