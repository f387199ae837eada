#include "lakemill/language/written_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/language/graph.h"

namespace lakemill::language {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Source table_source(const std::string& schema, const std::string& table) {
  Source source;
  source.kind = SourceKind::table;
  source.table = {"", schema, table, {}};
  return source;
}

Source file_source(const std::string& path) {
  Source source;
  source.path = path;
  return source;
}

Sink table_sink(const std::string& schema, const std::string& table) {
  Sink sink;
  sink.kind = SinkKind::table;
  sink.table = {"", schema, table, {}};
  return sink;
}

Sink file_sink(const std::string& path) {
  Sink sink;
  sink.path = path;
  return sink;
}

Node node_of(const std::string& name, std::vector<Source> sources,
             std::vector<Sink> sinks) {
  Node node;
  node.name = name;
  node.sources = std::move(sources);
  node.sinks = std::move(sinks);
  return node;
}

Pipeline linked(std::vector<Node> nodes, const Project& project,
                const TableNamer& namer = nullptr) {
  Pipeline pipeline;
  pipeline.folder = "/project/pipelines";
  pipeline.nodes = std::move(nodes);
  link_written_tables(pipeline, project, namer);
  return pipeline;
}

Project project() {
  Project project;
  project.folder = "/project";
  return project;
}

TEST(WrittenTables, ATableByItsNameLinksToTheNodeThatWritesIt) {
  Pipeline pipeline = linked({node_of("reads", {table_source("silver", "t")}, {}),
                              node_of("writes", {}, {table_sink("silver", "t")})},
                             project());
  EXPECT_THAT(upstream_of(pipeline.nodes[0]), ElementsAre("writes"));
  EXPECT_THAT(upstream_of(pipeline.nodes[1]), IsEmpty());
}

TEST(WrittenTables, ASchemaThatIsNotNamedIsThatOfTheLayer) {
  Node writes = node_of("writes", {}, {table_sink("", "t")});
  writes.layer = Layer::gold;
  Project with_schema = project();
  with_schema.layers[Layer::gold].schema = "marts";
  Pipeline pipeline =
      linked({node_of("reads", {table_source("marts", "t")}, {}),
              node_of("other", {table_source("gold", "t")}, {}), writes},
             with_schema);
  EXPECT_THAT(pipeline.nodes[0].sources[0].written_by, ElementsAre("writes"));
  EXPECT_THAT(pipeline.nodes[1].sources[0].written_by, IsEmpty());
}

TEST(WrittenTables, APathLinksHoweverItIsWritten) {
  Pipeline pipeline = linked(
      {node_of("reads", {file_source("../out/./a/")}, {}),
       node_of("whole", {file_source("/project/main/default/t")}, {}),
       node_of("writes", {}, {file_sink("/project/out/a"), table_sink("", "t")})},
      project());
  EXPECT_THAT(pipeline.nodes[0].sources[0].written_by, ElementsAre("writes"));
  EXPECT_THAT(pipeline.nodes[1].sources[0].written_by, ElementsAre("writes"));
}

TEST(WrittenTables, AllThatShareATableAreUpstream) {
  Pipeline pipeline = linked({node_of("one", {}, {table_sink("", "t")}),
                              node_of("two", {}, {table_sink("", "t")}),
                              node_of("reads", {table_source("", "t")}, {})},
                             project());
  EXPECT_THAT(upstream_of(pipeline.nodes[2]), ElementsAre("one", "two"));
}

TEST(WrittenTables, ANodeIsNotUpstreamOfItselfNorAVersionThatIsNamed) {
  Source old = table_source("", "u");
  old.version = 3;
  Pipeline pipeline =
      linked({node_of("self", {table_source("", "t"), old}, {table_sink("", "t")}),
              node_of("writes", {}, {table_sink("", "u")})},
             project());
  EXPECT_THAT(upstream_of(pipeline.nodes[0]), IsEmpty());
}

TEST(WrittenTables, ATableThatSqlNamesLinksToTheNodeThatWritesIt) {
  Node reads = node_of("reads", {}, {table_sink("silver", "own")});
  SourceText sql;
  sql.text = "SELECT * FROM silver.t";
  reads.steps.push_back(Step{sql, {}});
  const TableNamer namer = [](std::string_view text, SqlForm form) {
    EXPECT_EQ(text, "SELECT * FROM silver.t");
    EXPECT_EQ(form, SqlForm::query);
    return std::vector<TableMention>{{{"", "silver", "t", {}}, "", 14},
                                     {{"", "silver", "own", {}}, "", 14},
                                     {{"", "other", "t", {}}, "", 14},
                                     {{}, "silver.t", 14},
                                     {{}, "lake/p", 14}};
  };
  Pipeline pipeline = linked({reads, node_of("writes", {}, {table_sink("silver", "t")}),
                              node_of("path", {}, {file_sink("../lake/p")})},
                             project(), namer);
  EXPECT_THAT(upstream_of(pipeline.nodes[0]), ElementsAre("writes", "path"));
}

}  // namespace
}  // namespace lakemill::language
