// Goal: checkpoints hold the columns that tables ask for. Method: real Parquet files,
// looked at by DuckDB and read back as lines.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/base/text.h"
#include "lakemill/delta/action.h"
#include "lakemill/engine_duckdb/duckdb_engine.h"
#include "lakemill/engine_duckdb/session_fixture.h"

namespace lakemill::engine_duckdb {
namespace {

using data::TypeKind;
using testing::HasSubstr;

class CheckpointFormatTest : public SessionFixture {
 protected:
  // A checkpoint of one partitioned, mapped table with one file.
  std::string write(const std::map<std::string, std::string>& properties,
                    const std::string& stats) {
    const auto column = [](const std::string& name, data::Type type) {
      return data::Field{
          .name = name,
          .type = std::move(type),
          .metadata = {{"delta.columnMapping.physicalName", "c-" + name}}};
    };
    delta::Metadata metadata;
    metadata.id = "test";
    metadata.configuration = properties;
    metadata.configuration["delta.columnMapping.mode"] = "name";
    metadata.partition_columns = {"p"};
    metadata.schema.fields = {
        column("p", data::make_type(TypeKind::date)),
        column("i", data::make_type(TypeKind::int32)),
        column("n", data::make_decimal(10, 2)),
        column("wide", data::make_decimal(30, 5)),
        column("t", data::make_type(TypeKind::timestamp)),
        column("b", data::make_type(TypeKind::boolean)),
        column("s",
               data::make_struct({column("x", data::make_type(TypeKind::string))})),
        column("l", data::make_array(data::make_type(TypeKind::int64), true))};
    delta::AddFile add;
    add.path = "f";
    add.partition_values = {{"c-p", "2026-01-02"}};
    add.stats = stats;
    const delta::Protocol protocol{2, 5, {}, {}};
    std::string lines;
    for (const delta::Action& action :
         {delta::Action(protocol), delta::Action(metadata), delta::Action(add)}) {
      lines += delta::to_line(action) + "\n";
    }
    const std::string path = folder() + "/c.parquet";
    const auto written = format_->write(path, lines);
    EXPECT_TRUE(written.has_value()) << written.error().message();
    return path;
  }

  std::string add_of(const std::string& path, const std::string& what) {
    return text("SELECT CAST(add." + what + " AS VARCHAR) FROM '" + path +
                "' WHERE add IS NOT NULL");
  }

  std::unique_ptr<storage::StoreProvider> stores_ = storage::make_local_provider();
  std::unique_ptr<delta::CheckpointFormat> format_ = make_checkpoint_format(*stores_);
};

constexpr const char* kStats =
    R"({"numRecords":3,"minValues":{"c-i":1,"c-n":-1.50,"c-wide":1.5,)"
    R"("c-t":"2026-01-01T00:00:00.000Z","c-s":{"c-x":"a"}},"maxValues":{"c-i":9,)"
    R"("c-n":1.25,"c-wide":2.5,"c-t":"2026-01-01T00:00:01.500Z","c-s":{"c-x":"b"}},)"
    R"("nullCount":{"c-i":0,"c-n":1,"c-wide":0,"c-b":1,"c-s":{"c-x":2},"c-l":1}})";

TEST_F(CheckpointFormatTest, HoldsTypedStatisticsWhereTheTableAsksForThem) {
  const std::string path =
      write({{"delta.checkpoint.writeStatsAsStruct", "true"}}, kStats);
  EXPECT_EQ(add_of(path, "stats"), kStats);
  const auto parsed = [&](const std::string& what) {
    return add_of(path, "stats_parsed." + what);
  };
  EXPECT_EQ(parsed("numRecords"), "3");
  EXPECT_EQ(parsed("\"minValues\".\"c-i\""), "1");
  EXPECT_EQ(parsed("\"minValues\".\"c-n\""), "-1.50");
  EXPECT_EQ(parsed("\"maxValues\".\"c-t\""), "2026-01-01 00:00:01.5+00");
  EXPECT_EQ(parsed("\"maxValues\".\"c-s\".\"c-x\""), "b");
  EXPECT_EQ(parsed("\"nullCount\".\"c-s\".\"c-x\""), "2");
  EXPECT_EQ(parsed("\"nullCount\".\"c-l\""), "1");
  EXPECT_EQ(
      text("SELECT typeof(add.stats_parsed.\"minValues\") FROM '" + path + "' LIMIT 1"),
      "STRUCT(\"c-i\" INTEGER, \"c-n\" DECIMAL(10,2), \"c-s\" STRUCT(\"c-x\" "
      "VARCHAR), \"c-t\" TIMESTAMP WITH TIME ZONE)");
  EXPECT_EQ(add_of(path, "\"partitionValues_parsed\".\"c-p\""), "2026-01-02");
  const auto lines = format_->read(path);
  ASSERT_TRUE(lines.has_value()) << lines.error().message();
  EXPECT_THAT(*lines, HasSubstr("numRecords"));
}

TEST_F(CheckpointFormatTest, LeavesTheTextsOutWhereOnlyTypedStatisticsAreWanted) {
  const std::string path = write({{"delta.checkpoint.writeStatsAsStruct", "true"},
                                  {"delta.checkpoint.writeStatsAsJson", "false"}},
                                 kStats);
  EXPECT_EQ(add_of(path, "stats"), "NULL");
  const auto lines = format_->read(path);
  ASSERT_TRUE(lines.has_value()) << lines.error().message();
  EXPECT_THAT(*lines, HasSubstr(R"(\"c-n\":-1.5,)"));
}

TEST_F(CheckpointFormatTest, HoldsNoTypedStatisticsUnasked) {
  const std::string path = write({}, kStats);
  EXPECT_THAT(text("SELECT typeof(add) FROM '" + path + "' LIMIT 1"),
              testing::Not(HasSubstr("_parsed")));
  const std::string broken =
      write({{"delta.checkpoint.writeStatsAsStruct", "true"}}, "{no json");
  EXPECT_EQ(add_of(broken, "stats_parsed"), "NULL");
}

}  // namespace
}  // namespace lakemill::engine_duckdb
