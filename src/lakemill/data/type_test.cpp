#include "lakemill/data/type.h"

#include <array>

#include <gtest/gtest.h>

#include "lakemill/data/value.h"

namespace lakemill::data {
namespace {

Schema every_kind() {
  Field mapped{"m", make_map(make_type(TypeKind::string), make_decimal(38, 10), false)};
  mapped.metadata = {{"delta.columnMapping.id", 4}};
  return {{{"id", make_type(TypeKind::int64), false},
           {"at", make_type(TypeKind::timestamp_ntz)},
           {"tags", make_array(make_struct({{"a", make_type(TypeKind::date)}}), true)},
           mapped}};
}

TEST(Schema, IsWrittenAsDeltaJsonAndReadBackEqual) {
  const auto read = schema_from_delta_json(to_delta_json(every_kind()));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(*read, every_kind());
}

TEST(Schema, FindsColumnsWhateverTheirCase) {
  const Schema schema = every_kind();
  ASSERT_NE(schema.find("TAGS"), nullptr);
  EXPECT_EQ(to_text(schema.find("TAGS")->type), "array<struct<a:date>>");
  EXPECT_EQ(schema.find("none"), nullptr);
}

TEST(Schema, RefusesWhatIsNoSchema) {
  constexpr std::array kWrong = {
      "{}",
      R"({"fields":[{"name":"a"}]})",
      R"j({"fields":[{"name":"a","type":"decimal(39,1)"}]})j",
      R"({"fields":[{"name":"a","type":"blob"}]})",
  };
  for (const char* text : kWrong) {
    EXPECT_FALSE(schema_from_delta_json(*parse_json(text)).has_value()) << text;
  }
}

TEST(Value, IsShownAsPeopleReadIt) {
  EXPECT_EQ(to_text(Value()), "NULL");
  EXPECT_EQ(to_text(Value(Date{-1})), "1969-12-31");
  EXPECT_EQ(to_text(Value(Timestamp{1'500'000})), "1970-01-01 00:00:01.500000");
  EXPECT_EQ(to_text(Value(0.1)), "0.1");
}

}  // namespace
}  // namespace lakemill::data
