#include "lakemill/dml/data_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/dml/sql_type.h"
#include "lakemill/testing/matchers.h"

namespace lakemill::dml {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testkit::HasError;
using testkit::IsOk;

delta::Metadata metadata() {
  delta::Metadata metadata;
  metadata.schema.fields = {
      {"day", data::make_type(data::TypeKind::date), true,
       Json{{"delta.columnMapping.physicalName", "col-1"}}},
      {"v", data::make_type(data::TypeKind::int64), false, Json::object()}};
  metadata.partition_columns = {"day"};
  return metadata;
}

engine::WrittenFile file(std::int64_t nulls) {
  engine::WrittenFile file;
  file.path = "day=2024-01-01/part 1#.parquet";
  file.row_count = 3;
  file.size_bytes = 100;
  file.partition_values["day"] = data::Date{19723};
  engine::WrittenColumn column;
  column.path = {"v"};
  column.minimum = std::int64_t{1};
  column.maximum = std::int64_t{9};
  column.null_count = nulls;
  file.columns.push_back(column);
  return file;
}

TEST(DataFiles, BecomeActionsWithEncodedPathsAndPhysicalNames) {
  const auto added = to_add_files({file(0)}, metadata(), {}, Instant{});
  ASSERT_THAT(added, IsOk());
  ASSERT_EQ(added->size(), 1U);
  const delta::AddFile& add = added->front();
  EXPECT_EQ(add.path, "day=2024-01-01/part%201%23.parquet");
  EXPECT_EQ(add.partition_values.at("col-1"), "2024-01-01");
  EXPECT_EQ(add.size_bytes, 100);
  EXPECT_THAT(add.stats, HasSubstr("\"numRecords\":3"));
}

TEST(DataFiles, WithoutRowsAreLeftOut) {
  engine::WrittenFile empty = file(0);
  empty.row_count = 0;
  const auto added = to_add_files({empty}, metadata(), {}, Instant{});
  ASSERT_THAT(added, IsOk());
  EXPECT_THAT(*added, IsEmpty());
}

TEST(DataFiles, WithANullWhereNoneMayBeAreRefused) {
  EXPECT_THAT(to_add_files({file(2)}, metadata(), {}, Instant{}),
              HasError(ErrorCode::invalid, "column \"v\""));
}

TEST(DataFiles, WithoutTheirPartitionsValueAreCorrupt) {
  engine::WrittenFile unknown = file(0);
  unknown.partition_values.clear();
  EXPECT_THAT(to_add_files({unknown}, metadata(), {}, Instant{}),
              HasError(ErrorCode::corrupt, "day"));
}

TEST(EncodePath, LeavesWhatTheProtocolLeaves) {
  EXPECT_EQ(encode_path("a-b_c.d~e/f=g"), "a-b_c.d~e/f=g");
  EXPECT_EQ(encode_path("100% é"), "100%25%20%C3%A9");
}

TEST(SqlType, NamesNestedTypesToo) {
  using data::TypeKind;
  const data::Type nested = data::make_array(
      data::make_struct({{"a \"b\"", data::make_decimal(10, 2), true, Json::object()}}),
      true);
  EXPECT_EQ(sql_type(nested), "STRUCT(\"a \"\"b\"\"\" DECIMAL(10,2))[]");
  EXPECT_EQ(sql_type(data::make_type(TypeKind::timestamp)), "TIMESTAMP WITH TIME ZONE");
  EXPECT_EQ(sql_type(data::make_type(TypeKind::timestamp_ntz)), "TIMESTAMP");
}

}  // namespace
}  // namespace lakemill::dml
