#include "lakemill/base/clock.h"
#include "lakemill/base/text.h"
#include "lakemill/language/keys.h"
#include "lakemill/language/model_builder.h"
#include "lakemill/language/orchestration_builder.h"
#include "lakemill/language/shape_check.h"

namespace lakemill::language {

namespace {

TestRows build_rows(const Tree& tree, const std::string& path, BuildContext& context) {
  TestRows rows;
  rows.location = tree.location;
  if (tree.is_string()) {
    rows.path = tree.text;
    return rows;
  }
  const Tree* inner = tree.find("rows");
  const Tree* file = tree.find("path");
  if (file == nullptr) file = tree.find("file");
  if (tree.is_mapping() && tree.entries.size() == 1 && file != nullptr &&
      file->is_string()) {
    rows.path = file->text;
    return rows;
  }
  rows.rows =
      tree.is_mapping() && tree.entries.size() == 1 && inner != nullptr ? *inner : tree;
  if (!rows.rows.is_list() && !rows.rows.is_mapping()) {
    context.diagnostics.error(tree.location, path,
                              "rows at " + path +
                                  " must be a list of records, names to lists, or the "
                                  "path of a file",
                              "");
  }
  return rows;
}

std::optional<TestRows> optional_rows(const Fields& fields, std::string_view key,
                                      const std::string& path, BuildContext& context) {
  const Tree* tree = fields.find(key);
  if (tree == nullptr) return std::nullopt;
  return build_rows(*tree, below(path, key), context);
}

PipelineTest build_test(const Tree& tree, const std::string& path,
                        BuildContext& context) {
  PipelineTest test;
  test.location = tree.location;
  if (tree.broken) return test;
  const Fields fields(tree);
  test.name = fields.text("name", "");
  test.node = fields.text("node", "");
  for (const NamedArgument& given : fields.arguments("given")) {
    test.given.push_back(
        {given.name,
         build_rows(given.value, below(path, "given." + given.name), context)});
  }
  test.variables = fields.text_map("variables");
  test.now = fields.text("now", "");
  if (!test.now.empty() && !parse_instant(test.now)) {
    context.diagnostics.error(fields.place("now"), below(path, "now"),
                              "'" + test.now + "'" + at_path(path) +
                                  " is not an instant like 2026-01-31T12:00:00Z",
                              "");
  }
  test.expect = optional_rows(fields, "expect", path, context);
  test.expect_quarantine = optional_rows(fields, "expect_quarantine", path, context);
  if (fields.has("expect_error")) test.expect_error = fields.text("expect_error", "");
  const bool expects = fields.has("expect") || fields.has("expect_quarantine") ||
                       fields.has("expect_error");
  if (!expects && !tree.has_unknown_keys) {
    context.diagnostics.error(tree.location, path,
                              "the test" + at_path(path) + " expects nothing",
                              "give it expect, expect_quarantine or expect_error");
  }
  return test;
}

// The orchestrator where it is of type LAKEMILL, held to the table of keys; else
// nothing.
std::optional<Tree> checked_orchestrator(const Fields& fields, BuildContext& context) {
  const Tree* tree = fields.find("orchestrator");
  if (tree == nullptr) return std::nullopt;
  const std::string type = Fields(*tree).choice("type");
  if (type == "LAKEMILL") {
    Tree copy = *tree;
    check_shape(copy, object_spec("orchestrator"), "orchestrator", context.diagnostics);
    return copy;
  }
  if (type.starts_with("DATABRICKS") || type.starts_with("AIRFLOW")) {
    context.diagnostics.notice(tree->location, "orchestrator",
                               "the orchestrator " + type + " is ignored",
                               "use type: LAKEMILL to schedule with lakemill");
    return std::nullopt;
  }
  const std::vector<std::string> known = {"LAKEMILL", "DATABRICKS_JOB",
                                          "DATABRICKS_PIPELINE", "AIRFLOW"};
  const auto meant = nearest(type, known);
  context.diagnostics.error(
      Fields(*tree).place("type"), "orchestrator.type",
      type.empty() ? "key 'type' is missing at orchestrator"
                   : "unknown orchestrator '" + type + "'",
      meant ? "did you mean '" + *meant + "'?" : "known are " + join(known, ", "));
  return std::nullopt;
}

void tell_backend(const Pipeline& pipeline, const Location& location,
                  BuildContext& context) {
  if (context.spark_is_named || !pipeline.engine.spark_remote.empty()) return;
  bool wants_spark =
      pipeline.backend == Backend::pyspark || pipeline.backend == Backend::spark;
  for (const Node& node : pipeline.nodes) {
    wants_spark |= node.backend == Backend::pyspark || node.backend == Backend::spark;
  }
  if (!wants_spark) return;
  context.diagnostics.notice(location, "dataframe_backend",
                             "the embedded engine runs this pipeline: no Spark remote "
                             "is named",
                             "");
}

}  // namespace

EngineOptions build_engine(const Tree* tree) {
  EngineOptions engine;
  if (tree == nullptr) return engine;
  const Fields fields(*tree);
  engine.memory_limit_bytes = fields.size("memory_limit");
  engine.threads = fields.integer("threads");
  engine.temporary_folder = fields.text("temporary_folder", "");
  engine.temporary_bytes_max = fields.size("temporary_limit");
  engine.spark_remote = fields.text("spark_remote", "");
  engine.spark_timeout = fields.duration("spark_timeout");
  return engine;
}

Pipeline build_pipeline(const Tree& root, BuildContext& context) {
  Pipeline pipeline;
  pipeline.location = root.location;
  const Fields fields(root);
  pipeline.name = fields.text("name", "");
  check_folder_name(fields, "", context);
  pipeline.backend = build_backend(fields, Backend::unset);
  pipeline.dataframe_api = build_api(fields, DataframeApi::narwhals);
  pipeline.root_path = fields.text("root_path", "");
  pipeline.engine = build_engine(fields.find("engine"));
  context.api = pipeline.dataframe_api;
  context.backend = pipeline.backend;
  if (const Tree* nodes = fields.find("nodes")) {
    const bool is_list = nodes->is_list();
    const std::size_t count = is_list ? nodes->items.size() : 1;
    pipeline.nodes.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      const std::string path = is_list ? "nodes[" + std::to_string(i) + "]" : "nodes";
      pipeline.nodes.push_back(
          build_node(is_list ? nodes->items[i] : *nodes, path, context));
    }
  }
  if (const Tree* tests = fields.find("tests")) {
    const bool is_list = tests->is_list();
    const std::size_t count = is_list ? tests->items.size() : 1;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string path = is_list ? "tests[" + std::to_string(i) + "]" : "tests";
      pipeline.tests.push_back(
          build_test(is_list ? tests->items[i] : *tests, path, context));
    }
  }
  pipeline.tags = fields.texts("tags");
  const std::optional<Tree> orchestrator = checked_orchestrator(fields, context);
  pipeline.orchestration =
      build_orchestration(fields, orchestrator ? &*orchestrator : nullptr, context);
  tell_backend(pipeline, fields.place("dataframe_backend"), context);
  return pipeline;
}

}  // namespace lakemill::language
