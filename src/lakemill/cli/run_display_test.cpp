#include "lakemill/cli/run_display.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lakemill::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(BarLine, TellsRowsSpeedAndTheTimeThatIsLeft) {
  const engine::Progress progress{
      .rows_done = 1'500'000, .fraction = 0.25, .bytes_total = 400'000'000};
  EXPECT_THAT(bar_line("silver", progress, 10),
              AllOf(HasSubstr("silver"), HasSubstr("25%"), HasSubstr("1,500,000 rows"),
                    HasSubstr("10.0 MB/s"), HasSubstr("30 s left")));
  EXPECT_THAT(bar_line("silver", progress, 100), HasSubstr("5 min left"));
}

TEST(BarLine, LeavesOutWhatCannotBeToldYet) {
  EXPECT_THAT(bar_line("n", {}, 0), AllOf(HasSubstr("0 rows"), Not(HasSubstr("MB/s")),
                                          Not(HasSubstr("left"))));
  const engine::Progress beyond{.rows_done = 1, .fraction = 1.5, .bytes_total = 0};
  EXPECT_THAT(bar_line("n", beyond, 1), HasSubstr("100%"));
}

}  // namespace
}  // namespace lakemill::cli
