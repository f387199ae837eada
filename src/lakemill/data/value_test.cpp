#include "lakemill/data/value.h"

#include <limits>

#include <gtest/gtest.h>

namespace lakemill::data {
namespace {

constexpr std::int64_t kDayMicros = 86'400'000'000;

TEST(Value, ShowsDatesOfAnyYear) {
  EXPECT_EQ(to_text(Date{0}), "1970-01-01");
  EXPECT_EQ(to_text(Date{-1}), "1969-12-31");
  EXPECT_EQ(to_text(Date{3'672'276}), "12024-05-08");
  EXPECT_EQ(to_text(Date{-719'162}), "0001-01-01");
  EXPECT_EQ(to_text(Date{-719'163}), "0001-12-31 (BC)");
  EXPECT_EQ(to_text(Date{2'147'483'646}), "5881580-07-10");
}

TEST(Value, ShowsTimestampsOfAnyYear) {
  EXPECT_EQ(to_text(Timestamp{1'500'000}), "1970-01-01 00:00:01.500000");
  EXPECT_EQ(to_text(Timestamp{-1'000'000}), "1969-12-31 23:59:59");
  EXPECT_EQ(to_text(Timestamp{3'672'276 * kDayMicros}), "12024-05-08 00:00:00");
  EXPECT_EQ(to_text(Timestamp{-719'163 * kDayMicros}), "0001-12-31 00:00:00 (BC)");
}

TEST(Value, ShowsInfinity) {
  EXPECT_EQ(to_text(Date{std::numeric_limits<std::int32_t>::max()}), "infinity");
  EXPECT_EQ(to_text(Date{-std::numeric_limits<std::int32_t>::max()}), "-infinity");
  EXPECT_EQ(to_text(Timestamp{std::numeric_limits<std::int64_t>::max()}), "infinity");
  EXPECT_EQ(to_text(Timestamp{-std::numeric_limits<std::int64_t>::max()}), "-infinity");
}

}  // namespace
}  // namespace lakemill::data
