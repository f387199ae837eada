// Goal: numbers are told apart by what holds them, and no digit of JSON is lost.

#include "lakemill/formats/json_text.h"

#include <gtest/gtest.h>

namespace lakemill::formats {
namespace {

bool double_holds(std::string_view text) { return describe_number(text)->fits_double; }

TEST(JsonNumber, SaysWhichNumbersADoubleGivesBack) {
  for (const char* held :
       {"0", "-0.0", "0.1", "0.10000000000000001", "1e308", "-2.5E-3", "5e-324", "1.50",
        "9007199254740992", "18446744073709551616", "0.100000000000000000",
        "0.1000000000000000055511151231257827", "1e22", "1.7976931348623157e308",
        "3.141592653589793"}) {
    EXPECT_TRUE(double_holds(held)) << held;
  }
  for (const char* lost :
       {"9007199254740993", "0.12345678901234567891", "1e400", "1e-400",
        "-18446744073709551615", "123456789012345678901234567890",
        "1e99999999999999999999"}) {
    EXPECT_FALSE(double_holds(lost)) << lost;
  }
}

TEST(JsonNumber, IsEasyOnlyWhereItIsHeld) {
  for (const char* text :
       {"1", "-1.5", "0.8414709848078965", "1e-05", "123456789012345"}) {
    EXPECT_TRUE(is_easy_number(text)) << text;
  }
  for (const char* text : {"9007199254740993", "0.12345678901234567891", "1e400",
                           "9223372036854775808", "1e-400"}) {
    EXPECT_FALSE(is_easy_number(text)) << text;
  }
}

TEST(JsonNumber, SaysWhichIntegersALongHolds) {
  EXPECT_TRUE(describe_number("-9223372036854775808")->fits_long);
  EXPECT_FALSE(describe_number("9223372036854775808")->fits_long);
  EXPECT_FALSE(describe_number("1.0")->fits_long);
  EXPECT_FALSE(describe_number("1e2")->is_integer);
}

TEST(JsonNumber, CountsTheDigitsThatADecimalNeeds) {
  const auto digits = [](std::string_view text) {
    const auto number = describe_number(text);
    return std::to_string(number->integer_digits) + "." + std::to_string(number->scale);
  };
  EXPECT_EQ(digits("12.340"), "2.2");
  EXPECT_EQ(digits("0.001"), "0.3");
  EXPECT_EQ(digits("1.5e3"), "4.0");
  EXPECT_EQ(digits("1.5e-3"), "0.4");
  EXPECT_EQ(digits("-0.00"), "0.0");
}

TEST(JsonNumber, IsNoneOfOtherTexts) {
  for (const char* text : {"", "-", "1.", ".5", "1e", "1e+", "inf", "0x10", "1 "}) {
    EXPECT_FALSE(describe_number(text).has_value()) << text;
    EXPECT_FALSE(plain_number(text).has_value()) << text;
  }
}

TEST(JsonNumber, IsWrittenWithoutItsExponent) {
  EXPECT_EQ(plain_number("1.5e1"), "15");
  EXPECT_EQ(plain_number("-1.5e-3"), "-0.0015");
  EXPECT_EQ(plain_number("12.50"), "12.5");
  EXPECT_EQ(plain_number("1e3"), "1000");
  EXPECT_EQ(plain_number("0e5"), "0");
  EXPECT_EQ(plain_number("1e400"), std::nullopt);
}

TEST(JsonNumber, OfAFloatIsHeldByFewerDigits) {
  EXPECT_EQ(exact_float("0.1"), 0.1F);
  EXPECT_EQ(exact_float("16777217"), std::nullopt);
  EXPECT_EQ(exact_float("1e39"), std::nullopt);
}

TEST(JsonText, FindsTheNumbersThatAreHardToHoldByTheirPaths) {
  const auto found = numbers_of(
      R"({"a": 1, "b": {"c/d": 9007199254740993}, "l": [1.5, 1e400, "9007199254740993"]})",
      false);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_TRUE(found.at("/b/c~1d").fit_long);
  EXPECT_FALSE(found.at("/b/c~1d").fit_double);
  EXPECT_FALSE(found.at("/l/~2").fit_double);
  EXPECT_FALSE(found.at("/l/~2").all_integer);
  EXPECT_EQ(step_name("/c~1d"), "c/d");
}

TEST(JsonText, SeesAllNumbersIfAsked) {
  const auto found = numbers_of(R"([{"a": 12}, {"a": 0.125}, {"A": -3}])", true);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found.at("/~2/a").integer_digits, 2);
  EXPECT_EQ(found.at("/~2/a").scale, 3);
  EXPECT_FALSE(found.at("/~2/a").all_integer);
}

TEST(JsonText, WritesHardNumbersAndChosenValuesAsStrings) {
  EXPECT_EQ(exact_json("{\"a\" : 9007199254740993,\n \"b\": [ 1.50, 1e400 ], "
                       "\"c\": {\"x\": \"q \\\" }\", \"y\": 1e400}, \"d\": {}}",
                       {"/c"})
                .text,
            R"({"a":"9007199254740993","b":[1.50,"1e400"],)"
            R"("c":"{\"x\":\"q \\\" }\",\"y\":1e400}","d":{}})");
}

TEST(JsonText, HandsOnWhatIsNestedTooDeeplyAndWhatIsNoJson) {
  const std::string deep = std::string(5000, '[') + "1e400" + std::string(5000, ']');
  EXPECT_EQ(exact_json(deep, {}).text, deep);
  EXPECT_TRUE(numbers_of(deep, false).empty());
  for (const char* text : {"", "{", "{\"a", "[1e400", "{]", "}{", "{\"a\":}", "nul"}) {
    EXPECT_TRUE(exact_json(text, {}).repeated_name.empty()) << text;
    EXPECT_LE(numbers_of(text, true).size(), 1U) << text;
    EXPECT_EQ(line_of_value(text, "a", "b"), std::nullopt) << text;
  }
}

TEST(JsonText, TellsOfANameThatAnObjectHasTwice) {
  EXPECT_EQ(exact_json(R"({"b": [{"a": 1, "c": 2, "a": 3}]})", {}).repeated_name, "a");
  EXPECT_EQ(exact_json(R"({"a": {"a": 1}, "b": {"a": 1}})", {}).repeated_name, "");
}

TEST(JsonText, TellsTheLineOfAValueAndOfAName) {
  const std::string lines =
      "{\"a\": 1}\n\n{\"b\": \"x\\u0041\", \"a\": 1.50}\n{\"a\": {\"k\": [1, 2]}}\n";
  EXPECT_EQ(line_of_value(lines, "a", "1.5"), 3);
  EXPECT_EQ(line_of_value(lines, "b", "xA"), 3);
  EXPECT_EQ(line_of_value(lines, "a", "{\"k\":[1,2]}"), 4);
  EXPECT_EQ(line_of_value(lines, "a", "2"), std::nullopt);
  EXPECT_EQ(line_of_value("[{\"a\": 1},\n {\"a\": 2}]", "a", "2"), 2);
  EXPECT_EQ(line_of_name(lines, "k"), 4);
  EXPECT_EQ(line_of_name(lines, "z"), std::nullopt);
}

}  // namespace
}  // namespace lakemill::formats
