// What a load makes of good and bad files: every construct of section 1 of the
// language, and for bad input the exact place and message.
#include <chrono>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/language/load_fixture.h"

namespace lakemill::language {
namespace {

using testing::HasSubstr;
using testkit::load;
using testkit::load_text;
using testkit::one_node;
using Files = std::map<std::string, std::string>;

// ------------------------------------------------------------------------- bad input

struct BadCase {
  std::string name;
  std::string text;
  std::string expected;  // the whole text of the diagnostics
};

void PrintTo(const BadCase& bad, std::ostream* stream) { *stream << bad.name; }

class BadInput : public testing::TestWithParam<BadCase> {};

TEST_P(BadInput, IsToldWithItsPlaceAndNothingElse) {
  const LoadedPipeline loaded = load_text(GetParam().text);
  EXPECT_EQ(loaded.diagnostics.to_text(), GetParam().expected);
  EXPECT_EQ(loaded.pipeline.has_value(), !loaded.diagnostics.has_errors());
}

const std::vector<BadCase> kBadCases = {
    {"EmptyFile", "", "p.yaml:1:1: error: the file is empty\n"},
    {"NotAMapping", "- a\n",
     "p.yaml:1:1: error: the file needs a mapping, not a list; begin with name: and "
     "nodes:\n"},
    {"UnknownKey", one_node("  sinks:\n  - pth: x.parquet\n"),
     "p.yaml:6:5: error: unknown key 'pth' at nodes[0].sinks[0]; did you mean "
     "'path'?\n"},
    {"UnknownTopKey", "name: p\nnodez: []\n",
     "p.yaml:2:1: error: unknown key 'nodez' at the top level; did you mean "
     "'nodes'?\n"},
    {"UnknownStepKey", one_node("  transformer:\n    nodes:\n    - exrp: SELECT 1\n"),
     "p.yaml:7:7: error: unknown key 'exrp' at nodes[0].transformer.nodes[0]; did you "
     "mean 'expr'?\n"},
    {"TwoFaultsAtOnce", one_node("  strict: maybe\n  layer: BRONCE\n"),
     "p.yaml:5:11: error: key 'strict' at nodes[0] needs true or false, not 'maybe'\n"
     "p.yaml:6:10: error: unknown value 'BRONCE' of key 'layer' at nodes[0]; did you "
     "mean 'BRONZE'?\n"},
    {"MissingName", "nodes:\n- source: {path: a.csv}\n  name: a\n",
     "p.yaml:1:1: error: key 'name' is missing at the top level; Name of the "
     "pipeline.\n"},
    {"DuplicateKey", "name: p\nname: q\n",
     "p.yaml:2:1: error: the key 'name' stands twice in this mapping; remove one of "
     "the "
     "two\n"},
    {"Tab", "name: p\nnodes:\n\t- name: a\n",
     "p.yaml:3:2: error: not valid YAML: illegal block entry; "
     "indent with spaces: YAML allows no tab there\n"},
    {"BadEncoding", "name: p\xFF\n",
     "p.yaml:1:8: error: the byte 0xFF is not UTF-8 text; save the file as UTF-8\n"},
    {"TwoDocuments", "name: p\n---\nname: q\n",
     "p.yaml:1:1: error: the file holds more than one YAML document; remove the '---' "
     "between them\n"},
    {"UnknownTag", "name: !used x.yaml\n",
     "p.yaml:1:7: error: unknown tag '!used'; did you mean '!use'?\n"},
    {"SelfAlias", "name: p\nvariables: &v {a: *v}\n",
     "p.yaml:2:19: error: this alias stands inside its own anchor; an anchor cannot "
     "hold "
     "itself\n"},
    {"ListForMapping", one_node("  transformer: [a]\n"),
     "p.yaml:5:16: error: key 'transformer' at nodes[0] needs a mapping, not a list\n"},
    {"DuplicateNodes",
     "name: p\nnodes:\n- {name: a, source: {path: a.csv}}\n"
     "- {name: a, source: {path: b.csv}}\n",
     "p.yaml:4:3: error: two nodes are called 'a'; the first is at p.yaml:3:3\n"},
    {"NodesThatDifferInCase",
     "name: p\nnodes:\n- {name: n, source: {path: a.csv}}\n"
     "- {name: N, source: {path: b.csv}}\n",
     "p.yaml:4:3: error: the nodes 'n' and 'N' differ only in case; rename one of "
     "them; "
     "the first is at p.yaml:3:3\n"},
    {"SourcesThatDifferInCase",
     "name: p\nnodes:\n- name: n\n  sources:\n  - {name: a, path: a.csv}\n"
     "  - {name: A, path: b.csv}\n",
     "p.yaml:6:5: error: the sources 'a' and 'A' at nodes[0] differ only in case; "
     "rename "
     "one of them\n"},
    {"SourceCalledLikeAPart",
     "name: p\nnodes:\n- name: n\n  sources:\n  - {name: a.clause1, path: a.csv}\n"
     "  - {name: a, path: b.csv}\n",
     "p.yaml:5:5: error: the source 'a.clause1' at nodes[0] is called like a part of "
     "'a'; "
     "choose a name without the dot\n"},
    {"SourceCalledLikeAStep",
     "name: p\nnodes:\n- name: n\n  sources:\n  - {name: N.step1, path: a.csv}\n",
     "p.yaml:5:5: error: the source 'N.step1' at nodes[0] is called like a part of 'n'; "
     "choose a name without the dot\n"},
    {"SourceCalledLikeAPlace",
     "name: p\nnodes:\n- name: n\n  sources:\n  - {name: \"1\", path: a.csv}\n"
     "  - {path: b.csv}\n",
     "p.yaml:5:5: error: the source '1' at nodes[0] is called like the place of a source "
     "without a name; choose another name\n"},
    {"UnknownUpstream",
     "name: p\nnodes:\n- {name: brz_stocks, source: {path: a.csv}}\n"
     "- name: b\n  source:\n    node_name: brz_stock\n",
     "p.yaml:6:16: error: unknown node 'brz_stock' at nodes[1]; did you mean "
     "'brz_stocks'?\n"},
    {"UnknownUpstreamInSql",
     "name: p\nnodes:\n- name: b\n  transformer:\n    nodes:\n    - expr: |\n"
     "        SELECT *\n        FROM {nodes.c}\n",
     "p.yaml:8:14: error: unknown node 'c' at nodes[0]\n"},
    {"Circle",
     "name: p\nnodes:\n- {name: a, source: {node_name: b}}\n"
     "- {name: b, source: {node_name: c}}\n- {name: c, source: {node_name: a}}\n",
     "p.yaml:3:3: error: nodes need each other in a circle: a -> c -> b -> a\n"},
    {"OwnCircle", "name: p\nnodes:\n- {name: a, source: {node_name: a}}\n",
     "p.yaml:3:3: error: nodes need each other in a circle: a -> a\n"},
    {"UnknownNamedSource",
     one_node("  transformer:\n    nodes:\n    - expr: SELECT * FROM {sources.x}\n"),
     "p.yaml:7:13: error: unknown source 'x' at nodes[0].transformer.nodes[0]; give "
     "the "
     "source a name\n"},
    {"FlowOfNothing",
     "name: p\nnodes:\n- name: a\n  transformer:\n    nodes:\n"
     "    - expr: SELECT * FROM {df}\n",
     "p.yaml:6:13: error: {df} at nodes[0].transformer.nodes[0] has nothing to stand "
     "for; give the node a source\n"},
    {"SourceAndSources", one_node("  sources: []\n"),
     "p.yaml:4:11: error: 'sources' and 'source' at nodes[0] exclude each other; keep "
     "one of the two\n"},
    {"ExclusiveSourceKeys", one_node("  sinks:\n  - {path: x, table_name: y}\n"),
     "p.yaml:6:15: error: key 'table_name' at nodes[0].sinks[0] does not go with a "
     "FILE "
     "sink; it belongs to UNITY_CATALOG, HIVE_METASTORE, TABLE\n"},
    {"SourceOfNothing", "name: p\nnodes:\n- name: a\n  source: {name: x}\n",
     "p.yaml:4:11: error: what is read at nodes[0].source is missing; give it a path, "
     "a "
     "node_name, a table_name or data\n"},
    {"ExprAndMethod",
     one_node("  transformer:\n    nodes:\n    - {expr: SELECT 1, func_name: sort}\n"),
     "p.yaml:7:35: error: 'expr' and 'func_name' at nodes[0].transformer.nodes[0] "
     "exclude each other; make two steps of them\n"},
    {"QuarantineWithoutSink",
     one_node("  expectations:\n  - {name: e, expr: x > 1, action: QUARANTINE}\n"),
     "p.yaml:6:5: error: action QUARANTINE at nodes[0].expectations[0] needs a "
     "quarantine sink; add a sink with is_quarantine: true to the node\n"},
    {"DropOfAnAggregate",
     one_node("  expectations:\n"
              "  - {name: e, type: AGGREGATE, expr: COUNT(*) > 1, action: DROP}\n"),
     "p.yaml:6:60: error: action DROP at nodes[0].expectations[0] does not go with "
     "type "
     "AGGREGATE; DROP and QUARANTINE are for ROW and REFERENCE\n"},
    {"TwoTolerances",
     one_node(
         "  expectations:\n  - {name: e, expr: x, tolerance: {abs: 1, rel: 0.1}}\n"),
     "p.yaml:6:35: error: tolerance at nodes[0].expectations[0] needs exactly one of "
     "abs "
     "and rel\n"},
    {"TableThatCannotBeAFolder", one_node("  sinks:\n  - {table_name: a/b}\n"),
     "p.yaml:6:18: error: name 'a/b' holds a slash; choose another\n"},
    {"SchemaThatCannotBeAFolder",
     one_node("  sinks:\n  - {table_name: t, schema_name: _s}\n"),
     "p.yaml:6:34: error: name '_s' begins with '_'; choose another\n"},
    {"MergeWithoutKeys", one_node("  sinks:\n  - {path: x, mode: MERGE}\n"),
     "p.yaml:6:5: error: a merge at nodes[0].sinks[0] needs primary_keys; name the "
     "columns that tell rows apart, in merge_cdc_options or at the node\n"},
    {"HistoryWithoutOrder",
     one_node("  primary_keys: [id]\n  sinks:\n  - path: x\n    mode: MERGE\n"
              "    merge_cdc_options: {scd_type: 2}\n"),
     "p.yaml:9:35: error: scd_type 2 at nodes[0].sinks[0].merge_cdc_options needs "
     "order_by; name the column that orders the changes\n"},
    {"MergeIntoAFile",
     one_node("  primary_keys: [id]\n  sinks:\n  - {path: x.csv, mode: MERGE, format: "
              "CSV}\n"),
     "p.yaml:7:40: error: a merge at nodes[0].sinks[0] needs a Delta table; write "
     "format: DELTA\n"},
    {"SameTarget",
     "name: p\nnodes:\n"
     "- {name: a, source: {path: a.csv}, sinks: [{table_name: t}]}\n"
     "- {name: b, source: {path: b.csv}, sinks: [{table_name: t}]}\n",
     "p.yaml:4:44: error: the nodes 'a' and 'b' write the same place: default.t; give "
     "each its own, or write shared: true in both sinks\n"},
    {"UnclosedQuote", "name: p\nnodes:\n- name: a\n  comment: 'it''s\n- name: b\n",
     "p.yaml:4:12: error: this quote is not closed; write the same quote where the "
     "text "
     "ends\n"},
    {"ListBeforeKeys", "- {name: a}\nname: p\n",
     "p.yaml:2:1: error: what begins here is no part of what stands before it; indent "
     "it as the lines that it belongs to, or remove it\n"},
    {"SinkInAFolderOfAppendedFiles",
     "name: p\nnodes:\n"
     "- {name: a, source: {data: {x: [1]}}, sink: {path: /o, format: CSV, mode: "
     "APPEND}}\n"
     "- {name: b, source: {data: {x: [1]}}, sink: {path: /o/x.csv, format: CSV}}\n",
     "p.yaml:4:45: error: the sink at nodes[1] lies in the folder that node 'a' "
     "appends "
     "files to (/o), and would be taken for one of them; name a place beside that "
     "folder\n"},
    {"SinkInATable",
     "name: p\nnodes:\n"
     "- {name: a, source: {path: a.csv}, sinks: [{path: out/t, format: DELTA}]}\n"
     "- {name: b, source: {path: b.csv}, sinks: [{path: out/t/b.csv, format: CSV}]}\n",
     "p.yaml:4:44: error: the sink at nodes[1] lies in the folder of the table that "
     "node 'a' writes (out/t), whose vacuum would delete it; name a place beside that "
     "folder\n"},
    {"SinkOverThePipeline",
     "name: p\nnodes:\n"
     "- {name: a, source: {path: a.csv}, sinks: [{path: ./p.yaml, format: JSON}]}\n",
     "p.yaml:3:44: error: the sink at nodes[0] would overwrite or delete p.yaml, which "
     "the pipeline or its project is read from; name another place\n"},
    {"ObjectStore", "name: p\nnodes:\n- {name: a, source: {path: 'gs://b/x.csv'}}\n",
     "p.yaml:3:28: error: gs:// is not supported yet at nodes[0].source.path; use a "
     "folder of this machine, or s3://bucket/folder\n"},
    {"Kafka", "name: p\nnodes:\n- {name: a, source: {type: KAFKA, topics: [t]}}\n",
     "p.yaml:3:21: error: KAFKA sources are not supported yet at nodes[0].source; "
     "supported kinds are FILE, UNITY_CATALOG, HIVE_METASTORE, TABLE, PIPELINE_NODE, "
     "DATAFRAME, POSTGRES\n"},
    {"PythonReader", "name: p\nnodes:\n- {name: a, source: {custom_reader: {f: x}}}\n",
     "p.yaml:3:21: error: Python functions are not supported yet at nodes[0].source; "
     "supported kinds are FILE, UNITY_CATALOG, HIVE_METASTORE, TABLE, PIPELINE_NODE, "
     "DATAFRAME, POSTGRES\n"},
    {"PythonWriter", one_node("  sinks:\n  - {path: x, custom_writer: {f: x}}\n"),
     "p.yaml:6:15: error: key 'custom_writer' at nodes[0].sinks[0] is not supported "
     "yet; "
     "A Python function.\n"},
    {"LaterFormat", "name: p\nnodes:\n- {name: a, source: {path: x, format: avro}}\n",
     "p.yaml:3:39: error: format AVRO is not supported yet at nodes[0].source; "
     "supported "
     "are CSV, DELTA, JSON, JSONL, NDJSON, PARQUET, TEXT, BINARYFILE\n"},
    {"Watermark",
     "name: p\nnodes:\n- {name: a, source: {path: x, watermark: {column: t}}}\n",
     "p.yaml:3:31: error: key 'watermark' at nodes[0].source is not supported yet; How "
     "late rows may come.\n"},
    {"SparkTimeout", "name: p\nengine: {spark_remote: 'sc://h', spark_timeout: soon}\n",
     "p.yaml:2:49: error: key 'spark_timeout' at engine needs a duration like 5m, "
     "1h 30m or 7d, not 'soon'\n"},
    {"BadDuration", one_node("  freshness: {max_age: soon}\n"),
     "p.yaml:5:24: error: key 'max_age' at nodes[0].freshness needs a duration like "
     "5m, "
     "1h 30m or 7d, not 'soon'\n"},
    {"UnknownTestNode", one_node("") + "tests:\n- {name: t, node: b, expect: []}\n",
     "p.yaml:6:3: error: unknown node 'b' at tests[0]\n"},
    {"UnknownGiven",
     one_node("") + "tests:\n- {name: t, node: a, given: {b: []}, expect: []}\n",
     "p.yaml:6:33: error: the node 'a' does not read 'b', which tests[0] gives\n"},
    {"SelfVariable", "name: ${vars.a}\nvariables: {a: 'x${vars.b}', b: 'y${vars.a}'}\n",
     "p.yaml:2:16: error: the variable 'a' refers to itself: a -> b -> a\n"},
    {"MissingParameter", "name: p\nparameters:\n  day: {}\n",
     "p.yaml:3:3: error: the parameter 'day' has no value; give it one with --param "
     "day=… or write a default\n"},
    {"UnknownParameter", "name: ${params.dai}\nparameters: {day: {default: x}}\n",
     "p.yaml:1:7: error: unknown parameter 'dai'; did you mean 'day'?\n"},
    {"BadExpression", "name: ${{ vars. }}\n",
     "p.yaml:1:7: error: cannot evaluate ${{ vars. }}: column 8: the expression ends "
     "too "
     "early\n"},
    {"UnsetVariable", "name: p_${vars.envv}\nvariables: {env: x}\n",
     "p.yaml:1:7: warning: the variable 'envv' is not set and stays as it is; did you "
     "mean 'env'?\n"},
    {"MissingInclude", "name: p\nnodes: !use nodes.yaml\n",
     "p.yaml:2:8: error: there is no file nodes.yaml (p.yaml -> nodes.yaml); the path "
     "is "
     "relative to the file that names it\n"},
    {"OtherOrchestrator", "name: p\norchestrator: {type: DATABRICKS_JOB}\n",
     "p.yaml:2:15: notice: the orchestrator DATABRICKS_JOB is ignored; use type: "
     "LAKEMILL to schedule with lakemill\n"},
    {"UnknownOrchestrator", "name: p\norchestrator: {type: LAKEMIL}\n",
     "p.yaml:2:22: error: unknown orchestrator 'LAKEMIL'; did you mean 'LAKEMILL'?\n"},
    {"PySpark", "name: p\ndataframe_backend: PYSPARK\n",
     "p.yaml:2:20: notice: the embedded engine runs this pipeline: no Spark remote is "
     "named\n"},
    {"UnityCatalog",
     "name: p\nnodes:\n"
     "- {name: a, source: {type: UNITY_CATALOG, table_name: x}}\n"
     "- {name: b, source: {type: UNITY_CATALOG, table_name: y}}\n",
     "p.yaml:3:28: notice: UNITY_CATALOG means the folder catalog: Unity Catalog "
     "connections are not supported yet\n"},
};

INSTANTIATE_TEST_SUITE_P(Load, BadInput, testing::ValuesIn(kBadCases),
                         [](const auto& case_info) { return case_info.param.name; });

TEST(Load, RefusesTwoNodesThatReachOnePlaceThroughALink) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / "load_through_a_link";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder / "real");
  std::filesystem::create_directory_symlink(folder / "real", folder / "link");
  const std::string path = (folder / "p.yaml").string();
  std::ofstream(path) << "name: p\nnodes:\n"
                         "- {name: a, source: {path: a.csv}, sink: {path: real/t}}\n"
                         "- {name: b, source: {path: b.csv}, sink: {path: link/t}}\n"
                         "- {name: c, source: {path: b.csv}, sink: {path: link/u}}\n";
  LocalFileReader reader;
  LoadOptions options;
  options.reader = &reader;
  const LoadedPipeline loaded = load_pipeline(path, options);
  EXPECT_EQ(
      loaded.diagnostics.to_text(),
      path +
          ":4:42: error: the nodes 'a' and 'b' write the same place: link/t; give "
          "each its own, or write shared: true in both sinks\n");
}

TEST(Load, RefusesAnExpansionWithoutBound) {
  std::string text = "name: p\nvariables:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string inner = "*a" + std::to_string(i - 1);
    text += "  a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + inner;
    for (int j = 0; j < 9; ++j) text += ", " + inner;
    text += "]\n";
  }
  const LoadedPipeline loaded = load_text(text);
  EXPECT_EQ(loaded.diagnostics.error_count(), 1U) << loaded.diagnostics.to_text();
  EXPECT_THAT(loaded.diagnostics.to_text(), HasSubstr("expand to more than 300000"));
}

TEST(Load, RefusesVariablesThatDoubleEachOther) {
  std::string text = "name: ${vars.v40}\nvariables:\n  v0: x\n";
  for (int i = 1; i <= 40; ++i) {
    const std::string inner = "${vars.v" + std::to_string(i - 1) + "}";
    text += "  v" + std::to_string(i) + ": \"" + inner + inner + "\"\n";
  }
  const LoadedPipeline loaded = load_text(text);
  EXPECT_THAT(loaded.diagnostics.to_text(), HasSubstr("expand without bound"));
}

// --------------------------------------------------------------------------- includes

TEST(Load, ReadsIncludesRelativeToTheFileThatNamesThem) {
  const LoadedPipeline loaded =
      load({.files = {
                {"p.yaml", "name: p\nnodes: !use parts/nodes.yaml\n"},
                {"parts/nodes.yaml",
                 "- name: a\n  transformer:\n    nodes:\n    - expr: !use a.sql\n"
                 "- !extend more.yaml\n- !use one.yaml\n"},
                {"parts/a.sql", "SELECT 1\nAS x"},
                {"parts/more.yaml",
                 "- {name: b, source: {node_name: a}}\n"
                 "- {name: c, source: {node_name: b}}\n"},
                {"parts/one.yaml", "name: d\nsource: {node_name: c}\n"},
            }});
  ASSERT_EQ(loaded.diagnostics.to_text(), "");
  ASSERT_EQ(loaded.pipeline->nodes.size(), 4U);
  EXPECT_EQ(loaded.pipeline->nodes[0].steps[0].sql().text, "SELECT 1\nAS x");
  EXPECT_EQ(loaded.pipeline->nodes[0].steps[0].sql().location.file, "parts/a.sql");
  EXPECT_EQ(loaded.pipeline->nodes[2].name, "c");
  EXPECT_EQ(loaded.pipeline->nodes[3].location, (Location{"parts/one.yaml", 1, 1}));
}

TEST(Load, TakesTheYamlFilesOfAFolderInOrder) {
  const LoadedPipeline loaded =
      load({.files = {
                {"p.yaml", "name: p\nnodes: !use nodes\n"},
                {"nodes/b.yml", "{name: b, source: {path: b.csv}}"},
                {"nodes/a.yaml", "{name: a, source: {path: a.csv}}"},
                {"nodes/deep/c.yaml", "{name: c, source: {path: c.csv}}"},
                {"nodes/notes.txt", "no YAML: here: at all"},
            }});
  ASSERT_EQ(loaded.diagnostics.to_text(), "");
  ASSERT_EQ(loaded.pipeline->nodes.size(), 3U);
  EXPECT_EQ(loaded.pipeline->nodes[0].name, "a");
  EXPECT_EQ(loaded.pipeline->nodes[1].name, "b");
  EXPECT_EQ(loaded.pipeline->nodes[2].name, "c");
}

TEST(Load, MergesMappingsInDocumentOrder) {
  const LoadedPipeline loaded = load(
      {.files = {
           {"p.yaml",
            "name: p\nnodes:\n"
            "- &base {name: a, comment: one, layer: BRONZE, source: {path: a.csv}}\n"
            "- name: early\n  <<: *base\n  comment: two\n"
            "- <<: *base\n  <<: !update patch.yaml\n  name: late\n  sinks: []\n"},
           {"patch.yaml", "comment: three\nowner: me\n"},
       }});
  EXPECT_EQ(
      loaded.diagnostics.to_text(),
      "p.yaml:4:3: error: two nodes are called 'a'; the first is at p.yaml:3:3\n");
}

TEST(Load, LetsLaterKeysWinOverMergedOnes) {
  const LoadedPipeline loaded = load(
      {.files = {
           {"p.yaml",
            "name: p\nnodes:\n"
            "- &base {name: a, comment: one, layer: BRONZE, source: {path: a.csv}}\n"
            "- <<: *base\n  <<: !update patch.yaml\n  name: late\n"
            "- comment: mine\n  <<: !update patch.yaml\n  name: early\n"},
           {"patch.yaml", "comment: three\nowner: me\n"},
       }});
  ASSERT_EQ(loaded.diagnostics.to_text(), "");
  const std::vector<Node>& nodes = loaded.pipeline->nodes;
  EXPECT_EQ(nodes[1].name, "late");
  EXPECT_EQ(nodes[1].comment, "three");
  EXPECT_EQ(nodes[1].layer, Layer::bronze);
  EXPECT_EQ(nodes[2].comment, "three");
  EXPECT_EQ(nodes[2].owner, "me");
}

TEST(Load, NamesTheChainOfACircle) {
  const LoadedPipeline loaded = load({.files = {
                                          {"p.yaml", "name: p\nnodes: !use a.yaml\n"},
                                          {"a.yaml", "- !use b.yaml\n"},
                                          {"b.yaml", "name: x\nsource: !use a.yaml\n"},
                                      }});
  EXPECT_EQ(
      loaded.diagnostics.to_text(),
      "b.yaml:2:9: error: circular include: p.yaml -> a.yaml -> b.yaml -> a.yaml; "
      "a file cannot include itself\n");
}

TEST(Load, RefusesToExtendWithWhatIsNoList) {
  const LoadedPipeline loaded =
      load({.files = {{"p.yaml", "name: p\nnodes:\n- !extend a.yaml\n"},
                      {"a.yaml", "name: x\n"}}});
  EXPECT_EQ(
      loaded.diagnostics.to_text(),
      "p.yaml:3:3: error: !extend needs a list, but 'a.yaml' holds a mapping; use "
      "!use to take it as one item\n");
}

TEST(Load, PutsVariablesIntoPathsOfIncludes) {
  const Files files = {
      {"p.yaml",
       "name: p\nvariables: {env: dev}\nnodes:\n"
       "- name: a\n  variables: {env: test}\n  source: !use ${vars.env}.yaml\n"
       "- name: b\n  source: !use ${vars.ENV}.yaml\n"
       "- name: c\n  source: !use ${vars.who}.yaml\n"},
      {"dev.yaml", "path: dev.csv"},
      {"test.yaml", "path: test.csv"},
      {"me.yaml", "path: me.csv"},
      {"cli.yaml", "path: cli.csv"},
  };
  const LoadedPipeline loaded = load({.files = files, .environment = {{"who", "me"}}});
  ASSERT_EQ(loaded.diagnostics.to_text(), "");
  EXPECT_EQ(loaded.pipeline->nodes[0].sources[0].path, "test.csv");
  EXPECT_EQ(loaded.pipeline->nodes[1].sources[0].path, "dev.csv");
  EXPECT_EQ(loaded.pipeline->nodes[2].sources[0].path, "me.csv");

  const LoadedPipeline other = load(
      {.files = files, .variables = {{"env", "cli"}}, .environment = {{"who", "me"}}});
  ASSERT_EQ(other.diagnostics.to_text(), "");
  EXPECT_EQ(other.pipeline->nodes[0].sources[0].path, "cli.csv");
}

TEST(Load, TellsFaultsOfIncludedFilesAtTheirOwnPlace) {
  const LoadedPipeline loaded =
      load({.files = {
                {"p.yaml",
                 "name: p\nnodes:\n- !use a.yaml\n- !use b.yaml\n- {name: c, source: "
                 "{node_name: b}}\n"},
                {"a.yaml", "name: a\nsources:\n- pat: x.csv\n"},
                {"b.yaml", "name: [\n"},
            }});
  EXPECT_EQ(loaded.diagnostics.error_count(), 2U);
  EXPECT_THAT(loaded.diagnostics.to_text(),
              HasSubstr("a.yaml:3:3: error: unknown key 'pat' at nodes[0].sources[0]; "
                        "did you mean 'path'?\n"));
  EXPECT_THAT(loaded.diagnostics.to_text(), HasSubstr("b.yaml:2:1: error: not valid"));
}

TEST(Load, AcceptsAByteOrderMarkAndCarriageReturns) {
  const LoadedPipeline loaded = load_text(
      "\xEF\xBB\xBFname: p\r\nnodes:\r\n- name: a\r\n  transformer:\r\n    nodes:\r\n"
      "    - expr: |\r\n        SELECT 1\r\n        AS x\r\n");
  ASSERT_EQ(loaded.diagnostics.to_text(), "");
  EXPECT_EQ(loaded.pipeline->nodes[0].steps[0].sql().text, "SELECT 1\nAS x\n");
}

TEST(Load, ReadsBracesWithoutQuotesAsText) {
  const LoadedPipeline loaded = load_text(
      "name: p\nnodes:\n- {name: a, source: {path: a.csv}}\n"
      "- name: b\n  source: {node_name: a}\n  transformer:\n    nodes:\n"
      "    - func_name: join\n      func_kwargs: {other: {nodes.a}, \"on\": [x]}\n"
      "    - func_name: union\n      func_args: [{df}]\n");
  ASSERT_EQ(loaded.diagnostics.to_text(), "");
  const MethodCall& join = loaded.pipeline->nodes[1].steps[0].method();
  EXPECT_EQ(join.named_arguments[0].value.text, "{nodes.a}");
  EXPECT_EQ(loaded.pipeline->nodes[1].steps[1].method().arguments[0].text, "{df}");
}

// -------------------------------------------------------------------------- large ones

TEST(Load, ReadsAThousandNodesInAMoment) {
  std::string text = "name: p\nvariables: {root: data}\nnodes:\n";
  for (int i = 0; i < 1000; ++i) {
    const std::string name = "node_" + std::to_string(i);
    const std::string source =
        i == 0 ? "path: a.csv" : "node_name: node_" + std::to_string(i - 1);
    text +=
        "- name: " + name + "\n  sources:\n  - " + source +
        "\n  transformer:\n    nodes:\n    - expr: |\n        SELECT *, x + 1 AS y\n"
        "        FROM {df}\n        WHERE x > 0\n  expectations:\n"
        "  - {name: positive, expr: x > 0, action: WARN}\n  sinks:\n"
        "  - path: ${vars.root}/" +
        name + "\n    format: DELTA\n    mode: APPEND\n";
  }
  const auto start = std::chrono::steady_clock::now();
  const LoadedPipeline loaded = load_text(text);
  const auto elapsed = std::chrono::steady_clock::now() - start;
  ASSERT_EQ(loaded.diagnostics.to_text(), "");
  EXPECT_EQ(loaded.pipeline->nodes.size(), 1000U);
  RecordProperty(
      "milliseconds",
      static_cast<int>(
          std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count()));
  EXPECT_LT(elapsed, std::chrono::seconds(5));  // generous: sanitizers, busy machines
}

}  // namespace
}  // namespace lakemill::language
