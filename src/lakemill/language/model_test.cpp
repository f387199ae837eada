// What stands in the structs that a load gives.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/language/definition.h"
#include "lakemill/language/load_fixture.h"

namespace lakemill::language {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testkit::load_text;
using testkit::one_node;
using Files = std::map<std::string, std::string>;

TEST(Model, HoldsEverythingOfAMergeSink) {
  const LoadedPipeline loaded = load_text(
      "name: p\nnodes:\n- name: a\n  layer: silver\n  primary_keys: [id]\n"
      "  source: {table_name: c.s.raw, version: 3}\n  sinks:\n"
      "  - table_name: s.t\n    catalog_name: c\n    mode: merge\n"
      "    partition_by: day\n    properties: {delta.x: 1}\n"
      "    metadata: {comment: hello, columns: [{name: id, comment: key}]}\n"
      "    merge_cdc_options:\n      scd_type: 2\n      order_by: [lsn, n]\n"
      "      delete_where: op = 'D'\n      track_history_except_columns: [seen]\n"
      "      state_retention: 7 days\n      delete_mode: soft\n"
      "  - {path: bad, is_quarantine: true}\n"
      "  expectations:\n"
      "  - {name: e, expr: id > 0, action: quarantine, tolerance: {rel: 0.5}}\n"
      "  - {name: f, expr: \"nw.col('id') > 0\"}\n"
      "  - {name: r, type: REFERENCE, columns: [id], to: {table: c.d}, action: "
      "DROP}\n");
  ASSERT_EQ(loaded.diagnostics.to_text(), "");
  const Node& node = loaded.pipeline->nodes[0];
  EXPECT_EQ(node.layer, Layer::silver);
  EXPECT_EQ(node.sources[0].table.to_text(), "c.s.raw");
  EXPECT_EQ(node.sources[0].version, 3);
  const Sink* sink = node.primary_sink();
  ASSERT_NE(sink, nullptr);
  EXPECT_EQ(sink->mode, SinkMode::merge);
  EXPECT_EQ(sink->table.to_text(), "c.s.t");
  EXPECT_THAT(sink->partition_by, ElementsAre("day"));
  EXPECT_EQ(sink->metadata.column_comments.at("id"), "key");
  ASSERT_TRUE(sink->merge_cdc_options.has_value());
  EXPECT_THAT(sink->merge_cdc_options->primary_keys, ElementsAre("id"));
  EXPECT_THAT(sink->merge_cdc_options->order_by, ElementsAre("lsn", "n"));
  EXPECT_EQ(sink->merge_cdc_options->state_retention, std::chrono::hours(7 * 24));
  EXPECT_EQ(sink->merge_cdc_options->delete_mode, DeleteMode::soft);
  EXPECT_EQ(node.quarantine_sink()->format, FileFormat::delta);
  EXPECT_EQ(node.expectations[0].expression_language, ExpressionLanguage::sql);
  EXPECT_EQ(node.expectations[0].tolerance.share, 0.5);
  EXPECT_EQ(node.expectations[1].expression_language, ExpressionLanguage::dataframe);
  EXPECT_EQ(node.expectations[2].to_table.to_text(), "c.d");
  EXPECT_THAT(node.expectations[2].to_columns,
              ElementsAre(testing::Field(&Name::text, "id")));
}

TEST(Model, TurnsContractsIntoExpectations) {
  const LoadedPipeline loaded = load_text(one_node(
      "  columns:\n    id: {type: bigint, nullable: false, tests: [UNIQUE, id > 0]}\n"
      "    note: string\n"));
  ASSERT_EQ(loaded.diagnostics.to_text(), "");
  const Node& node = loaded.pipeline->nodes[0];
  ASSERT_EQ(node.columns.size(), 2U);
  EXPECT_EQ(node.columns[1].type, "string");
  ASSERT_EQ(node.expectations.size(), 3U);
  EXPECT_EQ(node.expectations[0].type, ExpectationType::unique);
  EXPECT_EQ(node.expectations[1].expression.text, "id > 0");
  EXPECT_EQ(node.expectations[2].expression.text, "\"id\" IS NOT NULL");
  EXPECT_EQ(node.expectations[2].action, ExpectationAction::fail);
}

TEST(Model, HasADefinitionThatDocumentationDoesNotChange) {
  const auto definition = [](const std::string& rest) {
    return load_text(one_node(rest)).pipeline.value().nodes[0].definition;
  };
  EXPECT_EQ(definition("  comment: x\n"), definition("  owner: y\n  tags: [z]\n"));
  EXPECT_NE(definition(""), definition("  strict: true\n"));
}

TEST(Model, HasADefinitionWithoutPasswords) {
  for (const auto& [uri, shown] : std::vector<std::pair<std::string, std::string>>{
           {"postgresql://u:pass@h:1/d", "postgresql://u:***@h:1/d"},
           {"postgresql://u:p@ss@h:1/d?x=@", "postgresql://u:***@h:1/d?x=@"},
           {"postgresql://u@h:1/d", "postgresql://u@h:1/d"},
           {"postgresql://h:1/d?user=u&password=pass&x=1",
            "postgresql://h:1/d?user=u&password=***&x=1"},
           {"host=h password='pa ss' dbname=d", "host=h password=*** dbname=d"},
           {"postgresql://u:${secret.PW}@h/d", "postgresql://u:${secret.PW}@h/d"}}) {
    EXPECT_EQ(without_password(uri), shown);
  }
  const LoadedPipeline loaded = load_text(
      "name: p\nnodes:\n- name: a\n  layer: BRONZE\n  source: {connection: {uri: "
      "\"postgresql://u:pass@h:1/d\"}, table: t}\n  sink: {table_name: a}\n");
  ASSERT_EQ(loaded.diagnostics.to_text(), "");
  const Node& node = loaded.pipeline->nodes[0];
  EXPECT_EQ(json_text(node.definition).find("pass"), std::string::npos);
  auto stored = node_from_definition(node.definition);
  ASSERT_TRUE(stored.has_value());
  EXPECT_EQ(stored->sources[0].postgres.uri, "postgresql://u:***@h:1/d");
  restore_passwords(*stored, *loaded.pipeline);
  EXPECT_EQ(stored->sources[0].postgres.uri, node.sources[0].postgres.uri);
}

TEST(Model, HoldsTestsWithRowsAndFiles) {
  const LoadedPipeline loaded =
      load_text(one_node("") +
                "tests:\n- name: t\n  node: a\n  now: 2026-01-01\n  variables: {v: 1}\n"
                "  given: {a.csv: [{x: 1}]}\n  expect: rows.csv\n"
                "  expect_quarantine: {x: [1]}\n");
  ASSERT_EQ(loaded.diagnostics.to_text(), "");
  const PipelineTest& test = loaded.pipeline->tests[0];
  EXPECT_EQ(test.given[0].name, "a.csv");
  EXPECT_EQ(test.given[0].rows.rows.items.size(), 1U);
  EXPECT_EQ(test.expect->path, "rows.csv");
  EXPECT_EQ(test.expect_quarantine->rows.entries[0].key, "x");
  EXPECT_EQ(test.variables.at("v"), "1");
}

TEST(Project, IsReadWithTheChosenEnvironment) {
  MemoryFileReader reader(
      Files{{"lakemill.yaml",
             "name: shop\nroot: ./lake\ncatalog: c\n"
             "layers: {bronze: {schema: raw, retention: 30d}}\n"
             "pipelines: [p.yaml, 'more/*.yaml']\nroots: ../data\n"
             "environments: {dev: {root: '/tmp/${vars.who}', variables: "
             "{who: me}}}\n"
             "secrets: {file: secrets.env}\nengine: {memory_limit: "
             "2GB}\n"}});
  LoadOptions options;
  options.reader = &reader;
  options.environment = "dev";
  const LoadedProject loaded = load_project("lakemill.yaml", options);
  ASSERT_EQ(loaded.diagnostics.to_text(), "");
  EXPECT_EQ(loaded.project->root, "/tmp/me");
  EXPECT_EQ(loaded.project->layers.at(Layer::bronze).schema, "raw");
  EXPECT_EQ(loaded.project->engine.memory_limit_bytes, std::int64_t{2} << 30);
  EXPECT_THAT(loaded.project->roots, ElementsAre("../data"));

  options.environment = "prd";
  EXPECT_THAT(load_project("lakemill.yaml", options).diagnostics.to_text(),
              HasSubstr("the project has no environment 'prd'"));
}

}  // namespace
}  // namespace lakemill::language
