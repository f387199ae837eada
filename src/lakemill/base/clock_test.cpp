#include "lakemill/base/clock.h"

#include <gtest/gtest.h>

namespace lakemill {
namespace {

TEST(Instant, IsWrittenAndReadBackEqual) {
  for (const char* text : {"1969-12-31T23:59:59.999999Z", "2013-01-01T00:00:00.000000Z",
                           "2024-02-29T12:34:56.000001Z"}) {
    EXPECT_EQ(format_instant(*parse_instant(text)), text);
  }
}

TEST(Instant, ReadsDatesFractionsAndOffsets) {
  EXPECT_EQ(format_instant(*parse_instant("2024-03-01")),
            "2024-03-01T00:00:00.000000Z");
  EXPECT_EQ(format_instant(*parse_instant("2024-03-01 01:30:00.5+02:00")),
            "2024-02-29T23:30:00.500000Z");
  EXPECT_EQ(format_instant(*parse_instant("2024-03-01T01:30-0130")),
            "2024-03-01T03:00:00.000000Z");
}

TEST(Instant, RefusesWhatIsNoTime) {
  for (const char* text : {"", "2024", "2024-02-30", "2024-03-01T25:00", "2024-03-01x",
                           "2024-03-01T01:30:00.", "2024-03-01T01:30:00+2"}) {
    EXPECT_FALSE(parse_instant(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace lakemill
