#include "lakemill/delta/statistics_writer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "lakemill/delta/transaction.h"

namespace lakemill::delta {
namespace {

using data::TypeKind;

Metadata table_of(std::vector<data::Field> fields) {
  Metadata metadata;
  metadata.schema.fields = std::move(fields);
  return metadata;
}

// The statistics of one column `c` of that type.
std::string bounds_of(const data::Type& type, data::Value minimum,
                      data::Value maximum) {
  return statistics_json(3, {{{"c"}, std::move(minimum), std::move(maximum), 1}},
                         table_of({{"c", type}}));
}

std::string expected_bounds(const std::string& minimum, const std::string& maximum) {
  const auto member = [](const std::string& value) {
    return value.empty() ? "{}" : "{\"c\":" + value + "}";
  };
  return "{\"numRecords\":3,\"minValues\":" + member(minimum) +
         ",\"maxValues\":" + member(maximum) + ",\"nullCount\":{\"c\":1}}";
}

TEST(Statistics, WritesEachTypeAsDeltaDoes) {
  EXPECT_EQ(bounds_of(data::make_type(TypeKind::int64), std::int64_t{-5},
                      std::numeric_limits<std::int64_t>::max()),
            expected_bounds("-5", "9223372036854775807"));
  EXPECT_EQ(bounds_of(data::make_type(TypeKind::float64), 0.1, 1e300),
            expected_bounds("0.1", "1e+300"));
  EXPECT_EQ(bounds_of(data::make_type(TypeKind::date), data::Date{0}, data::Date{1}),
            expected_bounds("\"1970-01-01\"", "\"1970-01-02\""));
  EXPECT_EQ(bounds_of(data::make_decimal(38, 2),
                      data::Decimal{"-12345678901234567890123456789012345.10"},
                      data::Decimal{"0.10"}),
            expected_bounds("-12345678901234567890123456789012345.10", "0.10"));
  EXPECT_EQ(bounds_of(data::make_type(TypeKind::string), std::string("a\"b"),
                      std::string("z")),
            expected_bounds("\"a\\\"b\"", "\"z\""));
}

TEST(Statistics, LeavesOutBoundsThatHaveNoOrderOrNoText) {
  const std::string none = expected_bounds("", "");
  EXPECT_EQ(bounds_of(data::make_type(TypeKind::boolean), false, true), none);
  EXPECT_EQ(bounds_of(data::make_type(TypeKind::binary), data::Binary{"a"},
                      data::Binary{"b"}),
            none);
  EXPECT_EQ(bounds_of(data::make_type(TypeKind::int64), {}, {}), none);
  EXPECT_EQ(bounds_of(data::make_type(TypeKind::float64), std::nan(""),
                      std::numeric_limits<double>::infinity()),
            none);
  EXPECT_EQ(bounds_of(data::make_type(TypeKind::string), std::string("\xFF"),
                      std::string("\xFF")),
            none);
  EXPECT_EQ(bounds_of(data::make_type(TypeKind::date), data::Date{-800'000},
                      data::Date{3'000'000}),
            none);
}

TEST(Statistics, HaveNeitherBoundOfAColumnWithADateOutsideOfTheYears1To9999) {
  const std::string none = expected_bounds("", "");
  constexpr std::int32_t kInfinite = std::numeric_limits<std::int32_t>::max();
  for (const std::int32_t days :
       {-kInfinite, kInfinite, 24'855'000, 2'932'897, -719'163}) {
    const data::Date near{0};
    const data::Date far{days};
    EXPECT_EQ(bounds_of(data::make_type(TypeKind::date), std::min(near, far),
                        std::max(near, far)),
              none)
        << days;
  }
  EXPECT_EQ(bounds_of(data::make_type(TypeKind::date), data::Date{-719'162},
                      data::Date{2'932'896}),
            expected_bounds("\"0001-01-01\"", "\"9999-12-31\""));
  constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(bounds_of(data::make_type(TypeKind::timestamp), data::Timestamp{0},
                      data::Timestamp{kNever}),
            none);
  EXPECT_EQ(bounds_of(data::make_type(TypeKind::timestamp_ntz),
                      data::Timestamp{-kNever}, data::Timestamp{0}),
            none);
}

TEST(Statistics, RoundsTimestampsOutwards) {
  EXPECT_EQ(
      bounds_of(data::make_type(TypeKind::timestamp), data::Timestamp{1'999},
                data::Timestamp{1'001}),
      expected_bounds("\"1970-01-01T00:00:00.001Z\"", "\"1970-01-01T00:00:00.002Z\""));
  EXPECT_EQ(
      bounds_of(data::make_type(TypeKind::timestamp_ntz), data::Timestamp{-1},
                data::Timestamp{-1'000}),
      expected_bounds("\"1969-12-31T23:59:59.999\"", "\"1969-12-31T23:59:59.999\""));
}

TEST(Statistics, FollowStructsAndPhysicalNamesAndLeaveOutPartitions) {
  data::Field mapped{"x", data::make_type(TypeKind::int64)};
  mapped.metadata["delta.columnMapping.physicalName"] = "col-1";
  Metadata metadata = table_of(
      {{"s", data::make_struct({mapped, {"y", data::make_type(TypeKind::string)}})},
       {"day", data::make_type(TypeKind::date)}});
  metadata.partition_columns = {"day"};
  metadata.configuration["delta.enableDeletionVectors"] = "true";
  EXPECT_EQ(statistics_json(2,
                            {{{"s", "col-1"}, std::int64_t{1}, std::int64_t{2}, 0},
                             {{"s", "y"}, {}, {}, 2},
                             {{"day"}, data::Date{1}, data::Date{1}, 0},
                             {{"gone"}, std::int64_t{1}, std::int64_t{1}, 0}},
                            metadata),
            "{\"numRecords\":2,\"minValues\":{\"s\":{\"col-1\":1}},"
            "\"maxValues\":{\"s\":{\"col-1\":2}},"
            "\"nullCount\":{\"s\":{\"col-1\":0,\"y\":2}},\"tightBounds\":true}");
}

TEST(Statistics, CoverTheFirstColumnsOrThoseThatAreNamed) {
  std::vector<data::Field> fields;
  std::vector<ColumnStatistics> columns;
  for (int i = 0; i < 40; ++i) {
    const std::string name = "c" + std::to_string(i);
    fields.push_back({name, data::make_type(TypeKind::int64)});
    columns.push_back({{name}, {}, {}, i});
  }
  Metadata metadata = table_of(fields);
  const auto covered = [&] {
    const auto json = parse_json(statistics_json(1, columns, metadata));
    return find_member(*json, "nullCount")->size();
  };
  EXPECT_EQ(covered(), 32U);
  metadata.configuration["delta.dataSkippingNumIndexedCols"] = "-1";
  EXPECT_EQ(covered(), 40U);
  metadata.configuration["delta.dataSkippingNumIndexedCols"] = "3";
  EXPECT_EQ(covered(), 3U);
  metadata.configuration["delta.dataSkippingStatsColumns"] = "C39, `c5`";
  EXPECT_EQ(covered(), 2U);
}

TEST(Statistics, CutTextsToABoundOfAllRows) {
  const std::string long_text(40, 'a');
  EXPECT_EQ(truncated_minimum(long_text), std::string(32, 'a'));
  EXPECT_EQ(truncated_maximum(long_text), std::string(32, 'a') + "\x7F");
  EXPECT_EQ(truncated_maximum(std::string(32, 'a')), std::string(32, 'a'));
  // What is cut is above any ASCII character: the last character of all is needed.
  const std::string umlaut = std::string(32, 'a') + "\xC3\xBC" + "b";
  EXPECT_EQ(truncated_maximum(umlaut), std::string(32, 'a') + "\xF4\x8F\xBF\xBF");
  // Characters, not bytes, and never half of one.
  std::string umlauts;
  for (int i = 0; i < 40; ++i) umlauts += "\xC3\xBC";
  EXPECT_EQ(truncated_minimum(umlauts).size(), 64U);
  // Nothing is above U+10FFFF: go on, then give up.
  std::string last;
  for (int i = 0; i < 33; ++i) last += "\xF4\x8F\xBF\xBF";
  EXPECT_EQ(truncated_maximum(std::string(32, 'a') + last.substr(0, 4) + "b"),
            std::string(32, 'a') + last.substr(0, 4) + "\x7F");
  for (int i = 0; i < 40; ++i) last += "\xF4\x8F\xBF\xBF";
  EXPECT_EQ(truncated_maximum(last), std::nullopt);
}

TEST(Statistics, BecomeWideWithoutLosingDigits) {
  EXPECT_EQ(with_wide_bounds("{\"numRecords\":5,\"maxValues\":{\"d\":1.10},"
                             "\"tightBounds\":true}"),
            "{\"numRecords\":5,\"maxValues\":{\"d\":1.10},\"tightBounds\":false}");
  EXPECT_EQ(with_wide_bounds("{ \"numRecords\" : 5 }"),
            "{\"numRecords\":5,\"tightBounds\":false}");
  EXPECT_EQ(with_wide_bounds("{}"), "{\"tightBounds\":false}");
}

TEST(PartitionText, WritesEachTypeAsDeltaDoes) {
  const auto text = [](const data::Value& value, TypeKind kind) {
    return partition_text(value, data::make_type(kind));
  };
  EXPECT_EQ(text({}, TypeKind::string), std::nullopt);
  EXPECT_EQ(text(std::string(), TypeKind::string), std::nullopt);
  EXPECT_EQ(text(std::string("a b"), TypeKind::string), "a b");
  EXPECT_EQ(text(true, TypeKind::boolean), "true");
  EXPECT_EQ(text(std::int64_t{-7}, TypeKind::int32), "-7");
  EXPECT_EQ(text(static_cast<double>(0.1F), TypeKind::float32), "0.1");
  EXPECT_EQ(text(-std::numeric_limits<double>::infinity(), TypeKind::float64),
            "-Infinity");
  EXPECT_EQ(text(data::Date{0}, TypeKind::date), "1970-01-01");
  EXPECT_EQ(text(data::Timestamp{1}, TypeKind::timestamp),
            "1970-01-01T00:00:00.000001Z");
  EXPECT_EQ(text(data::Timestamp{0}, TypeKind::timestamp_ntz), "1970-01-01 00:00:00");
  EXPECT_EQ(partition_text(data::Decimal{"1.50"}, data::make_decimal(5, 2)), "1.50");
}

TEST(PartitionText, RefusesDatesThatHaveNone) {
  constexpr std::int32_t kInfinite = std::numeric_limits<std::int32_t>::max();
  EXPECT_TRUE(check_partition_value("day", data::Date{2'932'896}));
  EXPECT_TRUE(check_partition_value("day", {}));
  const Status infinite = check_partition_value("day", data::Date{kInfinite});
  ASSERT_FALSE(infinite);
  EXPECT_NE(infinite.error().message().find("'day' holds infinity"), std::string::npos);
  const Status far = check_partition_value("day", data::Date{24'855'000});
  ASSERT_FALSE(far);
  EXPECT_NE(far.error().message().find("'day' holds 70020-"), std::string::npos)
      << far.error().message();
  EXPECT_FALSE(check_partition_value(
      "at", data::Timestamp{std::numeric_limits<std::int64_t>::min() + 1}));
}

TEST(Statistics, TellsOfClusteringColumnsWhateverTheCount) {
  Metadata metadata = table_of({{"a", data::make_type(TypeKind::int64)},
                                {"b", data::make_type(TypeKind::int64)},
                                {"c", data::make_type(TypeKind::int64)}});
  metadata.configuration["delta.dataSkippingNumIndexedCols"] = "1";
  std::vector<ColumnStatistics> columns;
  for (const std::string name : {"a", "b", "c"}) {
    columns.push_back({{name}, std::int64_t{1}, std::int64_t{2}, 0});
  }
  EXPECT_EQ(statistics_json(2, columns, metadata, {{"c"}}),
            R"({"numRecords":2,"minValues":{"a":1,"c":1},"maxValues":{"a":2,"c":2},)"
            R"("nullCount":{"a":0,"c":0}})");
}

}  // namespace
}  // namespace lakemill::delta
