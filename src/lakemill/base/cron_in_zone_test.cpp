#include "lakemill/base/cron_in_zone.h"

#include <gtest/gtest.h>

namespace lakemill {
namespace {

/// The `count` instants after `from`, as clocks show them: "03-29 03:00 +02:00".
std::vector<std::string> fired(std::string_view expression, std::string_view name,
                               std::string_view from, int count) {
  const auto cron = Cron::parse(expression);
  const auto zone = TimeZone::find(name);
  EXPECT_TRUE(cron && zone) << name;
  if (!cron || !zone) return {};
  const CronInZone schedule(*cron, *zone);
  Instant at = *parse_instant(from);
  std::vector<std::string> texts;
  for (int i = 0; i < count; ++i) {
    const auto next = schedule.next_after(at);
    if (!next) return {next.error().message()};
    EXPECT_GT(*next, at);
    at = *next;
    const std::string wall = format_wall_time((*zone)->wall_at(at));
    texts.push_back(wall.substr(5, 5) + " " + wall.substr(11, 5) + " " +
                    format_offset((*zone)->offset_at(at)));
  }
  return texts;
}

using Times = std::vector<std::string>;

TEST(CronInZone, MeansTheClocksOfItsZone) {
  EXPECT_EQ(fired("0 6 * * *", "Europe/Berlin", "2026-03-27T12:00", 3),
            (Times{"03-28 06:00 +01:00", "03-29 06:00 +02:00", "03-30 06:00 +02:00"}));
  EXPECT_EQ(fired("0 0 1 * *", "Asia/Kathmandu", "2026-01-31T18:14:59", 1),
            (Times{"02-01 00:00 +05:45"}));
}

TEST(CronInZone, FiresAtTheEndOfAGap) {
  EXPECT_EQ(fired("30 2 * * *", "Europe/Berlin", "2026-03-27T12:00", 3),
            (Times{"03-28 02:30 +01:00", "03-29 03:00 +02:00", "03-30 02:30 +02:00"}));
  EXPECT_EQ(fired("15 2 * * *", "Australia/Lord_Howe", "2026-10-02T16:00", 2),
            (Times{"10-04 02:30 +11:00", "10-05 02:15 +11:00"}));
}

TEST(CronInZone, FiresOnceWhereTimesFallOnOneInstant) {
  EXPECT_EQ(fired("0,15,30 2,3 * * *", "Europe/Berlin", "2026-03-29T00:00", 3),
            (Times{"03-29 03:00 +02:00", "03-29 03:15 +02:00", "03-29 03:30 +02:00"}));
}

TEST(CronInZone, FiresOnlyTheFirstTimeInAnHourThatIsRepeated) {
  EXPECT_EQ(fired("0,30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", 3),
            (Times{"10-25 02:00 +02:00", "10-25 02:30 +02:00", "10-26 02:00 +01:00"}));
  // Also when it is asked amid the repetition.
  EXPECT_EQ(fired("30 2 * * *", "Europe/Berlin", "2026-10-25T01:10", 1),
            (Times{"10-26 02:30 +01:00"}));
}

TEST(CronInZone, CountsRealTimeWithAStarInMinuteOrHour) {
  EXPECT_EQ(fired("30 * * * *", "Europe/Berlin", "2026-03-29T00:00", 3),
            (Times{"03-29 01:30 +01:00", "03-29 03:30 +02:00", "03-29 04:30 +02:00"}));
  EXPECT_EQ(fired("@hourly", "Europe/Berlin", "2026-10-24T23:30", 3),
            (Times{"10-25 02:00 +02:00", "10-25 02:00 +01:00", "10-25 03:00 +01:00"}));
  EXPECT_EQ(fired("*/30 2 * * *", "Europe/Berlin", "2026-10-24T23:30", 5),
            (Times{"10-25 02:00 +02:00", "10-25 02:30 +02:00", "10-25 02:00 +01:00",
                   "10-25 02:30 +01:00", "10-26 02:00 +01:00"}));
  // The hour is not there: nothing fires in it.
  EXPECT_EQ(fired("*/30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", 1),
            (Times{"03-30 02:00 +02:00"}));
}

TEST(CronInZone, MakesUpForALostDayOnce) {
  EXPECT_EQ(fired("0 6,18 * * *", "Pacific/Apia", "2011-12-29T12:00", 4),
            (Times{"12-29 06:00 -10:00", "12-29 18:00 -10:00", "12-31 00:00 +14:00",
                   "12-31 06:00 +14:00"}));
  EXPECT_EQ(fired("0 0 * * *", "Pacific/Apia", "2011-12-29T12:00", 3),
            (Times{"12-31 00:00 +14:00", "01-01 00:00 +14:00", "01-02 00:00 +14:00"}));
}

TEST(CronInZone, KnowsDaysThatBeginAtOne) {
  EXPECT_EQ(fired("0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00", 2),
            (Times{"11-04 01:00 -02:00", "11-05 00:00 -02:00"}));
  EXPECT_EQ(fired("*/30 0 * * SUN", "America/Sao_Paulo", "2018-11-03T12:00", 1),
            (Times{"11-11 00:00 -02:00"}));
}

TEST(CronInZone, FindsWhatIsDecadesAway) {
  EXPECT_EQ(fired("0 12 29 2 */6", "Europe/Berlin", "2032-03-01", 1),
            (Times{"02-29 12:00 +01:00"}));
  EXPECT_EQ(fired("*/30 12 29 2 */6", "Europe/Berlin", "2032-03-01", 1),
            (Times{"02-29 12:00 +01:00"}));
}

TEST(CronInZone, SaysThatItNeverFires) {
  const Times never = {"no day ever fits the cron expression"};
  EXPECT_EQ(fired("0 0 31 4 *", "Europe/Berlin", "2026-01-01", 1), never);
  EXPECT_EQ(fired("* * 31 4 *", "Europe/Berlin", "2026-01-01", 1), never);
}

}  // namespace
}  // namespace lakemill
