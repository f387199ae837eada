// Goal: an append and a replacement are visible at once, exactly once, and change the
// schema as schema_evolution allows. Method: a real engine over tables in a temporary
// folder.

#include "sink_fixture.h"

#include "lakemill/sinks/file_sink.h"

namespace lakemill::sinks {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testkit::HasError;
using testkit::IsOk;

TableSinkSpec spec_for(const std::string& url, WriteMode mode) {
  TableSinkSpec spec;
  spec.url = url;
  spec.name = "shop.orders";
  spec.mode = mode;
  return spec;
}

std::unique_ptr<Sink> sink_for(const TableSinkSpec& spec) {
  return make_table_sink(spec, world().services());
}

TEST(WriteSink, CreatesTheTableWithTheFirstBatchAndAppendsTheNext) {
  TableSinkSpec spec = spec_for(world().fresh_url(), WriteMode::append);
  spec.column_comments["b"] = "what it is";
  spec.comment = "orders";
  const auto sink = sink_for(spec);
  const auto first =
      world().put(*sink, "SELECT 1::BIGINT AS a, 'x' AS b", world().batch(0));
  ASSERT_THAT(first, IsOk());
  EXPECT_EQ(first->rows_added, 1);
  ASSERT_THAT(world().put(*sink, "SELECT 2::BIGINT AS a, 'y' AS b", world().batch(1)),
              IsOk());
  EXPECT_THAT(world().rows(spec.url, "SELECT * FROM target ORDER BY a"),
              ElementsAre("1|x", "2|y"));
  const auto snapshot = world().snapshot(spec.url);
  EXPECT_EQ(snapshot->version(), 1);
  EXPECT_EQ(snapshot->metadata().description, "orders");
  EXPECT_EQ(snapshot->metadata().schema.find("b")->metadata["comment"], "what it is");
  // Readers without deletion vectors can read what no rows are taken from.
  EXPECT_FALSE(
      snapshot->metadata().configuration.contains("delta.enableDeletionVectors"));
}

TEST(WriteSink, CutsFilesAtTheTargetSizeOfTheTable) {
  TableSinkSpec spec = spec_for(world().fresh_url(), WriteMode::append);
  spec.properties["delta.targetFileSize"] = "1mb";
  const auto sink = sink_for(spec);
  ASSERT_THAT(world().put(*sink, "SELECT hash(range) AS a FROM range(900000)",
                          world().batch(0)),
              IsOk());
  EXPECT_GT(world().snapshot(spec.url)->files().size(), 2U);
}

TEST(WriteSink, HoldsABatchOnce) {
  const TableSinkSpec spec = spec_for(world().fresh_url(), WriteMode::append);
  const auto first = sink_for(spec);
  const auto second = sink_for(spec);
  const auto session = world().session();
  // Both stage the batch; the second comes late.
  const data::Schema schema{
      {{"a", data::make_type(data::TypeKind::int64), true, Json::object()}}};
  engine::WriteSpec write;
  write.sql = "SELECT 1::BIGINT AS a";
  auto target = first->stage(schema, world().batch(0));
  ASSERT_THAT(target, IsOk());
  write.target = *target;
  const auto written = session->write(write);
  ASSERT_THAT(written, IsOk());
  target = second->stage(schema, world().batch(0));
  ASSERT_THAT(target, IsOk());
  write.target = *target;
  const auto again = session->write(write);
  ASSERT_THAT(again, IsOk());
  ASSERT_THAT(first->commit(*session, *written, world().batch(0)), IsOk());
  const auto late = second->commit(*session, *again, world().batch(0));
  ASSERT_THAT(late, IsOk());
  EXPECT_TRUE(late->already_held);
  EXPECT_THAT(world().rows(spec.url, "SELECT count(*) FROM target"), ElementsAre("1"));
}

TEST(WriteSink, WidensTypesAsTheProtocolAllows) {
  TableSinkSpec spec = spec_for(world().fresh_url(), WriteMode::append);
  spec.properties["delta.enableTypeWidening"] = "true";
  ASSERT_THAT(world().put(*sink_for(spec),
                          "SELECT 1::TINYINT AS a, 2::BIGINT AS b, 3::TINYINT AS c, "
                          "[1::INTEGER] AS l, MAP {'k': [1::SMALLINT]} AS m",
                          world().batch(0)),
              IsOk());
  const auto result =
      world().put(*sink_for(spec),
                  "SELECT 1.5::DECIMAL(4, 1) AS a, 2::DECIMAL(19, 0) AS b, "
                  "300::SMALLINT AS c, [3000000000] AS l, MAP {'k': [70000]} AS m",
                  world().batch(1));
  ASSERT_THAT(result, IsOk());
  const auto snapshot = world().snapshot(spec.url);
  const data::Schema& schema = snapshot->metadata().schema;
  const auto changes_of = [&](const std::string& column) {
    return json_text(schema.find(column)->metadata["delta.typeChanges"]);
  };
  // Integers become decimals of 10 digits before the point, longs of 20.
  EXPECT_EQ(changes_of("a"), R"j([{"fromType":"byte","toType":"decimal(11,1)"}])j");
  EXPECT_EQ(changes_of("b"), R"j([{"fromType":"long","toType":"decimal(20,0)"}])j");
  EXPECT_EQ(changes_of("c"), R"j([{"fromType":"byte","toType":"short"}])j");
  EXPECT_EQ(changes_of("l"),
            R"j([{"fieldPath":"element","fromType":"integer","toType":"long"}])j");
  EXPECT_EQ(
      changes_of("m"),
      R"j([{"fieldPath":"value.element","fromType":"short","toType":"integer"}])j");
  EXPECT_THAT(world().rows(spec.url, "SELECT a, b, c, l, m FROM target ORDER BY a"),
              ElementsAre(R"j(1.0|2|3|[1]|{"k":[1]})j",
                          R"j(1.5|2|300|[3000000000]|{"k":[70000]})j"));
  spec.url = world().fresh_url();
  ASSERT_THAT(world().put(*sink_for(spec), "SELECT 1::BIGINT AS a", world().batch(0)),
              IsOk());
  EXPECT_THAT(
      world().put(*sink_for(spec), "SELECT 1::DECIMAL(38, 19) AS a", world().batch(1)),
      HasError(ErrorCode::invalid, "does not fit"));
}

TEST(WriteSink, LeavesNoFileOfARefusedCommit) {
  TableSinkSpec spec = spec_for(world().fresh_url(), WriteMode::replace);
  spec.properties["delta.appendOnly"] = "true";
  const std::string sql = "SELECT 1 AS a, 'x y' AS b";
  for (const bool partitioned : {false, true}) {
    spec.url = world().fresh_url();
    if (partitioned) spec.partition_by = {"b"};
    ASSERT_THAT(world().put(*sink_for(spec), sql, world().batch(0)), IsOk());
    const std::vector<std::string> before = files_below(spec.url);
    EXPECT_THAT(world().put(*sink_for(spec), sql, world().batch(1)),
                HasError(ErrorCode::unsupported, "append-only"));
    EXPECT_EQ(files_below(spec.url), before);
  }
}

TEST(WriteSink, ReplacesRowsSchemaAndPartitioningInOneCommit) {
  TableSinkSpec spec = spec_for(world().fresh_url(), WriteMode::replace);
  ASSERT_THAT(world().put(*sink_for(spec), "SELECT 1 AS a, 'x' AS b", world().batch(0)),
              IsOk());
  spec.partition_by = {"c"};
  const auto result = world().put(
      *sink_for(spec), "SELECT i::VARCHAR AS a, i % 2 AS c FROM range(4) AS t(i)",
      world().batch(1));
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(
      result->schema_changes,
      ElementsAre("column a changed (integer to string)", "column c added (long)",
                  "column b dropped", "partitioned by (c)"));
  EXPECT_THAT(world().rows(spec.url, "SELECT a, c FROM target ORDER BY a"),
              ElementsAre("0|0", "1|1", "2|0", "3|1"));
  EXPECT_EQ(world().snapshot(spec.url)->version(), 1);
}

TEST(WriteSink, BeginsANewGenerationWithoutTheRowsOfTheOneBefore) {
  const TableSinkSpec spec = spec_for(world().fresh_url(), WriteMode::append);
  ASSERT_THAT(world().put(*sink_for(spec), "SELECT 1 AS a", world().batch(0)), IsOk());
  Batch batch = world().batch(0);
  batch.generation = 1;
  batch.transaction_version = std::int64_t{1} << 32;
  ASSERT_THAT(world().put(*sink_for(spec), "SELECT 2 AS a", batch), IsOk());
  batch.transaction_version += 1;
  batch.number = 1;
  ASSERT_THAT(world().put(*sink_for(spec), "SELECT 3 AS a", batch), IsOk());
  EXPECT_THAT(world().rows(spec.url, "SELECT a FROM target ORDER BY a"),
              ElementsAre("2", "3"));
}

TEST(WriteSink, EvolvesTheSchemaByTheRules) {
  struct Case {
    SchemaEvolution rule;
    std::string first;
    std::string second;
    std::string expected;  // changes, or part of the error
  };
  const std::vector<Case> cases = {
      {SchemaEvolution::evolve, "1 AS a", "2 AS a, 'x' AS b",
       "column b added (string)"},
      {SchemaEvolution::evolve, "1 AS a, 2 AS b", "1 AS a", ""},
      {SchemaEvolution::evolve, "1::BIGINT AS a", "2::SMALLINT AS a", ""},
      {SchemaEvolution::evolve, "1 AS a", "2::BIGINT AS a",
       "column \"a\" is integer in the table and long in the batch"},
      {SchemaEvolution::evolve, "1 AS a", "'x' AS a",
       "column \"a\" is integer in the table and string in the batch, which does not "
       "fit"},
      {SchemaEvolution::evolve, "{'x': 1} AS s", "{'x': 2, 'y': 'q'} AS s",
       "column s.y added (string)"},
      {SchemaEvolution::evolve, "[{'x': 1}] AS s", "[{'y': 'q'}] AS s",
       "column s.element.y added (string)"},
      {SchemaEvolution::evolve, "1 AS a", "1 AS A", ""},
      {SchemaEvolution::evolve, "1.5::DECIMAL(4,1) AS a", "2::TINYINT AS a", ""},
      {SchemaEvolution::strict, "1 AS a", "2 AS a, 'x' AS b",
       "column \"b\" of the batch is not in the table"},
      {SchemaEvolution::strict, "1 AS a, 2 AS b", "1 AS a",
       "column \"b\" of the table is missing in the batch"},
      {SchemaEvolution::strict, "1::BIGINT AS a", "2::SMALLINT AS a",
       "column \"a\" is long in the table and short in the batch"},
      {SchemaEvolution::strict, "1 AS a, 2 AS b", "2 AS b, 1 AS a", ""},
      {SchemaEvolution::evolve, "1 AS a", "1 AS a, 2 AS A2, 3 AS a2",
       "has two columns named \"a2\""},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.first + " then " + each.second);
    TableSinkSpec spec = spec_for(world().fresh_url(), WriteMode::append);
    spec.schema_evolution = each.rule;
    ASSERT_THAT(world().put(*sink_for(spec), "SELECT " + each.first, world().batch(0)),
                IsOk());
    const auto result =
        world().put(*sink_for(spec), "SELECT " + each.second, world().batch(1));
    if (result) {
      EXPECT_EQ(join(result->schema_changes, "; "), each.expected);
      EXPECT_THAT(world().rows(spec.url, "SELECT count(*) FROM target"),
                  ElementsAre("2"));
    } else {
      EXPECT_EQ(result.error().code(), ErrorCode::invalid);
      EXPECT_NE(each.expected, "");
      EXPECT_THAT(result.error().message(), HasSubstr(each.expected));
      EXPECT_THAT(world().rows(spec.url, "SELECT count(*) FROM target"),
                  ElementsAre("1"));
    }
  }
}

TEST(WriteSink, RefusesATableOfAnotherFlow) {
  TableSinkSpec spec = spec_for(world().fresh_url(), WriteMode::append);
  ASSERT_THAT(world().put(*sink_for(spec), "SELECT 1 AS a", world().batch(0)), IsOk());
  Batch other = world().batch(0);
  other.app_id = "lakemill:test/other";
  EXPECT_THAT(world().put(*sink_for(spec), "SELECT 2 AS a", other),
              HasError(ErrorCode::invalid, "holds batches of flow lakemill:test/flow"));
  spec.adopt_app_id = "lakemill:test/flow";
  ASSERT_THAT(world().put(*sink_for(spec), "SELECT 2 AS a", other), IsOk());
  spec.adopt_app_id.clear();
  other.transaction_version = other.number = 1;
  ASSERT_THAT(world().put(*sink_for(spec), "SELECT 3 AS a", other), IsOk());
  EXPECT_THAT(
      world().put(*sink_for(spec), "SELECT 4 AS a", world().batch(1)),
      HasError(ErrorCode::invalid, "holds batches of flow lakemill:test/other"));
}

TEST(WriteSink, LetsSeveralFlowsShareATable) {
  TableSinkSpec spec = spec_for(world().fresh_url(), WriteMode::append);
  spec.shared = true;
  const auto left = sink_for(spec);
  const auto right = sink_for(spec);
  Batch other = world().batch(0);
  other.app_id = "lakemill:test/other";
  // Both stage before either commits: each append goes behind the other.
  const auto session = world().session();
  const data::Schema schema{
      {{"a", data::make_type(data::TypeKind::int32), true, Json::object()}}};
  engine::WriteSpec write;
  auto target = left->stage(schema, world().batch(0));
  ASSERT_THAT(target, IsOk());
  write = {"SELECT 1 AS a", {}, *target, {}};
  const auto of_left = session->write(write);
  ASSERT_THAT(of_left, IsOk());
  target = right->stage(schema, other);
  ASSERT_THAT(target, IsOk());
  write = {"SELECT 2 AS a", {}, *target, {}};
  const auto of_right = session->write(write);
  ASSERT_THAT(of_right, IsOk());
  ASSERT_THAT(left->commit(*session, *of_left, world().batch(0)), IsOk());
  ASSERT_THAT(right->commit(*session, *of_right, other), IsOk());
  EXPECT_THAT(world().rows(spec.url, "SELECT a FROM target ORDER BY a"),
              ElementsAre("1", "2"));
}

TEST(WriteSink, WritesACheckpointEveryTenCommits) {
  const TableSinkSpec spec = spec_for(world().fresh_url(), WriteMode::append);
  const auto sink = sink_for(spec);
  for (int i = 0; i <= 10; ++i) {
    ASSERT_THAT(world().put(*sink, "SELECT 1 AS a", world().batch(i)), IsOk());
  }
  EXPECT_NE(content_of(spec.url + "/_delta_log/_last_checkpoint"), "");
}

TEST(FileSink, MakesASingleFileVisibleWithTheCommitOnly) {
  FileSinkSpec spec;
  const std::string folder = world().fresh_url();
  spec.url = folder + "/result.csv";
  spec.format = engine::FileFormat::csv;
  const auto sink = make_file_sink(spec, world().services());
  const auto session = world().session();
  const auto target = sink->stage({}, world().batch(0));
  ASSERT_THAT(target, IsOk());
  const auto written = session->write({"SELECT 1 AS a", {}, *target, {}});
  ASSERT_THAT(written, IsOk());
  EXPECT_EQ(content_of(spec.url), "");
  ASSERT_THAT(sink->commit(*session, *written, world().batch(0)), IsOk());
  EXPECT_EQ(content_of(spec.url), "a\n1\n");
  EXPECT_THAT(files_below(folder), ElementsAre("result.csv"));
}

TEST(FileSink, NamesTheFilesOfAFolderByFlowGenerationAndNumber) {
  FileSinkSpec spec;
  spec.url = world().fresh_url();
  spec.format = engine::FileFormat::jsonl;
  spec.kind = FileSinkKind::folder_of_batches;
  const auto sink = make_file_sink(spec, world().services());
  ASSERT_THAT(world().put(*sink, "SELECT 1 AS a", world().batch(0)), IsOk());
  ASSERT_THAT(world().put(*sink, "SELECT 2 AS a", world().batch(1)), IsOk());
  const auto last = sink->last_batch("lakemill:test/flow");
  ASSERT_THAT(last, IsOk());
  EXPECT_EQ(*last, 1);
  EXPECT_THAT(files_below(spec.url), ElementsAre("test.flow-g0-0000000000.jsonl",
                                                 "test.flow-g0-0000000001.jsonl"));
  const auto repeated = world().put(*sink, "SELECT 2 AS a", world().batch(1));
  ASSERT_THAT(repeated, IsOk());
  EXPECT_TRUE(repeated->already_held);

  Batch batch = world().batch(0);
  batch.generation = 1;
  batch.transaction_version = std::int64_t{1} << 32;
  ASSERT_THAT(world().put(*sink, "SELECT 3 AS a", batch), IsOk());
  EXPECT_THAT(files_below(spec.url), ElementsAre("test.flow-g1-0000000000.jsonl"));
}

}  // namespace
}  // namespace lakemill::sinks
