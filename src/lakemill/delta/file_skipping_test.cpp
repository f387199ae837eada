#include "lakemill/delta/file_skipping.h"

#include <limits>

#include <gtest/gtest.h>

#include "lakemill/delta/value_text.h"

namespace lakemill::delta {
namespace {

using data::Comparison;
using data::Decimal;
using data::Timestamp;
using data::TypeKind;
using data::Value;
using Op = Comparison::Op;

ColumnBounds read_bounds(const data::Type& type, const std::string& minimum,
                         const std::string& maximum) {
  const BoundsReader reader({{{"c"}, type}});
  return reader.read(R"({"minValues":{"c":)" + minimum + R"(},"maxValues":{"c":)" +
                     maximum + R"(},"nullCount":{"c":1}})")[0];
}

bool keeps(const data::Type& type, const ColumnBounds& bounds, Op op, Value value) {
  return bounds_may_match({"c", op, {std::move(value)}}, bounds, type.kind, 10);
}

TEST(FileSkipping, ComparesWithBothBounds) {
  const data::Type type = data::make_type(TypeKind::int64);
  const ColumnBounds bounds = read_bounds(type, "5", "9");
  const auto check = [&](Op op, std::int64_t value) {
    return keeps(type, bounds, op, value);
  };
  EXPECT_FALSE(check(Op::eq, 4));
  EXPECT_TRUE(check(Op::eq, 5));
  EXPECT_TRUE(check(Op::eq, 9));
  EXPECT_FALSE(check(Op::eq, 10));
  EXPECT_FALSE(check(Op::lt, 5));
  EXPECT_TRUE(check(Op::lt, 6));
  EXPECT_FALSE(check(Op::le, 4));
  EXPECT_TRUE(check(Op::le, 5));
  EXPECT_FALSE(check(Op::gt, 9));
  EXPECT_TRUE(check(Op::gt, 8));
  EXPECT_FALSE(check(Op::ge, 10));
  EXPECT_TRUE(check(Op::ge, 9));
  EXPECT_TRUE(keeps(type, bounds, Op::eq, Value()));
  EXPECT_TRUE(keeps(type, bounds, Op::eq, std::string("7")));
  EXPECT_FALSE(keeps(type, bounds, Op::eq, 4.5));
}

TEST(FileSkipping, KnowsNullsByTheirCount) {
  const ColumnBounds none{{}, {}, 0};
  const ColumnBounds all{{}, {}, 10};
  const ColumnBounds some{{}, {}, 3};
  const auto check = [](Op op, const ColumnBounds& bounds) {
    return bounds_may_match({"c", op, {}}, bounds, TypeKind::int64, 10);
  };
  EXPECT_FALSE(check(Op::is_null, none));
  EXPECT_TRUE(check(Op::is_null, some));
  EXPECT_TRUE(check(Op::is_null, ColumnBounds{}));
  EXPECT_FALSE(check(Op::is_not_null, all));
  EXPECT_TRUE(check(Op::is_not_null, some));
  EXPECT_TRUE(check(Op::is_not_null, ColumnBounds{}));
  EXPECT_FALSE(
      bounds_may_match({"c", Op::eq, {Value(true)}}, all, TypeKind::boolean, 10));
}

TEST(FileSkipping, LetsNanBeGreaterThanEveryMaximum) {
  const data::Type type = data::make_type(TypeKind::float64);
  const ColumnBounds bounds = read_bounds(type, "1.5", "2.5");
  EXPECT_TRUE(keeps(type, bounds, Op::gt, 3.0));
  EXPECT_TRUE(keeps(type, bounds, Op::ge, 3.0));
  EXPECT_FALSE(keeps(type, bounds, Op::eq, 3.0));
  EXPECT_FALSE(keeps(type, bounds, Op::lt, 1.5));
  EXPECT_TRUE(keeps(type, bounds, Op::eq, std::numeric_limits<double>::quiet_NaN()));
  const ColumnBounds named = read_bounds(type, R"("NaN")", R"("NaN")");
  EXPECT_TRUE(keeps(type, named, Op::eq, 3.0));
}

TEST(FileSkipping, ReadsShortFloatsAsWide) {
  const data::Type type = data::make_type(TypeKind::float32);
  const ColumnBounds bounds = read_bounds(type, "0.1", "0.1");
  EXPECT_TRUE(keeps(type, bounds, Op::eq, 0.1));
  EXPECT_TRUE(keeps(type, bounds, Op::eq, static_cast<double>(0.1F)));
  EXPECT_TRUE(keeps(type, bounds, Op::lt, 0.10000000151));
  EXPECT_FALSE(keeps(type, bounds, Op::eq, 0.2));
}

TEST(FileSkipping, KeepsStringsBehindACutMaximum) {
  const data::Type type = data::make_type(TypeKind::string);
  const std::string cut(32, 'b');
  const ColumnBounds bounds = read_bounds(type, "\"\"", "\"" + cut + "\"");
  EXPECT_TRUE(keeps(type, bounds, Op::eq, cut + "zzz"));
  EXPECT_TRUE(keeps(type, bounds, Op::gt, cut));
  EXPECT_FALSE(keeps(type, bounds, Op::eq, std::string("c")));
  const ColumnBounds whole = read_bounds(type, "\"b\"", "\"é\"");
  EXPECT_FALSE(keeps(type, whole, Op::eq, std::string("a")));
  EXPECT_FALSE(keeps(type, whole, Op::gt, std::string("é")));
  EXPECT_TRUE(keeps(type, whole, Op::eq, std::string("z")));
}

TEST(FileSkipping, AddsTheMillisecondThatTimestampsLost) {
  const data::Type type = data::make_type(TypeKind::timestamp);
  const ColumnBounds bounds = read_bounds(type, R"("1970-01-01T00:00:01.000Z")",
                                          R"("1970-01-01T01:00:02+01:00")");
  EXPECT_TRUE(keeps(type, bounds, Op::eq, Timestamp{2000999}));
  EXPECT_FALSE(keeps(type, bounds, Op::eq, Timestamp{2001001}));
  EXPECT_FALSE(keeps(type, bounds, Op::eq, Timestamp{999999}));
}

TEST(FileSkipping, DoesNotTrustTheLastDigitsOfLongDecimals) {
  const data::Type type = data::make_decimal(38, 2);
  const ColumnBounds exact = read_bounds(type, "-1.50", "12.5");
  EXPECT_FALSE(keeps(type, exact, Op::eq, Decimal{"12.51"}));
  EXPECT_TRUE(keeps(type, exact, Op::eq, Decimal{"12.50"}));
  EXPECT_FALSE(keeps(type, exact, Op::lt, Decimal{"-1.5"}));
  EXPECT_FALSE(keeps(type, exact, Op::eq, std::int64_t{13}));
  const ColumnBounds rounded = read_bounds(type, "0", "12345678901234567000");
  EXPECT_TRUE(keeps(type, rounded, Op::eq, Decimal{"12345678901234567890.12"}));
  EXPECT_FALSE(keeps(type, rounded, Op::eq, Decimal{"22345678901234567890.12"}));
}

TEST(FileSkipping, ProvesNothingByWholeDecimalsCutToSixtyFourBits) {
  const data::Type whole = data::make_decimal(20, 0);
  const ColumnBounds cut =
      read_bounds(whole, "-9223372036854775808", "9223372036854775807");
  EXPECT_TRUE(data::is_null(cut.minimum));
  EXPECT_TRUE(keeps(whole, cut, Op::eq, Decimal{"18446744073709551001"}));
  EXPECT_TRUE(keeps(whole, cut, Op::lt, Decimal{"-9223372036854775808"}));
  const ColumnBounds sharp = read_bounds(whole, "1", "9223372036854775806");
  EXPECT_FALSE(keeps(whole, sharp, Op::eq, Decimal{"18446744073709551001"}));
}

TEST(FileSkipping, TakesBoundsOfAnotherTypeForNone) {
  const data::Type date = data::make_type(TypeKind::date);
  const ColumnBounds bounds = read_bounds(date, "5", R"("soon")");
  EXPECT_TRUE(data::is_null(bounds.minimum));
  EXPECT_TRUE(data::is_null(bounds.maximum));
  const data::Type text = data::make_type(TypeKind::string);
  EXPECT_TRUE(data::is_null(read_bounds(text, "5", "{}").minimum));
  EXPECT_TRUE(data::is_null(read_bounds(text, "null", "[1]").maximum));
}

TEST(FileSkipping, ComparesIntegersExactlyWithDoubles) {
  EXPECT_TRUE(compare_values(std::int64_t{9007199254740993}, 9007199254740992.0) > 0);
  EXPECT_TRUE(compare_values(Decimal{"10"}, Decimal{"9.99"}) > 0);
  EXPECT_TRUE(compare_values(Decimal{"-10"}, Decimal{"-9.99"}) < 0);
  EXPECT_TRUE(compare_values(Decimal{"-0.0"}, std::int64_t{0}) == 0);
  EXPECT_TRUE(compare_values(Value(), Value()) == std::partial_ordering::unordered);
  EXPECT_TRUE(compare_values(data::Date{1}, Timestamp{1}) ==
              std::partial_ordering::unordered);
}

}  // namespace
}  // namespace lakemill::delta
