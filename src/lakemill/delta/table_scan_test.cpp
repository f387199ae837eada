#include "lakemill/data/table_scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/delta/deletion_vector.h"
#include "lakemill/delta/log_folder.h"
#include "lakemill/testing/matchers.h"
#include "lakemill/testing/memory_store.h"

namespace lakemill::delta {
namespace {

using data::Comparison;
using data::TypeKind;
using data::Value;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testkit::HasError;
using testkit::IsOk;
using Op = Comparison::Op;

class TableScanTest : public ::testing::Test {
 protected:
  std::shared_ptr<const data::TableScan> scan_of(const Metadata& metadata,
                                                 const std::vector<AddFile>& files,
                                                 const Protocol& protocol) {
    std::vector<Action> actions = {protocol, metadata};
    for (const AddFile& file : files) actions.push_back(file);
    log_.commit(0, actions);
    const auto snapshot = log_.table().latest();
    EXPECT_THAT(snapshot, IsOk());
    auto scan = (*snapshot)->scan();
    EXPECT_THAT(scan, IsOk());
    return scan ? *scan : nullptr;
  }
  static AddFile with_stats(const std::string& path, const std::string& stats) {
    AddFile file = LogFolder::add(path);
    file.stats = stats;
    return file;
  }
  static Metadata partitioned_by(TypeKind kind) {
    Metadata metadata;
    metadata.id = "test";
    metadata.schema.fields = {{"id", data::make_type(TypeKind::int64), true},
                              {"Part", data::make_type(kind), true}};
    metadata.partition_columns = {"Part"};
    return metadata;
  }
  static AddFile in_partition(std::optional<std::string> value) {
    AddFile file = LogFolder::add("f" + value.value_or("null"));
    file.partition_values["Part"] = std::move(value);
    return file;
  }

  LogFolder log_{testkit::make_memory_store()};
};

TEST_F(TableScanTest, SaysWhereTheFilesAre) {
  const auto scan =
      scan_of(LogFolder::metadata(),
              {LogFolder::add("a%20b=%25/x"), LogFolder::add("/abs/y"),
               LogFolder::add("file:///abs/z%20"), LogFolder::add("s3://bucket/k")},
              Protocol{});
  std::vector<std::string> urls;
  for (const data::DataFile& file : scan->files()) urls.push_back(file.url);
  EXPECT_THAT(
      urls, ElementsAre("/abs/y", "memory://test/a b=%/x", "/abs/z ", "s3://bucket/k"));
  EXPECT_EQ(scan->files()[1].path, "a b=%/x");
  EXPECT_EQ(scan->table_url(), "memory://test");
  EXPECT_EQ(scan->column_mapping_mode(), "none");
  EXPECT_EQ(scan->version(), 0);
}

TEST_F(TableScanTest, GivesPartitionValuesTheirTypes) {
  const std::tuple<TypeKind, std::string, Value> cases[] = {
      {TypeKind::string, "a", std::string("a")},
      {TypeKind::string, "", Value()},
      {TypeKind::int32, "-7", std::int64_t{-7}},
      {TypeKind::int64, "9223372036854775807", INT64_MAX},
      {TypeKind::float64, "1.5", 1.5},
      {TypeKind::boolean, "true", true},
      {TypeKind::date, "1970-01-02", data::Date{1}},
      {TypeKind::date, "0001-01-01", data::Date{-719162}},
      {TypeKind::timestamp, "1970-01-01 00:00:01", data::Timestamp{1000000}},
      {TypeKind::timestamp, "1970-01-01T00:00:00.123456Z", data::Timestamp{123456}},
      {TypeKind::timestamp_ntz, "1970-01-01 00:00:00.5", data::Timestamp{500000}},
      {TypeKind::binary, "\x01\x02", data::Binary{"\x01\x02"}},
      {TypeKind::int32, "", Value()},
  };
  for (const auto& [kind, text, value] : cases) {
    const auto scan =
        scan_of(partitioned_by(kind), {in_partition(text)}, Protocol{3, 7, {}, {}});
    ASSERT_NE(scan, nullptr);
    EXPECT_EQ(scan->files()[0].constants.at("Part"), value) << text;
  }
  Metadata metadata = partitioned_by(TypeKind::decimal);
  metadata.schema.fields[1].type = data::make_decimal(10, 2);
  const auto scan = scan_of(metadata, {in_partition("1.2E+1")}, Protocol{});
  EXPECT_EQ(scan->files()[0].constants.at("Part"), Value(data::Decimal{"12.00"}));
}

TEST_F(TableScanTest, NamesAPartitionValueThatDoesNotFit) {
  log_.commit(0, {Protocol{}, partitioned_by(TypeKind::int32), in_partition("x")});
  const auto snapshot = log_.table().latest();
  ASSERT_THAT(snapshot, IsOk());
  EXPECT_THAT((*snapshot)->scan(), HasError(ErrorCode::corrupt, "Part: not a integer"));
}

TEST_F(TableScanTest, SkipsPartitions) {
  const auto scan = scan_of(
      partitioned_by(TypeKind::int32),
      {in_partition("1"), in_partition("2"), in_partition(std::nullopt)}, Protocol{});
  const auto kept = [&](Op op, std::vector<Value> values) {
    return scan->may_match({{"PART", op, std::move(values)}});
  };
  const Value two = std::int64_t{2};
  EXPECT_THAT(kept(Op::eq, {two}), ElementsAre(1));
  EXPECT_THAT(kept(Op::lt, {two}), ElementsAre(0));
  EXPECT_THAT(kept(Op::ge, {two}), ElementsAre(1));
  EXPECT_THAT(kept(Op::in, {two, std::int64_t{5}}), ElementsAre(1));
  EXPECT_THAT(kept(Op::in, {}), IsEmpty());
  EXPECT_THAT(kept(Op::is_null, {}), ElementsAre(2));
  EXPECT_THAT(kept(Op::is_not_null, {}), ElementsAre(0, 1));
  EXPECT_THAT(kept(Op::eq, {std::string("2")}), ElementsAre(0, 1));
  EXPECT_EQ(scan->may_match({}).size(), 3U);
}

TEST_F(TableScanTest, SkipsByStatisticsOfSeveralColumns) {
  Metadata metadata = LogFolder::metadata();
  metadata.schema.fields.push_back(
      {"s", data::make_struct({{"t", data::make_type(TypeKind::date), true}}), true});
  const auto scan = scan_of(
      metadata,
      {with_stats("a",
                  R"({"numRecords":10,"minValues":{"id":1,"s":{"t":"2020-01-01"}},)"
                  R"("maxValues":{"id":9,"s":{"t":"2020-12-31"}},)"
                  R"("nullCount":{"id":0,"s":{"t":10}}})"),
       with_stats("b",
                  R"({"numRecords":5,"minValues":{"id":10},"maxValues":{"id":20}})"),
       with_stats("c", ""), with_stats("d", R"({"numRecords":1,"minValues":{"id":50)"),
       with_stats("e", R"({"maxValues":{"other":1},"numRecords":3})")},
      Protocol{});
  EXPECT_EQ(scan->files()[0].row_count, 10);
  EXPECT_EQ(scan->files()[2].row_count, std::nullopt);
  EXPECT_EQ(scan->files()[4].row_count, 3);
  const Comparison id_5{"ID", Op::eq, {std::int64_t{5}}};
  EXPECT_THAT(scan->may_match({id_5}), ElementsAre(0, 2, 3, 4));
  EXPECT_THAT(scan->may_match({{"id", Op::gt, {std::int64_t{9}}}}),
              ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(scan->may_match({{"id", Op::is_null, {}}}), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(scan->may_match({{"s.t", Op::is_not_null, {}}}), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(scan->may_match({{"s.t", Op::eq, {data::Date{0}}}, id_5}),
              ElementsAre(2, 3, 4));
  EXPECT_EQ(scan->may_match({{"nowhere", Op::is_null, {}}}).size(), 5U);
}

TEST_F(TableScanTest, SkipsNothingByANameThatMayMeanTwoColumns) {
  Metadata metadata;
  metadata.id = "test";
  const data::Type number = data::make_type(TypeKind::int64);
  metadata.schema.fields = {
      {"a", data::make_struct({{"b", number, true}, {"c.d", number, true}}), true},
      {"A.b", number, true},
      {"a.c", data::make_struct({{"d", number, true}}), true},
      {"p", data::make_struct({{"q", number, true}}), true},
      {"p.q", number, true}};
  metadata.partition_columns = {"p.q"};
  AddFile file = with_stats(
      "f",
      R"({"numRecords":1,"minValues":{"a":{"b":1,"c.d":1},"A.b":100,)"
      R"("a.c":{"d":100},"p":{"q":1}},)"
      R"("maxValues":{"a":{"b":1,"c.d":1},"A.b":100,"a.c":{"d":100},"p":{"q":1}}})");
  file.partition_values["p.q"] = "100";
  const auto scan = scan_of(metadata, {file}, Protocol{});
  ASSERT_NE(scan, nullptr);
  for (const std::string name : {"a.b", "A.B", "a.c.d", "p.q"}) {
    for (const std::int64_t value : {1, 100}) {
      EXPECT_THAT(scan->may_match({{name, Op::eq, {Value(value)}}}), ElementsAre(0U))
          << name << " = " << value;
    }
  }
}

TEST_F(TableScanTest, FindsMappedColumnsByTheirPhysicalNames) {
  Metadata metadata = partitioned_by(TypeKind::int32);
  metadata.configuration["delta.columnMapping.mode"] = "name";
  metadata.schema.fields[0].metadata = {{"delta.columnMapping.physicalName", "c0"},
                                        {"delta.columnMapping.id", 1}};
  metadata.schema.fields[1].metadata = {{"delta.columnMapping.physicalName", "c1"},
                                        {"delta.columnMapping.id", 2}};
  AddFile file = with_stats(
      "a", R"({"numRecords":1,"minValues":{"c0":1},"maxValues":{"c0":2,"id":99}})");
  file.partition_values["c1"] = "4";
  const auto mapped = scan_of(metadata, {file}, Protocol{2, 5, {}, {}});
  EXPECT_EQ(mapped->column_mapping_mode(), "name");
  EXPECT_EQ(mapped->files()[0].constants.at("Part"), Value(std::int64_t{4}));
  EXPECT_THAT(mapped->may_match({{"id", Op::eq, {std::int64_t{7}}}}), IsEmpty());
  // A protocol without the feature makes the property mean nothing.
  EXPECT_EQ(scan_of(metadata, {file}, Protocol{})->column_mapping_mode(), "none");
}

// Old files have 0.1 for a bound of what a double holds as 0.10000000149011612.
TEST_F(TableScanTest, ComparesBoundsOfWidenedFloatsAsFloats) {
  Metadata metadata = LogFolder::metadata();
  metadata.schema.fields = {
      {"f",
       data::make_type(TypeKind::float64),
       true,
       {{"delta.typeChanges",
         Json::array({{{"fromType", "float"}, {"toType", "double"}}})}}},
      {"d", data::make_type(TypeKind::float64), true}};
  const AddFile file = with_stats(
      "a", R"({"minValues":{"f":0.1,"d":0.1},"maxValues":{"f":0.1,"d":1e300}})");
  const auto scan = scan_of(metadata, {file}, Protocol{});
  const auto is_read = [&](const std::string& column, double value) {
    return !scan->may_match({{column, Op::eq, {value}}}).empty();
  };
  EXPECT_TRUE(is_read("f", 0.10000000149011612));
  EXPECT_TRUE(is_read("f", 0.1));
  EXPECT_FALSE(is_read("f", 0.2));
  EXPECT_FALSE(is_read("d", 0.05));
  EXPECT_TRUE(is_read("d", 0.10000000149011612));
}

TEST_F(TableScanTest, LoadsDeletionVectors) {
  SeededRandom random(1);
  DeletionVectorWriter writer(log_.store(), random);
  AddFile file = with_stats("a", R"({"numRecords":10})");
  const std::uint64_t rows[] = {3, 4};
  file.deletion_vector = writer.add(DeletionVector::of(rows));
  ASSERT_THAT(writer.finish(), IsOk());
  const Protocol protocol{3, 7, {"deletionVectors"}, {"deletionVectors"}};
  const auto scan = scan_of(LogFolder::metadata(), {file}, protocol);
  ASSERT_NE(scan->files()[0].deleted, nullptr);
  EXPECT_EQ(scan->files()[0].deleted->count(), 2U);
  EXPECT_TRUE(scan->files()[0].deleted->contains(4));

  file.deletion_vector->cardinality = 7;
  log_.commit(0, {protocol, LogFolder::metadata(), file});
  const auto snapshot = log_.table().latest();
  ASSERT_THAT(snapshot, IsOk());
  EXPECT_THAT((*snapshot)->scan(), HasError(ErrorCode::corrupt, "file a"));
}

}  // namespace
}  // namespace lakemill::delta
